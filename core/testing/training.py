"""How a task trains: whose parameters move, by what, and whether a run can be repeated."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from restore.core.dataset import as_dataset
from restore.core.errors import NothingToTrain
from restore.core.runs.checkpoints import Checkpoint, load_newest
from restore.core.runs.folder import read_config
from restore.core.seeding import seeded
from restore.core.settings import RunSettings
from restore.core.testing.under_test import ContractBroken, TaskUnderTest, require
from restore.core.training.trainer import Trainer


def every_parameter_takes_part_in_its_loss(tested: TaskUnderTest) -> None:
    """A parameter on which no loss of its optimizer depends is never trained, and hangs a run on many processes."""
    if not _trains(tested):
        return
    for update in tested.updates:
        names = ", ".join(update.unused)
        where = f"phase {update.phase}, optimizer {update.optimizer}"
        require(not update.unused, f"{where}: the loss does not depend on {names}")


def an_optimizer_moves_its_own_networks_and_no_other(tested: TaskUnderTest) -> None:
    """Over a phase every optimizer is used, and moves every network that it trains and nothing else."""
    if not _trains(tested):
        return
    for phase in tested.task().phases():
        for optimizer in phase.optimizers:
            updates = [each for each in tested.updates if (each.phase, each.optimizer) == (phase.name, optimizer)]
            where = f"phase {phase.name}, optimizer {optimizer}"
            require(updates, f"{where}: not used once in a run of the tiny settings")
            moved = frozenset[str]().union(*(update.changed for update in updates))
            trained = set(phase.networks_of(optimizer))
            require(moved <= trained, f"{where}: moved {', '.join(moved - trained)}, which it does not train")
            require(trained <= moved, f"{where}: never moved {', '.join(trained - moved)}")


def a_loss_calls_each_trained_network_once(tested: TaskUnderTest) -> None:
    """Several forward passes through a network before its backward pass fail on several GPUs: concatenate inputs."""
    if not _trains(tested):
        return
    for update in tested.updates:
        for network, calls in update.calls.items():
            where = f"phase {update.phase}, optimizer {update.optimizer}"
            require(
                calls <= 1, f"{where}: calls {network} {calls} times; one call on concatenated inputs does the same"
            )


def samples_are_functions_of_their_seed(tested: TaskUnderTest) -> None:
    """Whoever draws a training sample under one seed draws the same; samples have the same tensors, of one size."""
    if not tested.learns:
        return
    task = tested.task()
    for phase in task.phases():
        images = as_dataset(task.dataset("train", phase))
        first, second = (_drawn(images, index=0, seed=5) for _ in range(2))
        other = _drawn(images, index=len(images) - 1, seed=6)
        for name, tensor in first.items():
            require(torch.equal(tensor, second[name]), f"{name!r} draws from another generator than torch's global one")
        shapes = [{name: tuple(tensor.shape) for name, tensor in sample.items()} for sample in (first, other)]
        require(shapes[0] == shapes[1], f"training samples cannot be put in one batch: {shapes[0]} and {shapes[1]}")
        require(images.name(0), "samples have no names")


def a_run_that_was_killed_equals_one_that_was_not(tested: TaskUnderTest) -> None:
    """Killed in the middle of its first and of its last epoch and resumed: every bit and every logged number."""
    if not _trains(tested):
        return
    whole = tested.run
    steps = int(_state(whole).state["progress"]["run_step"])
    killed = tested.train("killed", checkpoint_every="1", stop_at=2)
    tested.train("killed", checkpoint_every="1", stop_at=steps, resume=killed)
    torch.randn(7)  # another process would not have this one's RNG state either
    tested.train("killed", checkpoint_every="1", resume=killed)
    require_same_runs(whole, killed)


def require_same_runs(one: Path, other: Path) -> None:
    """Compare two run folders: last checkpoint and log, but for what a clock says. Raises ContractBroken."""
    first, second = _state(one), _state(other)
    for group in sorted(first.tensors.keys() | second.tensors.keys()):
        left, right = first.tensors[group], second.tensors[group]
        for key in sorted(left.keys() | right.keys()):
            require(torch.equal(left[key], right[key]), f"{group}: {key} differs between {one.name} and {other.name}")
    for key in first.state:
        require(first.state[key] == second.state[key], f"{key}: {first.state[key]} and {second.state[key]}")
    for line, same in zip(_log(one), _log(other), strict=True):
        require(line == same, f"log lines differ: {line} and {same}")


def config_rebuilds_the_settings(tested: TaskUnderTest) -> None:
    """What ``config.yaml`` of a run holds are the settings that it was made with."""
    if not _trains(tested):
        return
    read = tested.task_type.settings_type.model_validate(read_config(tested.run))
    made = tested.settings.model_copy(update={"name": "whole", "checkpoint_every": "1"})
    require(read == made, f"config.yaml gives other settings:\n{read}\n{made}")


def a_classical_method_refuses_to_train(tested: TaskUnderTest) -> None:
    """Training what has nothing to learn is refused in one line, before a folder is made."""
    if tested.learns:
        return
    try:
        Trainer(tested.method_type, RunSettings(out=tested.folder), name=tested.name)
    except NothingToTrain:
        return
    raise ContractBroken("it is registered with trains=False and can be trained all the same")


def _trains(tested: TaskUnderTest) -> bool:
    """Whether there is a run to look at; makes it."""
    return tested.learns and tested.run.is_dir()


def _drawn(images: Any, *, index: int, seed: int) -> dict[str, Tensor]:
    with seeded(seed):
        sample: dict[str, Tensor] = images[index]
    return sample


def _state(run: Path) -> Checkpoint:
    """The newest checkpoint, without times and the length of the log, in which times have digits."""
    _, checkpoint = load_newest(run / "checkpoints", damaged=_refuse)
    progress = {key: value for key, value in checkpoint.state["progress"].items() if key != "seconds"}
    state = {key: value for key, value in checkpoint.state.items() if key != "log"}
    return Checkpoint(checkpoint.tensors, {**state, "progress": progress})


def _refuse(message: str) -> None:
    raise ContractBroken(message)


def _log(run: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text("utf-8").splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


CHECKS: tuple[Callable[[TaskUnderTest], None], ...] = (
    every_parameter_takes_part_in_its_loss,
    an_optimizer_moves_its_own_networks_and_no_other,
    a_loss_calls_each_trained_network_once,
    samples_are_functions_of_their_seed,
    a_run_that_was_killed_equals_one_that_was_not,
    config_rebuilds_the_settings,
    a_classical_method_refuses_to_train,
)
