"""The gradient of a step is the one that the whole batch has, however the batch is cut; and bad steps do no harm."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from built import networks_of
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F
from toy_tasks import Fixed, OneNetwork, Penalty, TwoPhases, toy_settings

from restore.core.dataset import Batch
from restore.core.errors import NothingToTrain, TrainingDiverged, UsageError
from restore.core.events import Evaluated, Event, Logged, PhaseFinished, Warned
from restore.core.method import Method
from restore.core.networks import Networks
from restore.core.optimizer_settings import OptimizerSettings
from restore.core.runs.checkpoints import load, load_newest
from restore.core.runtime.accelerator import make_accelerator
from restore.core.settings import EarlyStoppingSettings
from restore.core.training.networks import WrappedNetworks
from restore.core.training.optimize import PhaseOptimizers
from restore.core.training.trainer import Trainer
from restore.core.training_step import Phase, TrainStep


def gradients(task: type[TwoPhases], accumulate: int) -> dict[str, Tensor]:
    """Gradients of one adversarial step on 8 samples, cut into micro-batches; rates of 0 keep the weights still."""
    torch.manual_seed(0)
    still = OptimizerSettings(name="sgd", lr=1e-12, momentum=0)
    settings = toy_settings(Path(), accumulate=accumulate, batch_size=8, batch_norm=False, optimizer=still)
    toy = task(settings)
    networks = WrappedNetworks(networks_of(toy), networks_of(toy))
    accelerator = make_accelerator(settings)
    optimizers = PhaseOptimizers(
        accelerator, networks, toy.phases()[1], precision="fp32", warn=pytest.fail, max_skipped=1
    )
    seen: dict[str, Tensor] = {}

    def keep(name: str) -> None:
        optimizer = optimizers.by_name[name].optimizer
        optimizer.register_step_pre_hook(
            lambda *_: seen.update({name: torch.cat([p.grad.flatten() for p in networks.raw[name].parameters()])})
        )

    for name in optimizers.by_name:
        keep(name)
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(8, 1, 8, 8, generator=generator)
    step = optimizers.begin_step()
    for part in images.chunk(accumulate):
        with accelerator.accumulate(*networks_of(toy).values()):
            toy.train_step({"input": part, "target": 1 - part}, step)
    assert all(p.grad is None for m in networks.raw.values() for p in m.parameters()), "left after the step"
    return seen


def test_accumulated_gradients_are_those_of_the_whole_batch() -> None:
    whole, halves, quarters = (gradients(TwoPhases, parts) for parts in (1, 2, 4))
    for name, gradient in whole.items():
        for other in (halves, quarters):
            torch.testing.assert_close(other[name], gradient, rtol=1e-5, atol=1e-7)


def test_an_optimizer_trains_its_own_networks_and_freezes_the_others() -> None:
    toy = TwoPhases(toy_settings(Path()))
    networks = WrappedNetworks(networks_of(toy), networks_of(toy))
    with networks.only_trainable(("discriminator",)):
        assert all(p.requires_grad for p in networks.raw["discriminator"].parameters())
        assert not any(p.requires_grad for p in networks.raw["net"].parameters())
    assert all(p.requires_grad for p in networks.raw["net"].parameters())


class Poisoned(OneNetwork):
    """Has batch normalization, and a loss that is NaN in one step out of so many."""

    every = 5

    def networks(self) -> dict[str, nn.Module]:
        return {"net": nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.Conv2d(2, 1, 1))}

    def train_step(self, batch: Batch, step: TrainStep) -> None:
        image = batch["input"] * (float("nan") if step.run_step % self.every == 1 else 1)
        step.optimize("net", lambda m: {"mse": F.mse_loss(m.net(image), batch["target"])})


class AlwaysPoisoned(Poisoned):
    """Has no step with a finite loss."""

    def train_step(self, batch: Batch, step: TrainStep) -> None:
        step.optimize("net", lambda m: {"mse": (m.net(batch["input"]) * float("inf")).mean()})


def test_a_step_that_is_not_finite_is_skipped_named_and_leaves_no_trace(tmp_path: Path) -> None:
    settings = toy_settings(tmp_path)
    events = list[Event]()
    result = Trainer(Poisoned, settings, name="toy/toy", listeners=[events.append]).fit()
    assert any("net/mse is not finite" in event.message for event in events if isinstance(event, Warned))
    assert all(value.isfinite().all() for value in load_file(result.folder / "last.safetensors").values())
    assert result.numbers[-1].value < 1


def test_a_run_that_only_skips_stops_and_keeps_its_checkpoint(tmp_path: Path) -> None:
    settings = toy_settings(tmp_path, name="run", max_skipped=3)
    with pytest.raises(TrainingDiverged, match="3 consecutive steps of net"):
        Trainer(AlwaysPoisoned, settings, name="toy/toy").fit()
    assert list((tmp_path / "run" / "checkpoints").glob("step-000000000*"))


def test_clipping_bounds_the_step(tmp_path: Path) -> None:
    distance = {}
    for clip in (None, 1e-3):
        optimizer = OptimizerSettings(name="sgd", lr=1.0, momentum=0, clip_norm=clip)
        settings = toy_settings(tmp_path / str(clip), epochs=1, samples_per_epoch=4, optimizer=optimizer)
        folder = Trainer(OneNetwork, settings, name="toy/toy").fit().folder
        before, after = (
            torch.cat([tensor.flatten() for tensor in load(path).tensors["networks"].values()])
            for path in sorted((folder / "checkpoints").glob("step-*"))
        )
        distance[clip] = (after - before).norm().item()
    assert distance[1e-3] == pytest.approx(1e-3, rel=1e-3)
    assert distance[None] > 1e-2


def test_early_stopping_ends_a_phase_and_the_next_begins(tmp_path: Path) -> None:
    frozen = OptimizerSettings(name="sgd", lr=1e-30, momentum=0)
    stopping = EarlyStoppingSettings(patience=2)
    settings = toy_settings(tmp_path, epochs=8, first_epochs=6, optimizer=frozen, early_stopping=stopping)
    events: list[Event] = []
    Trainer(TwoPhases, settings, name="toy/toy", listeners=[events.append]).fit()
    ended = [(event.phase, event.stopped_early) for event in events if isinstance(event, PhaseFinished)]
    assert ended == [("pretrain", True), ("adversarial", False)]
    evaluated = [event.phase for event in events if isinstance(event, Evaluated)]
    assert evaluated.count("pretrain") == 3  # the best, and two that are no better


def test_the_second_phase_starts_from_the_best_of_the_first(tmp_path: Path) -> None:
    class Worsening(TwoPhases):
        """Each epoch of pretraining after the first spoils the network."""

        def train_step(self, batch: Batch, step: TrainStep) -> None:
            if step.phase == "pretrain" and step.epoch:
                step.optimize("net", lambda m: {"away": -F.mse_loss(m.net(batch["input"]), batch["target"])})
            elif step.phase == "pretrain":
                super().train_step(batch, step)
            else:
                if step.phase_step == 0:
                    step.optimize("discriminator", keep)
                super().train_step(batch, step)

    def keep(nets: Networks) -> dict[str, Tensor]:
        started.append({k: v.clone() for k, v in nets.net.state_dict().items()})
        return {"nothing": 0 * nets.discriminator(torch.zeros(2, 1, 8, 8)).mean()}

    started: list[dict[str, Tensor]] = []
    settings = toy_settings(tmp_path, name="run", epochs=4, first_epochs=3)
    Trainer(Worsening, settings, name="toy/toy").fit()
    best = load_file(tmp_path / "run" / "best-pretrain.safetensors")
    assert all(torch.equal(best[f"net.{key}"], value) for key, value in started[0].items())


@pytest.mark.parametrize("name", ["constant", "linear", "cosine", "one-cycle", "multi-step", "plateau"])
@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "rmsprop"])
def test_every_optimizer_and_schedule_trains(name: str, optimizer: str, tmp_path: Path) -> None:
    chosen = OptimizerSettings.model_validate({"name": optimizer, "lr": 1e-3, "schedule": {"name": name}})
    settings = toy_settings(tmp_path, epochs=1, optimizer=chosen)
    events: list[Event] = []
    Trainer(OneNetwork, settings, name="toy/toy", listeners=[events.append]).fit()
    assert [event.numbers["net/mse"] for event in events if isinstance(event, Logged)][-1] < 1


def test_a_classical_method_has_nothing_to_train(tmp_path: Path) -> None:
    settings = toy_settings(tmp_path / "runs")
    with pytest.raises(NothingToTrain, match=r"restore predict invert photo\.jpg"):
        Trainer(Fixed, settings, name="toy/invert")
    assert not (tmp_path / "runs").exists()


def test_a_device_that_is_not_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="--device cuda"):
        make_accelerator(toy_settings(tmp_path, device="cuda"))


def test_a_penalty_is_differentiated_twice_and_keeps_the_weights_finite(tmp_path: Path) -> None:
    settings = toy_settings(tmp_path)
    result = Trainer(Penalty, settings, name="toy/toy").fit()
    _, checkpoint = load_newest(result.folder / "checkpoints", damaged=pytest.fail)
    assert all(tensor.isfinite().all() for tensor in checkpoint.tensors["networks"].values())


def test_networks_are_items_and_attributes() -> None:
    networks = Networks({"net": nn.Identity()})
    assert networks.net is networks["net"]
    assert list(networks) == ["net"]
    with pytest.raises(AttributeError, match="no network 'discriminator'"):
        _ = networks.discriminator
    assert Phase("p", 1, {}, trains={"both": ("a", "b")}).networks_of("both") == ("a", "b")


def test_the_logged_gradient_is_its_norm_before_clipping(tmp_path: Path) -> None:
    events: list[Event] = []
    clipped = OptimizerSettings(name="sgd", lr=1e-12, momentum=0, clip_norm=1e-6)
    settings = toy_settings(tmp_path, epochs=1, samples_per_epoch=4, optimizer=clipped)
    Trainer(OneNetwork, settings, name="toy/toy", listeners=[events.append]).fit()
    (logged,) = (event.numbers for event in events if isinstance(event, Logged))
    norm = torch.cat([g.flatten() for g in gradient_of_first_batch(tmp_path)]).norm()
    assert logged["net/gradient"] == pytest.approx(float(norm), rel=1e-5)
    assert logged["net/gradient"] > 1e-3


def gradient_of_first_batch(folder: Path) -> list[Tensor]:
    """Gradients of the first step of such a run, computed by hand."""
    seen: list[Tensor] = []

    class ByHand(OneNetwork):
        def train_step(self, batch: Batch, step: TrainStep) -> None:
            def loss(nets: Networks) -> dict[str, Tensor]:
                error = F.mse_loss(nets.net(batch["input"]), batch["target"])
                seen.extend(torch.autograd.grad(error, list(nets.net.parameters()), retain_graph=True))
                return {"mse": error}

            step.optimize("net", loss)

    settings = toy_settings(folder, epochs=1, samples_per_epoch=4, name="again")
    Trainer(ByHand, settings, name="toy/toy").fit()
    return seen


def test_health_sees_training_and_validation_together(tmp_path: Path) -> None:
    asked: list[dict[str, float]] = []

    class Asked(TwoPhases):
        def health(self, numbers: Mapping[str, float]) -> str | None:
            asked.append(dict(numbers))
            return "the error is large" if numbers.get("validation/mse", 0) > 0 else None

    settings = toy_settings(tmp_path, epochs=2, log_every=2)
    events: list[Event] = []
    Trainer(Asked, settings, name="toy/toy", listeners=[events.append]).fit()
    # two log lines and an evaluation in each epoch; a phase does not see the numbers of the one before
    assert ["validation/mse" in numbers for numbers in asked] == [False, False, True] * 2
    assert all({"net/mse", "net/gradient", "net/lr"} <= numbers.keys() for numbers in asked)
    measured = [event.numbers[0].value for event in events if isinstance(event, Evaluated)]
    assert [numbers["validation/mse"] for numbers in asked if "validation/mse" in numbers] == measured
    assert [numbers["progress"] for numbers in asked] == [0.5, 1, 1] * 2
    assert [event.message for event in events if isinstance(event, Warned)] == ["the error is large"]


def test_health_sees_the_baselines_and_each_of_its_lines_is_told_once(tmp_path: Path) -> None:
    asked: list[dict[str, float]] = []

    class Compared(OneNetwork):
        def baselines(self) -> Mapping[str, Method]:
            return {"fixed": Fixed(self.settings)}

        def health(self, numbers: Mapping[str, float]) -> str | None:
            asked.append(dict(numbers))
            return "first\nsecond" if "baseline/fixed/mse" in numbers else "first"

    settings = toy_settings(tmp_path, epochs=2)
    events: list[Event] = []
    Trainer(Compared, settings, name="toy/toy", listeners=[events.append]).fit()
    fixed, *_ = (event.numbers[0].value for event in events if isinstance(event, Evaluated))
    assert asked[-1]["baseline/fixed/mse"] == fixed
    assert [event.message for event in events if isinstance(event, Warned)] == ["first", "second"]
