"""Trackers get the numbers, samples and settings of a run; one that is missing is named before anything is made."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from accelerate.tracking import LOGGER_TYPE_TO_CLASS, GeneralTracker
from accelerate.utils import LoggerType
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from toy_tasks import Fixed, OneNetwork, toy_settings

from restore.core.errors import UsageError
from restore.core.events import Event, StepDone
from restore.core.runs import experiment_trackers
from restore.core.training.trainer import Trainer


class WithBaseline(OneNetwork):
    def baselines(self) -> dict[str, Fixed]:
        return {"invert": Fixed(self.settings)}


@pytest.fixture
def wandb(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What a module called wandb was told; it uploads nothing."""
    told: list[tuple[Any, ...]] = []

    class Run:
        def log(self, values: dict[str, Any], step: int) -> None:
            told.append(("log", values, step))

        def finish(self) -> None:
            told.append(("finish",))

    class Config:
        def update(self, values: dict[str, Any], **options: Any) -> None:
            told.append(("config", values))

    def init(**options: Any) -> Run:
        told.append(("init", options))
        return Run()

    module = ModuleType("wandb")
    vars(module).update(init=init, config=Config(), Image=lambda image: image.size)
    monkeypatch.setitem(sys.modules, "wandb", module)
    monkeypatch.setattr(experiment_trackers, "get_available_trackers", lambda: [LoggerType.WANDB])
    return told


def read_board(folder: Path) -> EventAccumulator:
    board = EventAccumulator(str(folder / "tensorboard"))
    return board.Reload()


def test_tensorboard_gets_what_the_log_has(tmp_path: Path) -> None:
    settings = toy_settings(tmp_path, name="run", log_every=2)
    Trainer(WithBaseline, settings, name="toy/toy").fit()
    lines = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    board = read_board(tmp_path / "run")
    losses = [(line["step"], line["net/mse"]) for line in lines if line["kind"] == "train"]
    assert [(e.step, e.value) for e in board.Scalars("train/net/mse")] == [
        (step, pytest.approx(value)) for step, value in losses
    ]
    measured = [(line["step"], line["metrics"][0]["value"]) for line in lines if line["kind"] == "validation"]
    assert [(e.step, e.value) for e in board.Scalars("validation/mse (mean over pixels)")] == [
        (step, pytest.approx(value)) for step, value in measured
    ]
    assert [image.step for image in board.Images("samples")] == [4, 8]
    assert b"optimizer.lr: 0.01" in board.Tensors("settings/text_summary")[0].tensor_proto.string_val[0]


def test_a_resumed_run_goes_on_in_tensorboard_where_its_checkpoint_was(tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    def kill(event: Event) -> None:
        if isinstance(event, StepDone) and event.run_step == 7:
            raise Killed

    settings = toy_settings(tmp_path, name="run", log_every=1)
    with pytest.raises(Killed):
        Trainer(OneNetwork, settings, name="toy/toy", listeners=[kill]).fit()
    Trainer(OneNetwork, settings, name="toy/toy", resume=tmp_path / "run").fit()
    assert [event.step for event in read_board(tmp_path / "run").Scalars("train/net/mse")] == list(range(1, 9))


def test_another_tracker_is_given_the_run_under_its_name(tmp_path: Path, wandb: list[tuple[Any, ...]]) -> None:
    settings = toy_settings(tmp_path, name="run", track=("wandb", "wandb"), track_project="thesis", log_every=4)
    Trainer(WithBaseline, settings, name="toy/toy").fit()
    folder = tmp_path / "run"
    assert not (folder / "tensorboard").exists()
    assert wandb[0] == ("init", {"project": "thesis", "name": "run", "dir": str(folder)})
    (config,) = [told[1] for told in wandb if told[0] == "config"]
    assert (config["optimizer.lr"], config["epochs"], config["model.width"]) == (0.01, 2, 4)
    logged = [(list(values), step) for _, values, step in (told for told in wandb if told[0] == "log")]
    numbers = ["train/net/mse", "train/net/gradient", "train/net/lr"]
    assert [(sorted(names), step) for names, step in logged] == [
        (sorted(names), step)
        for step in (4, 8)
        for names in (numbers, ["validation/mse mean over pixels"], ["samples"])
    ]
    assert wandb[-1] == ("finish",)


def test_a_tracker_that_cannot_start_does_not_end_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Offline(GeneralTracker):
        name, requires_logging_directory, tracker = "offline", False, None

        def __init__(self, project: str) -> None:
            raise ConnectionError("no network")

    monkeypatch.setitem(LOGGER_TYPE_TO_CLASS, "offline", Offline)
    settings = toy_settings(tmp_path, name="run", track=("offline", "tensorboard"), epochs=1)
    with caplog.at_level(logging.WARNING):
        Trainer(OneNetwork, settings, name="toy/toy").fit()
    (line,) = [r.getMessage() for r in caplog.records if "offline" in r.getMessage()]
    assert line.startswith("The tracker offline failed at RunStarted and is not called again in this run: Connection")
    assert read_board(tmp_path / "run").Scalars("train/net/mse")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tensorbord", "--track tensorbord: no such tracker; available: aim, "),
        ("comet_ml", "--track comet_ml: its package is not installed here: pip install comet_ml"),
    ],
)
def test_a_tracker_that_is_missing_is_named_before_a_folder_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, message: str
) -> None:
    monkeypatch.setattr(experiment_trackers, "get_available_trackers", lambda: [LoggerType.TENSORBOARD])
    with pytest.raises(UsageError, match=f"^{message}"):
        Trainer(OneNetwork, toy_settings(tmp_path / "out", track=(name,)), name="toy/toy").fit()
    assert not (tmp_path / "out").exists()


def test_no_tracker_is_used_if_none_is_wanted(tmp_path: Path) -> None:
    Trainer(OneNetwork, toy_settings(tmp_path, name="run", track=(), epochs=1), name="toy/toy").fit()
    assert not (tmp_path / "run/tensorboard").exists()
