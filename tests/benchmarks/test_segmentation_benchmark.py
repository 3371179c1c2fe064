"""The benchmark of segmentation: a table that can be broken off, and a part of it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from restore.core.events import Event, RunStarted, StepDone
from restore.core.settings import RunSettings
from restore.core.training.trainer import Trainer
from restore.plugins.unet.task import NestedUNetSegmentation


@pytest.fixture(scope="module")
def benchmark(load_benchmark: Callable[[str], ModuleType]) -> ModuleType:
    return load_benchmark("segmentation")


@pytest.fixture
def trained(benchmark: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The runs that were trained, by task and seed; no run takes any time, and the third one fails."""
    runs: list[tuple[str, int]] = []

    def train(task_name: str, run: dict[str, Any], folder: Path | None = None) -> tuple[dict[str, float], float]:
        runs.append((task_name, run["seed"]))
        if len(runs) == 3:
            raise KeyboardInterrupt
        return dict.fromkeys(benchmark.SCORES, 0.5 + run["seed"] / 100), 60.0

    monkeypatch.setattr(benchmark, "train", train)
    return runs


BASE: dict[str, Any] = {"data": Path("nuclei"), "epochs": 2, "out": Path("runs"), "precision": "fp32"}


def test_a_broken_off_table_goes_on_where_it_was(
    benchmark: ModuleType, trained: list[tuple[str, int]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows, kept = benchmark.chosen(None, BASE, None), tmp_path / "kept.json"
    with pytest.raises(KeyboardInterrupt):
        benchmark.table(rows, [1, 2], benchmark.Results(kept))
    assert capsys.readouterr().out.splitlines()[2:] == ["| UNet | " + "0.5150 ± 0.0071 | " * 3 + "1.0 |"]
    assert [entry["run"]["seed"] for entry in json.loads(kept.read_text("utf-8"))] == [1, 2]
    benchmark.table(rows, [1, 2], benchmark.Results(kept))
    assert len(capsys.readouterr().out.splitlines()) == 2 + 3
    assert trained[3:] == [("unet/nested-unet", seed) for seed in (1, 2, 1, 2)]
    benchmark.table(rows, [1, 2], benchmark.Results(kept))
    assert len(trained) == 7


def test_a_run_that_was_broken_off_goes_on_in_the_middle(
    benchmark: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("restore.plugins.unet.data.splits.TRAIN_DRAWINGS", 4)
    monkeypatch.setattr("restore.plugins.unet.data.splits.VALIDATION_DRAWINGS", 2)
    monkeypatch.setattr(benchmark, "SCORES", ("iou",))
    run = NestedUNetSegmentation.tiny_settings(epochs=3, out=tmp_path).model_dump(exclude_unset=True)

    def break_off(event: Event) -> None:
        if isinstance(event, StepDone) and event.epoch == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(benchmark, "Trainer", partial(Trainer, listeners=[break_off]))
        with pytest.raises(KeyboardInterrupt):
            benchmark.Results(tmp_path / "kept.json").of("row", "unet/nested-unet", run)
    began: list[int | None] = []

    def note(event: Event) -> None:
        if isinstance(event, RunStarted):
            began.append(event.resumed_at)

    monkeypatch.setattr(benchmark, "Trainer", partial(Trainer, listeners=[note]))
    scores, _ = benchmark.Results(tmp_path / "kept.json").of("row", "unet/nested-unet", run)
    whole, _ = benchmark.Results(None).of("row", "unet/nested-unet", run)
    assert scores == whole
    assert began[0]
    assert began[1] is None


def test_a_run_with_other_settings_is_another_run(
    benchmark: ModuleType, trained: list[tuple[str, int]], tmp_path: Path
) -> None:
    for epochs in (2, 3):
        rows = benchmark.chosen(None, {**BASE, "epochs": epochs}, ["UNet"])
        benchmark.table(rows, [1], benchmark.Results(tmp_path / "kept.json"))
    elsewhere = benchmark.chosen(None, {**BASE, "out": tmp_path}, ["UNet"])
    benchmark.table(elsewhere, [1], benchmark.Results(tmp_path / "kept.json"))  # where it is written does not matter
    assert len(trained) == 2


def test_speed_is_taken_of_runs_that_leave_nothing_behind(
    benchmark: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(benchmark, "_loop", lambda *_: [9.0, 9.0, 3.0])
    seen: list[Path] = []

    def engine(_: type[NestedUNetSegmentation], run: RunSettings) -> list[float]:
        (run.out / "run").mkdir()
        seen.append(run.out)
        return [9.0, 9.0, 2.0]

    monkeypatch.setattr(benchmark, "_engine", engine)
    benchmark.speed(rounds=2, steps=3)
    assert "1.50 x as fast" in capsys.readouterr().out
    assert [out.parent for out in seen] == [tmp_path] * 2
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", ["{", '{"label": 1}', '[{"label": "UNet"}]', "3"])
def test_a_file_of_something_else_is_left_alone(benchmark: ModuleType, tmp_path: Path, content: str) -> None:
    (tmp_path / "kept.json").write_text(content)
    with pytest.raises(SystemExit, match="holds no results of this benchmark"):
        benchmark.Results(tmp_path / "kept.json")
    assert (tmp_path / "kept.json").read_text() == content


def test_a_row_of_the_ladder_keeps_the_changes_above_it_when_it_is_chosen_alone(benchmark: ModuleType) -> None:
    every, alone = (benchmark.chosen("UNet", BASE, only) for only in (None, ["elastic deformation"]))
    assert list(alone) == ["elastic deformation"]
    assert alone["elastic deformation"] == every["elastic deformation"]
    assert every["elastic deformation"][1]["loss"] == "unet/bce-dice"


def test_another_width_is_that_of_every_row(benchmark: ModuleType) -> None:
    base, supervised = {**BASE, "model": {"channels": 16}}, {"channels": 16, "deep_supervision": True}
    networks = benchmark.chosen(None, base, None)
    assert [run["model"] for _, run in networks.values()] == [{"channels": 16}, {"channels": 16}, supervised]
    ladder = benchmark.chosen("UNet++ deep supervision", base, None)
    assert all(run["model"] == supervised for _, run in ladder.values())


def test_a_row_that_there_is_not_is_refused_with_those_that_there_are(benchmark: ModuleType) -> None:
    with pytest.raises(SystemExit, match=r"no row is called UNet\+\+\+; there are: UNet, "):
        benchmark.chosen(None, BASE, ["UNet", "UNet+++"])


def test_levels_are_measured_on_what_a_run_held_out(
    benchmark: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("restore.plugins.unet.data.splits.TRAIN_DRAWINGS", 4)
    monkeypatch.setattr("restore.plugins.unet.data.splits.VALIDATION_DRAWINGS", 2)
    model = {"deep_supervision": True, "channels": 2, "depth": 2}
    settings = NestedUNetSegmentation.tiny_settings(model=model, epochs=1, out=tmp_path, name="run").resolved()
    Trainer(NestedUNetSegmentation, settings, name="unet/nested-unet").fit()
    capsys.readouterr()
    benchmark.compare_levels(tmp_path / "run", None, repeats=2)
    heading, _, *rows = capsys.readouterr().out.splitlines()
    assert "time of L2" in heading
    assert [row.split(" | ")[0] for row in rows] == ["| L1", "| L2"]
    assert rows[-1].split(" | ")[2] == "1.000"
