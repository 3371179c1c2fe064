"""The task: trained, pruned, averaged, written and measured."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from published import import_published
from torch import Tensor

from restore import registry
from restore.core.errors import NothingToTrain, UsageError
from restore.core.evaluation import evaluate
from restore.core.settings import Settings
from restore.core.steps import Modules, Step, Terms
from restore.core.weights.files import open_weights, save_weights
from restore.plugins.unet import answers
from restore.plugins.unet.cases import page_of, ranked, write_cases
from restore.plugins.unet.foreign import from_pytorch_nested_unet
from restore.plugins.unet.levels import levels
from restore.plugins.unet.nested_unet import NestedUNet
from restore.plugins.unet.options import CasesSettings, EvaluateSettings, LevelsSettings, PredictSettings
from restore.plugins.unet.otsu import Otsu
from restore.plugins.unet.overlays import COLOURS, outlines, overlay, regions
from restore.plugins.unet.rendering import render
from restore.plugins.unet.settings import (
    DeepLabModel,
    DeepLabSettings,
    ModelSettings,
    NestedUNetModel,
    NestedUNetSettings,
    SegmentationSettings,
    UNetModel,
    UNetSettings,
)
from restore.plugins.unet.task import DeepLabSegmentation, NestedUNetSegmentation, Segmentation, UNetSegmentation
from restore.plugins.unet.unet import UNet

NAMES = ["nucleus"]


def nested(options: Settings | None = None, **model: object) -> NestedUNetSegmentation:
    chosen = {"width": 2, "classes": NAMES, "fit": "crop", "deep_supervision": True, **model}
    return NestedUNetSegmentation(NestedUNetSettings.model_validate({"model": chosen}), options)


def frozen(task: Segmentation, seed: int = 0) -> Modules:
    torch.manual_seed(seed)
    return Modules({name: network.eval().requires_grad_(False) for name, network in task.networks().items()})


class Turns:
    """Runs a turn as the engine does, without an optimizer."""

    def __init__(self, modules: Modules) -> None:
        self.modules = modules
        self.terms: Terms = {}

    def __call__(self, name: str, closure: Callable[[Modules], Terms]) -> None:
        assert name == "segmenter"
        self.terms = closure(self.modules)
        torch.stack(list(self.terms.values())).sum().backward()

    def log(self, **numbers: Tensor | float) -> None:
        raise AssertionError("nothing is logged")


@pytest.mark.parametrize(
    "task",
    [
        UNetSegmentation(UNetSettings(model=UNetModel(width=2))),
        NestedUNetSegmentation(NestedUNetSettings(model=NestedUNetModel(width=2, deep_supervision=True))),
        DeepLabSegmentation(DeepLabSettings(model=DeepLabModel(width=8, backbone="resnet18"))),
    ],
    ids=lambda task: type(task).__name__,
)
def test_every_parameter_takes_part_in_a_training_step(task: Segmentation) -> None:
    modules = Modules(task.modules)
    samples = [task.data("train", task.phases()[0])[index] for index in range(2)]
    batch = {name: torch.stack([sample[name] for sample in samples]) for name in samples[0]}
    turns = Turns(modules)
    task.train_step(batch, turns, Step("segment", 0, 0, 0, 0.0))
    assert set(turns.terms) == {"bce", "dice"}
    without = [name for name, parameter in modules.segmenter.named_parameters() if parameter.grad is None]
    assert not without


def test_deep_supervision_is_measured_by_its_last_head() -> None:
    task = nested()
    modules = frozen(task)
    picture = torch.rand(1, 3, 32, 32)
    heads = modules.segmenter(answers.normalised(picture, task.model))
    assert len(heads) == 4
    assert torch.equal(task.predict({"input": picture}, modules)["probability"], heads[-1].sigmoid())


def test_a_level_is_that_head() -> None:
    whole = nested()
    modules = frozen(whole)
    picture = torch.rand(1, 3, 32, 32)
    heads = modules.segmenter(answers.normalised(picture, whole.model))
    pruned = nested(PredictSettings(level=2)).predict({"input": picture}, modules)["probability"]
    assert torch.equal(pruned, heads[1].sigmoid())


def test_a_level_needs_a_deeply_supervised_network() -> None:
    task = nested(PredictSettings(level=2), deep_supervision=False)
    with pytest.raises(UsageError, match="without deep supervision"):
        task.predict({"input": torch.rand(1, 3, 16, 16)}, frozen(task))
    plain = UNetSegmentation(UNetSettings(model=UNetModel(width=2)), PredictSettings(level=2))
    with pytest.raises(UsageError, match="prunes a UNet"):
        plain.predict({"input": torch.rand(1, 3, 16, 16)}, frozen(plain))


@pytest.mark.parametrize(("tta", "count"), [("none", 1), ("flips", 4), ("all", 8)])
def test_test_time_augmentation_looks_at_every_view_and_turns_it_back(tta: str, count: int) -> None:
    seen: list[Tensor] = []

    def itself(pictures: Tensor) -> Tensor:
        seen.append(pictures)
        return pictures

    picture = torch.rand(1, 1, 5, 7)
    assert torch.allclose(answers.turned(itself, tta)(picture), picture)  # type: ignore[arg-type]
    assert len({(view.shape, view.numpy().tobytes()) for view in seen}) == len(seen) == count


def test_with_all_views_the_answer_turns_with_the_picture() -> None:
    task = nested(PredictSettings(tta="all"))
    modules = frozen(task)
    picture = torch.rand(1, 3, 32, 32)
    answer = task.predict({"input": picture}, modules)["probability"]
    turned = task.predict({"input": picture.rot90(1, (-2, -1)).flip(-1)}, modules)["probability"]
    assert torch.allclose(turned, answer.rot90(1, (-2, -1)).flip(-1), atol=1e-6)


def saved(path: Path, task: Segmentation, modules: Modules, name: str = "unet/nested-unet") -> Path:
    return save_weights(path, task=name, model=task.model.model_dump(mode="json"), modules=modules)


def test_an_ensemble_is_the_mean_of_its_members(tmp_path: Path) -> None:
    one = nested()
    other = nested(width=3, mean=[0.1, 0.2, 0.3])
    first, second = frozen(one, 1), frozen(other, 2)
    path = saved(tmp_path / "other.safetensors", other, second)
    picture = {"input": torch.rand(1, 3, 32, 32)}
    both = nested(PredictSettings(ensemble=[path])).predict(picture, first)["probability"]
    mean = (one.predict(picture, first)["probability"] + other.predict(picture, second)["probability"]) / 2
    assert torch.allclose(both, mean)


def test_members_of_an_ensemble_find_the_same_classes(tmp_path: Path) -> None:
    other = nested(classes=["cell"])
    path = saved(tmp_path / "other.safetensors", other, frozen(other))
    task = nested(PredictSettings(ensemble=[path]))
    with pytest.raises(UsageError, match="finds cell, the first weights nucleus"):
        task.predict({"input": torch.rand(1, 3, 16, 16)}, frozen(task))


def test_weights_rebuild_the_task(tmp_path: Path) -> None:
    task = nested()
    modules = frozen(task)
    again, opened = open_weights(saved(tmp_path / "w.safetensors", task, modules), registry.get)
    picture = {"input": torch.rand(1, 3, 20, 28)}
    found = again.predict(picture, opened)["probability"]
    assert torch.equal(found, task.predict(picture, modules)["probability"])


def test_resized_networks_see_their_training_size_and_answer_at_the_pictures() -> None:
    seen: list[tuple[int, ...]] = []

    class Looking(NestedUNet):
        def forward(self, x: Tensor) -> Tensor | list[Tensor]:
            seen.append(tuple(x.shape[-2:]))
            return super().forward(x)

    network = Modules({"segmenter": Looking(width=2).eval()})
    picture = {"input": torch.rand(1, 3, 50, 70)}
    for fit, at, size in (
        ("resize", "auto", (32, 48)),
        ("resize", "native", (50, 70)),
        ("crop", "auto", (50, 70)),
        ("crop", "training", (32, 48)),
    ):
        task = nested(PredictSettings(at=at), fit=fit, size=(32, 48), deep_supervision=False)  # type: ignore[arg-type]
        found = task.predict(picture, network)["probability"]
        assert seen[-1] == size
        assert found.shape == (1, 1, 50, 70)
        assert task.tiling.mode == ("whole" if size == (32, 48) else "blend")


def test_published_checkpoints_give_what_their_own_code_gives() -> None:
    torch.manual_seed(0)
    reference = NestedUNet(width=2, deep_supervision=True).eval().double()
    for module in reference.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            # Statistics of pictures that were divided by 255 twice, as that code trains.
            module.running_mean.normal_(std=0.01)
            module.running_var.uniform_(0.001, 0.01)
    picture = torch.rand(1, 3, 96, 96, dtype=torch.float64)
    mean, std = (
        torch.tensor(values).double().view(3, 1, 1) for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    )
    as_read_there = (picture.flip(1) - mean) / std / 255  # blue, green, red
    state = {f"module.{key}": value for key, value in reference.state_dict().items()}
    model, renamed = from_pytorch_nested_unet(state)
    assert model["classes"] == ["foreground"]
    task = NestedUNetSegmentation(NestedUNetSettings(model=NestedUNetModel(**model)))
    network = task.networks()["segmenter"].double().eval()
    network.load_state_dict({key.removeprefix("segmenter."): value for key, value in renamed.items()})
    with torch.no_grad():
        found = task.predict({"input": picture}, Modules({"segmenter": network}))["probability"]
        expected = reference(as_read_there)[-1].sigmoid()
    assert torch.allclose(found, expected, atol=1e-7)
    assert expected.std() > 0.01


@pytest.mark.parametrize("name", ["unet", "nested-unet"])
def test_a_published_checkpoint_is_imported_whole(tmp_path: Path, name: str) -> None:
    network = UNet(num_classes=2, width=3) if name == "unet" else NestedUNet(num_classes=2, width=3)
    report = import_published(tmp_path, network.state_dict(), name)
    assert report.loaded == len(network.state_dict())
    assert not report.differences
    task, modules = open_weights(report.output, registry.get)
    assert isinstance(task, Segmentation)
    assert task.classes == ("0", "1")
    assert torch.equal(modules.segmenter.get_submodule("conv0_0.conv1").weight.flip(1), network.conv0_0.conv1.weight)


def test_importing_changes_nothing_that_it_does_not_know() -> None:
    model, renamed = from_pytorch_nested_unet({"optimizer": torch.zeros(1)})
    assert model == {"fit": "resize"}
    assert set(renamed) == {"segmenter.optimizer"}


def probability(*levels: float) -> Tensor:
    return torch.tensor(levels).view(-1, 1, 1).expand(-1, 8, 8).clone()


def test_one_class_is_written_as_mask_probability_and_overlay() -> None:
    found = probability(0.3)
    found[0, 2:6, 2:6] = 0.8
    shown = render(found, torch.zeros(3, 8, 8), ModelSettings(classes=NAMES), PredictSettings())
    assert set(shown) == {"", "probability", "overlay"}
    assert shown[""].picture.sum() == 16
    assert torch.equal(shown["probability"].picture, found)
    assert shown["overlay"].picture[:, 2, 2].tolist() == pytest.approx(COLOURS[0])
    assert shown["overlay"].picture[:, 3, 3].tolist() == pytest.approx([0.3 * value for value in COLOURS[0]])
    assert not shown["overlay"].picture[:, 0, 0].any()
    assert {name: kept.depth for name, kept in shown.items()} == {"": False, "probability": True, "overlay": False}
    assert not any(kept.alpha for kept in shown.values())
    strict = render(
        found, torch.zeros(3, 8, 8), ModelSettings(classes=NAMES), PredictSettings(threshold=0.9, write=["mask"])
    )
    assert set(strict) == {""}
    assert not strict[""].picture.any()


def test_overlapping_classes_are_written_one_by_one() -> None:
    shown = render(probability(0.3, 0.7), torch.zeros(1, 8, 8), ModelSettings(classes=["a", "b"]), PredictSettings())
    assert set(shown) == {"a", "b", "probability-a", "probability-b", "overlay"}
    assert not shown["a"].picture.any()
    assert shown["b"].picture.all()


def test_exclusive_classes_are_written_as_numbers() -> None:
    model = ModelSettings(classes=["none", "a", "b"], exclusive=True)
    found = probability(0.2, 0.3, 0.5)
    found[0, :4] = 0.9
    shown = render(found, torch.ones(3, 8, 8), model, PredictSettings(write=["mask", "overlay"]))
    assert (255 * shown[""].picture).round().unique().tolist() == [0, 2]
    assert torch.equal(shown["overlay"].picture[:, :4], torch.ones(3, 4, 8))  # the background is left as it is


def test_outlines_are_the_border_inside_a_region() -> None:
    mask = torch.zeros(1, 7, 7, dtype=torch.bool)
    mask[0, 1:6, 1:6] = True
    border = outlines(mask)
    assert border.sum() == 16
    assert not border[0, 2:5, 2:5].any()
    assert not outlines(torch.ones(1, 4, 4, dtype=torch.bool)).any()
    two = overlay(torch.zeros(3, 7, 7), torch.cat([mask, ~mask]))
    assert two[:, 1, 1].tolist() == pytest.approx(COLOURS[0])
    assert two[:, 0, 1].tolist() == pytest.approx(COLOURS[1])
    assert regions(torch.tensor([0.2, 0.3]).view(2, 1, 1), exclusive=True)[:, 0, 0].tolist() == [False, True]


def test_evaluation_has_a_sweep_and_thresholds() -> None:
    assert next(iter(nested().protocols())) == "overlap"
    swept = nested(EvaluateSettings(sweep=True)).protocols()
    assert next(iter(swept)) == "sweep"
    assert len(swept["sweep"].metrics) == 20
    assert "iou@0.30" in nested(EvaluateSettings(threshold=0.3)).protocols()["overlap"].metrics
    assert nested().phases()[0].monitor in nested().protocols()["overlap"].metrics


def test_otsu_is_measured_beside_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("restore.plugins.unet.sources.VALIDATION_DRAWINGS", 3)
    task = nested()
    baseline = task.baselines()["otsu"]
    pictures = task.evaluation_data(None)
    scores = evaluate(baseline, {}, pictures, baseline.protocols()["overlap"], of="otsu")
    assert 0 < scores.numbers[0].value < 0.9
    assert scores.numbers[0].of == "otsu"
    with pytest.raises(NothingToTrain):
        baseline.train_step({}, None, None)  # type: ignore[arg-type]
    assert not nested(classes=["a", "b"]).baselines()


def test_otsu_takes_the_smaller_side_of_the_threshold() -> None:
    task = Otsu(SegmentationSettings())
    dark = torch.full((1, 3, 8, 8), 0.9)
    dark[..., :2] = 0.1
    for picture in (dark, 1 - dark):
        found = task.predict({"input": picture}, Modules({}))["probability"]
        assert found[..., :2].all()
        assert not found[..., 2:].any()
    assert not task.predict({"input": torch.ones(1, 3, 8, 8)}, Modules({}))["probability"].any()


def test_cases_rank_pictures_without_naming_one_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("restore.plugins.unet.sources.VALIDATION_DRAWINGS", 5)
    task = nested(width=2)
    modules = frozen(task)
    settings = CasesSettings(count=3, output=tmp_path / "cases.html", device="cpu", threshold=0.3)
    worst, best = ranked(NestedUNetSegmentation(task.settings, settings), modules, settings)
    assert (len(worst), len(best)) == (3, 2)
    scores = [case.iou for case in [*worst, *best[::-1]]]
    assert scores == sorted(scores)
    assert len({case.name for case in [*worst, *best]}) == 5
    write_cases(task, modules, settings)
    page = settings.output.read_text()
    assert page.count("<img") == 15
    assert worst[0].name in page
    assert capsys.readouterr().out.strip() == str(settings.output)


def test_the_page_shows_names_as_they_are() -> None:
    assert "<script>" not in page_of([], [], "<script>")


def test_levels_are_cheaper_the_shallower(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("restore.plugins.unet.sources.VALIDATION_DRAWINGS", 2)
    task = nested()
    found = list(levels(task, frozen(task), LevelsSettings(repeats=1, device="cpu")))
    assert [level.level for level in found] == [1, 2, 3, 4]
    parameters = [level.parameters for level in found]
    assert parameters == sorted(parameters)
    assert all(level.milliseconds > 0 and 0 <= level.iou <= 1 for level in found)
    plain = nested(deep_supervision=False)
    with pytest.raises(UsageError, match="deep-supervision"):
        list(levels(plain, frozen(plain), LevelsSettings(repeats=1)))


def test_an_epoch_of_the_drawn_nuclei_is_forty_steps_unless_it_was_set() -> None:
    assert UNetSettings(batch_size=6).decided().samples_per_epoch == 240
    assert UNetSettings(samples_per_epoch=12).decided().samples_per_epoch == 12


def test_settings_refuse_what_cannot_be() -> None:
    with pytest.raises(ValueError, match="2 numbers for 3 channels"):
        ModelSettings(mean=[0.1, 0.2])
    with pytest.raises(ValueError, match="background"):
        ModelSettings(classes=["a"], exclusive=True)
    with pytest.raises(ValueError, match="twice"):
        ModelSettings(classes=["a", "a"])
    with pytest.raises(ValueError, match="cannot be the name of a file"):
        ModelSettings(classes=["a/b"])


def test_settings_and_registration_import_no_torch() -> None:
    code = (
        "import sys, restore.plugins.unet, restore.plugins.unet.settings\n"
        "heavy = {'torch', 'torchvision', 'accelerate', 'skimage', 'scipy'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_registered_name_resolves() -> None:
    for kind in ("tasks", "architectures", "datasets", "losses", "metrics"):
        own = [entry for entry in registry.entries(kind) if entry.plugin == "unet"]
        assert own
        for entry in own:
            assert callable(registry.get(kind, entry.full_name))
