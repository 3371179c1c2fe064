"""What cannot be planned is refused, and a run goes on only as itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from toy_tasks import Noise, OneNetwork, ToySettings, TwoPhases, toy_settings

from restore.core.dataset import Batch
from restore.core.errors import ResumeError, TrainingDiverged, UsageError
from restore.core.events import Evaluated, Event, StepDone, Warned
from restore.core.optimizer_settings import OptimizerSettings, ScheduleSettings
from restore.core.runs.folder import read_config
from restore.core.runs.resuming import merge_settings
from restore.core.settings import EarlyStoppingSettings
from restore.core.training.trainer import Trainer
from restore.core.training_step import Phase, TrainStep

FROZEN = OptimizerSettings(name="sgd", lr=1e-30, momentum=0)
PLATEAU = OptimizerSettings(schedule=ScheduleSettings(name="plateau"))


def train(task: type[OneNetwork], settings: ToySettings, events: list[Event] | None = None, **options: Any) -> Path:
    listeners = [] if events is None else [events.append]
    return Trainer(task, settings, name="toy/toy", listeners=listeners, **options).fit().folder


def warnings(events: list[Event]) -> list[str]:
    return [event.message for event in events if isinstance(event, Warned)]


class Unmonitored(OneNetwork):
    """Has no metric to choose its best weights by."""

    def phases(self) -> list[Phase]:
        return [Phase("only", self.settings.epochs, {"net": self.settings.optimizer})]


def test_a_plateau_is_refused_where_no_metric_judges(tmp_path: Path) -> None:
    for task, phase in ((Unmonitored, "only"), (TwoPhases, "adversarial")):
        with pytest.raises(UsageError, match=f"phase {phase!r} monitors no metric"):
            train(task, toy_settings(tmp_path, optimizer=PLATEAU))
    assert not list(tmp_path.iterdir())
    train(OneNetwork, toy_settings(tmp_path, epochs=1, optimizer=PLATEAU))


def test_early_stopping_says_where_it_does_not_act(tmp_path: Path) -> None:
    stopping, events = EarlyStoppingSettings(patience=9), list[Event]()
    with pytest.raises(UsageError, match="early stopping would have no effect"):
        train(Unmonitored, toy_settings(tmp_path, early_stopping=stopping))
    train(TwoPhases, toy_settings(tmp_path, early_stopping=stopping), events)
    assert "early stopping has no effect in adversarial: no metric is monitored there" in warnings(events)


@pytest.mark.parametrize("change", [{"patience": 5}, {"patience": None}])
def test_a_run_that_stopped_early_goes_on_with_more_patience(tmp_path: Path, change: dict[str, Any]) -> None:
    settings = toy_settings(tmp_path, epochs=6, optimizer=FROZEN, early_stopping=EarlyStoppingSettings(patience=2))
    folder, events = train(OneNetwork, settings), list[Event]()
    train(OneNetwork, settings, events, resume=folder)
    assert any("stopped early, after 2 evaluations" in message for message in warnings(events))
    assert not [event for event in events if isinstance(event, Evaluated)]
    train(OneNetwork, merge_settings(ToySettings, folder, {"early_stopping": change}), events, resume=folder)
    assert [event.epoch for event in events if isinstance(event, Evaluated)] == [3, 4, 5]


class Growing(OneNetwork):
    """Has a phase more the longer it trains."""

    def phases(self) -> list[Phase]:
        first, optimizers = self.settings.epochs // 3, {"net": self.settings.optimizer}
        names = {"small": first, "medium": first if self.settings.epochs > 5 else 0}
        rest = self.settings.epochs - sum(names.values())
        return [Phase(name, epochs, optimizers, monitor="mse") for name, epochs in {**names, "large": rest}.items()]


def test_no_phase_is_put_before_one_that_has_begun(tmp_path: Path) -> None:
    folder = train(Growing, toy_settings(tmp_path, epochs=3))
    before = (folder / "config.yaml").read_text()
    with pytest.raises(ResumeError, match="phases small, large, but small, medium, large are planned now"):
        train(Growing, merge_settings(ToySettings, folder, {"epochs": 6}), resume=folder)
    assert (folder / "config.yaml").read_text() == before
    train(Growing, merge_settings(ToySettings, folder, {"epochs": 5}), resume=folder)


@pytest.mark.parametrize(
    ("split", "count", "seed", "said"),
    [
        ("train", 7, 1, "6 images before, 7 now"),
        ("validation", 3, 2, "3 images before, 3 now, different names"),
    ],
)
def test_a_run_goes_on_with_the_same_images(tmp_path: Path, split: str, count: int, seed: int, said: str) -> None:
    class Others(OneNetwork):
        def dataset(self, which: str, phase: Phase) -> Noise:
            if which != split:
                return super().dataset(which, phase)
            images = Noise(count, 8, seed=seed, augment=which == "train")
            images.name = lambda index: f"other-{index}"  # type: ignore[method-assign]
            return images

    folder = train(OneNetwork, toy_settings(tmp_path, epochs=1))
    longer = merge_settings(ToySettings, folder, {"epochs": 2})
    with pytest.raises(ResumeError, match=said):
        train(Others, longer, resume=folder)
    train(OneNetwork, longer, resume=folder)


class OfFiles(OneNetwork):
    """Calls its images by their paths."""

    def dataset(self, split: str, phase: Phase) -> Noise:
        images = super().dataset(split, phase)
        images.name = lambda index: str(self.settings.data / f"{index}.png")  # type: ignore[method-assign,operator]
        return images


def test_images_named_from_another_folder_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("images").mkdir()
    folder = train(OfFiles, toy_settings(tmp_path, epochs=1, data=Path("images")))
    train(OfFiles, merge_settings(ToySettings, folder, {"epochs": 2}), resume=folder)


class Counting(ToySettings):
    """Settings that leave something to the data."""

    found: int | None = None

    def resolved(self) -> Counting:
        return super().resolved().model_copy(update={"found": 3})


class Counted(OneNetwork):
    """Cannot be built from settings that leave something open."""

    settings_type = Counting

    def __init__(self, settings: ToySettings) -> None:
        super().__init__(settings)
        assert isinstance(settings, Counting)
        assert settings.found == 3
        assert settings.precision != "auto"


def test_the_trainer_fills_in_what_settings_leave_open_and_a_resumed_run_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("images").mkdir()
    folder = train(Counted, Counting(out=tmp_path, epochs=1, precision="auto", data=Path("images")))
    assert read_config(folder)["found"] == 3
    train(Counted, Counting(epochs=2), resume=folder)
    assert read_config(folder)["epochs"] == 2
    assert read_config(folder)["data"] == str(Path("images").absolute())
    with pytest.raises(ResumeError, match="batch_size: 4 -> 2"):
        train(Counted, Counting(batch_size=2), resume=folder)


def test_a_resumed_run_keeps_its_place(tmp_path: Path) -> None:
    folder = train(OneNetwork, toy_settings(tmp_path, name="run", epochs=1))
    for typed in ({"name": "other"}, {"out": tmp_path / "elsewhere"}):
        with pytest.raises(ResumeError, match="cannot change on resume"):
            merge_settings(ToySettings, folder, typed)
    assert merge_settings(ToySettings, folder, {"name": "run", "out": str(tmp_path)}).name == "run"


def test_what_is_read_is_found_again_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = train(OneNetwork, toy_settings(Path("runs"), epochs=1, data=Path("images")))
    assert read_config(folder)["data"] == str(tmp_path / "images")
    assert read_config(folder)["out"] == "runs"


class HalfPoisoned(TwoPhases):
    """Its discriminator learns, its generator never has a finite loss."""

    def train_step(self, batch: Batch, step: TrainStep) -> None:
        step.optimize("discriminator", lambda m: {"real": m.discriminator(batch["target"]).square().mean()})
        step.optimize("net", lambda m: {"mse": (m.net(batch["input"]) * float("inf")).mean()})

    def phases(self) -> list[Phase]:
        return list(super().phases())[1:]


def test_one_network_that_diverges_beside_one_that_learns_stops_the_run(tmp_path: Path) -> None:
    settings = toy_settings(tmp_path, max_skipped=3)
    with pytest.raises(TrainingDiverged, match="3 consecutive steps of net were skipped because net/mse is not finite"):
        train(HalfPoisoned, settings)


class BothPoisoned(HalfPoisoned):
    """None of its networks ever has a finite loss."""

    def train_step(self, batch: Batch, step: TrainStep) -> None:
        for name in ("discriminator", "net"):
            step.optimize(name, lambda m: {"nan": m.discriminator(m.net(batch["input"])).mean() * torch.nan})


def test_skipped_steps_are_counted_for_each_optimizer(tmp_path: Path) -> None:
    events: list[Event] = []
    with pytest.raises(TrainingDiverged, match="3 consecutive steps of discriminator"):
        train(BothPoisoned, toy_settings(tmp_path, max_skipped=3), events)
    assert sum(isinstance(event, StepDone) for event in events) == 2
