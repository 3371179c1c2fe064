"""A checkpoint appears whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import SafetensorError
from torch import nn

from restore.core.errors import CheckpointError, RestoreError
from restore.core.runs import checkpoints
from restore.core.runs.checkpoints import Checkpoint, flatten_optimizer, load, load_newest, restore_optimizer, save
from restore.core.training.progress import CheckpointClock, Progress
from restore.core.weights.tensors import load_exactly, named_tensors, write_tensors


def checkpoint(value: float) -> Checkpoint:
    return Checkpoint({"networks": {"net.weight": torch.full((3,), value)}, "empty": {}}, {"value": value})


def test_what_is_saved_is_read_back(tmp_path: Path) -> None:
    path = save(tmp_path, 5, checkpoint(2.0), keep=2)
    read = load(path)
    assert path.name == "step-000000005"
    assert torch.equal(read.tensors["networks"]["net.weight"], torch.full((3,), 2.0))
    assert read.tensors["empty"] == {}
    assert read.state == {"value": 2.0}


def test_the_newest_are_kept_and_a_step_may_be_saved_again(tmp_path: Path) -> None:
    for step in (1, 2, 2, 10):
        save(tmp_path, step, checkpoint(step), keep=3)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "step-000000002",
        "step-000000002.001",
        "step-000000010",
    ]
    assert load_newest(tmp_path, damaged=pytest.fail)[0].name == "step-000000010"


@pytest.mark.parametrize("keep", [1, 2])
def test_what_was_saved_last_is_newest_however_often_its_step_was_saved(tmp_path: Path, keep: int) -> None:
    for value in range(6):
        path = save(tmp_path, 7, checkpoint(value), keep=keep)
        assert load_newest(tmp_path, damaged=pytest.fail)[1].state == {"value": value}
        assert path.is_dir()
    assert len(list(tmp_path.iterdir())) == keep


def test_a_damaged_checkpoint_does_not_push_out_good_ones(tmp_path: Path) -> None:
    for step in (4, 6, 8):
        save(tmp_path, step, checkpoint(step), keep=3)
    (tmp_path / "step-000000008" / "manifest.json").write_text("{")
    save(tmp_path, 7, checkpoint(7), keep=1)
    (tmp_path / "step-000000007.copy").mkdir()  # somebody's own
    save(tmp_path, 7, checkpoint(77), keep=1)
    assert load_newest(tmp_path, damaged=lambda message: None)[1].state == {"value": 77}


@pytest.mark.parametrize("failing", ["write_tensors", "fsync", "Path.rename"])
def test_a_full_disk_keeps_the_earlier_checkpoints(
    failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path, 1, checkpoint(1), keep=2)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(*((Path, "rename") if failing == "Path.rename" else (checkpoints, failing)), full)
    with pytest.raises(
        RestoreError, match=r"cannot write the checkpoint of step 2.*the disk is full.*earlier checkpoints are kept"
    ):
        save(tmp_path, 2, checkpoint(2), keep=2)
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["step-000000001"]
    assert load_newest(tmp_path, damaged=pytest.fail)[1].state == {"value": 1}


def test_leftovers_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    (tmp_path / ".writing-step-000000003").mkdir()
    save(tmp_path, 4, checkpoint(4), keep=1)
    assert [path.name for path in tmp_path.iterdir()] == ["step-000000004"]


@pytest.mark.parametrize("damage", ["flip", "truncate", "remove", "manifest", "state"])
def test_damage_is_noticed_and_named(damage: str, tmp_path: Path) -> None:
    save(tmp_path, 1, checkpoint(1), keep=2)
    path = save(tmp_path, 2, checkpoint(2), keep=2)
    file = path / "networks.safetensors"
    match damage:
        case "flip":
            file.write_bytes(file.read_bytes()[:-1] + b"\x55")
        case "truncate":
            os.truncate(file, 10)
        case "remove":
            file.unlink()
        case "manifest":
            (path / "manifest.json").write_text("[]")
        case "state":
            (path / "state.json").write_text("")
    messages: list[str] = []
    found, _ = load_newest(tmp_path, damaged=messages.append)
    assert found.name == "step-000000001"
    assert len(messages) == 1
    assert "step-000000002 is damaged" in messages[0]


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd", "rmsprop"])
def test_an_optimizer_goes_on_where_it_was(name: str) -> None:
    from restore.core.optimizer_settings import OptimizerSettings
    from restore.core.training.optimizers import make_optimizer

    def trained(steps: int, module: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        for step in range(steps):
            module(torch.full((2, 3, 4, 4), float(step))).square().mean().backward()
            optimizer.step()
            optimizer.zero_grad()

    settings = OptimizerSettings.model_validate({"name": name, "lr": 0.1, "lr_factors": {"bias": 0.5}})
    torch.manual_seed(0)
    first = nn.Conv2d(3, 2, 3).to(memory_format=torch.channels_last)
    optimizer = make_optimizer(settings, first.named_parameters())
    trained(3, first, optimizer)
    second = nn.Conv2d(3, 2, 3).to(memory_format=torch.channels_last)
    second.load_state_dict(first.state_dict())
    other = make_optimizer(settings, second.named_parameters())
    tensors, plain = flatten_optimizer("net", optimizer.state_dict())
    restore_optimizer("net", other, {"discriminator/0/step": torch.zeros(()), **tensors}, plain)
    trained(3, first, optimizer)
    trained(3, second, other)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_networks_of_another_shape_are_refused() -> None:
    saved = named_tensors({"net": nn.Linear(2, 2)})
    with pytest.raises(CheckpointError, match=r"misshapen: net\.weight is \(2, 2\), not \(2, 3\)"):
        load_exactly({"net": nn.Linear(3, 2)}, saved, "the checkpoint", CheckpointError)


@pytest.mark.parametrize(
    ("every", "step", "epoch", "end", "due"),
    [
        ("3", 6, 0, False, True),
        ("3", 7, 0, False, False),
        ("2e", 9, 2, True, True),
        ("2e", 9, 2, False, False),
        ("2e", 9, 3, True, False),
        ("10m", 1, 1, True, False),
    ],
)
def test_a_checkpoint_is_due_by_steps_epochs_or_time(every: str, step: int, epoch: int, end: bool, due: bool) -> None:
    assert CheckpointClock(every).due(Progress(run_step=step, epoch=epoch), end_of_epoch=end) is due


def test_a_checkpoint_is_due_when_its_time_has_come(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = CheckpointClock("30s")
    now = clock.last
    monkeypatch.setattr("restore.core.training.progress.time.monotonic", lambda: now + 31)
    assert clock.due(Progress(), end_of_epoch=False)
    clock.mark_saved()
    assert not clock.due(Progress(), end_of_epoch=False)
    with pytest.raises(ValueError, match="10m"):
        CheckpointClock("soon")


def test_a_full_disk_is_the_systems_error_whatever_the_library_makes_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr("restore.core.weights.tensors.save_file", full)
    with pytest.raises(OSError, match="No space left") as refused:
        write_tensors(tmp_path / "file", {"weight": torch.zeros(1)})
    assert refused.value.errno == errno.ENOSPC


@pytest.mark.parametrize(
    "words", ["I/O error: No space left on device (os error 28)", "IoError(Os { code: 28, kind: StorageFull })"]
)
def test_a_full_disk_is_the_systems_error_in_the_words_of_every_version_of_safetensors(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise SafetensorError(f"Error while serializing: {words}")

    monkeypatch.setattr("restore.core.weights.tensors.save_file", refuse)
    with pytest.raises(OSError, match="No space left") as caught:
        write_tensors(tmp_path / "file", {"weight": torch.zeros(1)})
    assert caught.value.errno == errno.ENOSPC


def test_a_folder_that_is_gone_is_the_systems_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        write_tensors(tmp_path / "gone" / "file", {"weight": torch.zeros(1)})
