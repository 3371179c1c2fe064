"""The history of a run tells its starts, its warnings and its end."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from toy_tasks import OneNetwork, ToySettings

from restore.core.events import Event, StepDone
from restore.core.runs.history import read_history
from restore.core.training.trainer import Trainer


class Anxious(OneNetwork):
    """Warns of what it logs, and logs a warning of its own."""

    def health(self, numbers: Any) -> str:
        logging.getLogger("restore.toy").warning("a module warns")
        return "the loss is high; lower --optimizer.lr"


def settings(tmp_path: Path, **values: Any) -> ToySettings:
    return ToySettings(out=tmp_path, name="run", track=(), **values)


def kinds(run: Path) -> list[str]:
    return [line["kind"] for line in read_history(run)]


def test_a_run_records_its_start_each_warning_once_and_its_end(tmp_path: Path) -> None:
    Trainer(Anxious, settings(tmp_path, seed=3), name="toy/anxious").fit()
    start, *warnings, end = read_history(tmp_path / "run")
    assert (start["kind"], start["device"], start["train_images"]) == ("started", "cpu", 6)
    assert [(each["name"], each["words"]) for each in start["changed"] if each["given"]] == [
        ("seed", ["--seed", "3"]),
        ("track", ["--track", "none"]),
    ]
    assert start["metrics"] == [{"name": "mse", "convention": "mean over pixels", "better": "lower"}]
    assert {line["message"] for line in warnings} == {"a module warns", "the loss is high; lower --optimizer.lr"}
    assert len(warnings) == 2
    assert (end["kind"], end["step"]) == ("finished", 8)


def test_a_failure_is_recorded_and_a_resume_adds_to_the_history(tmp_path: Path) -> None:
    class Broken(OneNetwork):
        def health(self, numbers: Any) -> str:
            if broken:
                raise RuntimeError("no disk")
            return ""

    broken = False

    def breaks(event: Event) -> None:
        nonlocal broken
        broken = broken or (isinstance(event, StepDone) and event.run_step > 4)

    with pytest.raises(RuntimeError):
        Trainer(Broken, settings(tmp_path), name="toy/broken", listeners=[breaks]).fit()
    failed = read_history(tmp_path / "run")[-1]
    assert (failed["kind"], failed["error"]) == ("failed", "RuntimeError: no disk")
    Trainer(OneNetwork, ToySettings(epochs=3), name="toy/broken", resume=tmp_path / "run").fit()
    told = kinds(tmp_path / "run")
    assert [kind for kind in told if kind != "warning"] == ["started", "failed", "started", "finished"]
    resumed = read_history(tmp_path / "run")[2]
    assert resumed["resumed_at"] == 4
    assert [each["name"] for each in resumed["changed"]] == ["epochs"]


def test_damaged_lines_of_a_history_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "history.jsonl").write_bytes(b'{"kind":"started"}\n{"kind":\n[1]\n\xff\n{"kind":"finished"}\n')
    assert kinds(tmp_path) == ["started", "finished"]
    assert read_history(tmp_path / "nowhere") == []
