"""Whether two runs are the same, bit for bit: what their last checkpoints and their logs hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from restore.core.runs.checkpoints import Checkpoint, load_newest


def final_state(folder: Path) -> tuple[Checkpoint, list[dict[str, Any]]]:
    """The last checkpoint and every log line, but for what a clock says."""
    _, checkpoint = load_newest(folder / "checkpoints", damaged=pytest.fail)
    checkpoint.state["progress"].pop("seconds")
    checkpoint.state.pop("log")  # a position in bytes, and times have digits
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text("utf-8").splitlines()]
    for line in lines:
        assert list(line)[-1] == "seconds"
        del line["seconds"]
    return checkpoint, lines


def assert_same_run(one: Path, other: Path) -> None:
    """Compare weights, optimizers, averages, random states and the log."""
    (first, first_log), (second, second_log) = final_state(one), final_state(other)
    assert first.state == second.state
    assert first_log == second_log
    for group, tensors in first.tensors.items():
        assert tensors.keys() == second.tensors[group].keys()
        for name, tensor in tensors.items():
            assert torch.equal(tensor, second.tensors[group][name]), f"{group}/{name}"
