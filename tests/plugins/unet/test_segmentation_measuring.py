"""Sweeps, Otsu's threshold, pages of cases and the levels of a UNet++."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image
from small_segmentation import frozen, nested

from restore.core.errors import UsageError
from restore.core.evaluation import evaluate
from restore.core.networks import Networks
from restore.core.task import Task
from restore.plugins.unet.cases import rank_cases, render_cases, write_cases
from restore.plugins.unet.levels import compare_levels, levels
from restore.plugins.unet.options import CasesSettings, LevelsSettings, SegmentationEvaluateOptions
from restore.plugins.unet.otsu import Otsu
from restore.plugins.unet.settings import SegmentationSettings


def test_evaluation_has_a_sweep_and_thresholds() -> None:
    assert nested().default_protocol == "overlap"
    swept = nested(evaluate=SegmentationEvaluateOptions(sweep=True))
    assert swept.default_protocol == "sweep"
    assert len(swept.protocols()["sweep"]) == 20
    assert "iou@0.30" in nested(evaluate=SegmentationEvaluateOptions(threshold=0.3)).protocols()["overlap"]
    assert nested().phases()[0].monitor in nested().training_protocol


def test_otsu_is_measured_beside_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("restore.plugins.unet.data.splits.VALIDATION_DRAWINGS", 3)
    task = nested()
    baseline = task.baselines()["otsu"]
    images = task.evaluation_data(None)
    scores = evaluate(baseline, {}, images, baseline.protocols()["overlap"], of="otsu")
    assert 0 < scores.numbers[0].value < 0.9
    assert scores.numbers[0].of == "otsu"
    assert not isinstance(baseline, Task)
    assert not nested(classes=["a", "b"]).baselines()


def test_otsu_takes_the_smaller_side_of_the_threshold() -> None:
    task = Otsu(SegmentationSettings())
    dark = torch.full((1, 3, 8, 8), 0.9)
    dark[..., :2] = 0.1
    for image in (dark, 1 - dark):
        found = task.predict({"input": image}, Networks({}))["probability"]
        assert found[..., :2].all()
        assert not found[..., 2:].any()
    assert not task.predict({"input": torch.ones(1, 3, 8, 8)}, Networks({}))["probability"].any()


def test_cases_rank_images_without_naming_one_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("restore.plugins.unet.data.splits.VALIDATION_DRAWINGS", 5)
    task = nested(channels=2)
    networks = frozen(task)
    settings = CasesSettings(count=3, output=tmp_path / "cases.html", device="cpu", threshold=0.3)
    worst, best = rank_cases(task, networks, settings, torch.device("cpu"))
    assert (len(worst), len(best)) == (3, 2)
    scores = [case.iou for case in [*worst, *best[::-1]]]
    assert scores == sorted(scores)
    assert len({case.name for case in [*worst, *best]}) == 5
    write_cases(task, networks, settings)
    page = settings.output.read_text()
    assert page.count("<img") == 15
    assert worst[0].name in page
    assert capsys.readouterr().out.strip() == str(settings.output)
    with pytest.raises(UsageError, match=r"cases.html: already exists"):
        write_cases(task, networks, settings)


def test_the_page_shows_names_as_they_are() -> None:
    assert "<script>" not in render_cases([], [], "<script>")


def test_levels_are_measured_on_the_images_that_are_asked_for(tmp_path: Path) -> None:
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    for name, inside in (("all", 255), ("nothing", 0)):
        Image.new("RGB", (32, 32)).save(tmp_path / "images" / f"{name}.png")
        Image.new("L", (32, 32), inside).save(tmp_path / "masks" / f"{name}.png")
    (tmp_path / "names.txt").write_text("all\n")
    task = nested(size=(32, 32))
    networks = frozen(task)
    for name in networks.segmenter.heads:
        networks.segmenter.get_submodule(name).bias.fill_(99.0)  # everything is found everywhere
    for names, iou in ((None, 0.5), (tmp_path / "names.txt", 1.0)):
        settings = LevelsSettings(repeats=1, device="cpu", data=tmp_path, list_file=names)
        assert [level.iou for level in levels(task, networks, settings)] == [iou] * 4


def test_levels_are_cheaper_the_shallower(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("restore.plugins.unet.data.splits.VALIDATION_DRAWINGS", 2)
    task = nested()
    found = list(levels(task, frozen(task), LevelsSettings(repeats=1, device="cpu")))
    assert [level.level for level in found] == [1, 2, 3, 4]
    parameters = [level.parameters for level in found]
    assert parameters == sorted(parameters)
    assert all(level.milliseconds > 0 and 0 <= level.iou <= 1 for level in found)
    plain = nested(deep_supervision=False)
    with pytest.raises(UsageError, match="deep-supervision"):
        compare_levels(plain, frozen(plain), LevelsSettings(repeats=1))
    assert not capsys.readouterr().out
    compare_levels(task, frozen(task), LevelsSettings(repeats=1, device="cpu"))
    heading, *rows = capsys.readouterr().out.splitlines()
    assert heading.startswith("level")
    assert [row.split()[0] for row in rows] == ["L1", "L2", "L3", "L4"]
