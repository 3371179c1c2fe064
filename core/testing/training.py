"""Checks of training: which optimizer changes which parameters, and whether a run is reproducible."""

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
    """The loss depends on every parameter of its optimizer; others never train and hang a run on many processes."""
    if not tested.trains:
        return
    for update in tested.updates:
        names = ", ".join(update.unused)
        where = f"phase {update.phase}, optimizer {update.optimizer}"
        require(not update.unused, f"{where}: the loss does not depend on {names}")


def an_optimizer_moves_its_own_networks_and_no_other(tested: TaskUnderTest) -> None:
    """In each phase every optimizer steps, and changes every network that it trains and no other."""
    if not tested.trains:
        return
    for phase in tested.task().phases():
        for optimizer in phase.optimizers:
            updates = [each for each in tested.updates if (each.phase, each.optimizer) == (phase.name, optimizer)]
            where = f"phase {phase.name}, optimizer {optimizer}"
            require(updates, f"{where}: never stepped in a run of the tiny settings")
            moved = frozenset[str]().union(*(update.changed for update in updates))
            trained = set(phase.networks_of(optimizer))
            require(moved <= trained, f"{where}: changed {', '.join(moved - trained)}, which it does not train")
            require(trained <= moved, f"{where}: never changed {', '.join(trained - moved)}")


def a_loss_calls_each_trained_network_once(tested: TaskUnderTest) -> None:
    """A loss function calls each trained network at most once; more calls before backward fail on several GPUs."""
    if not tested.trains:
        return
    for update in tested.updates:
        for network, calls in update.calls.items():
            where = f"phase {update.phase}, optimizer {update.optimizer}"
            require(calls <= 1, f"{where}: calls {network} {calls} times; concatenate the inputs and call it once")


def samples_are_functions_of_their_seed(tested: TaskUnderTest) -> None:
    """A training sample depends on its seed only; all samples have the same tensors in the same sizes."""
    if not tested.learns:
        return
    task = tested.task()
    for phase in task.phases():
        images = as_dataset(task.dataset("train", phase))
        first, second = (_draw(images, index=0, seed=5) for _ in range(2))
        other = _draw(images, index=len(images) - 1, seed=6)
        for name, tensor in first.items():
            require(torch.equal(tensor, second[name]), f"{name!r} does not use torch's global random generator")
        shapes = [{name: tuple(tensor.shape) for name, tensor in sample.items()} for sample in (first, other)]
        require(shapes[0] == shapes[1], f"training samples do not fit in one batch: {shapes[0]} and {shapes[1]}")
        require(images.name(0), "samples have no names")


def a_run_that_was_killed_equals_one_that_was_not(tested: TaskUnderTest) -> None:
    """A run killed within its first and its last epoch and resumed is bit-for-bit equal to an uninterrupted one."""
    if not tested.trains:
        return
    whole = tested.run
    steps = int(_state(whole).state["progress"]["run_step"])
    killed = tested.train("killed", checkpoint_every="1", stop_at=2)
    tested.train("killed", checkpoint_every="1", stop_at=steps, resume=killed)
    torch.randn(7)  # a new process would have another RNG state too
    tested.train("killed", checkpoint_every="1", resume=killed)
    require_same_runs(whole, killed)


def require_same_runs(one: Path, other: Path) -> None:
    """Compare last checkpoint and log of two run folders, except for times. Raises ContractBroken."""
    first, second = _state(one), _state(other)
    for group in sorted(first.tensors.keys() | second.tensors.keys()):
        left, right = first.tensors[group], second.tensors[group]
        for key in sorted(left.keys() | right.keys()):
            require(torch.equal(left[key], right[key]), f"{group}: {key} differs between {one.name} and {other.name}")
    for key in first.state:
        require(first.state[key] == second.state[key], f"{key} differs: {first.state[key]} and {second.state[key]}")
    for line, same in zip(_log(one), _log(other), strict=True):
        require(line == same, f"log lines differ: {line} and {same}")


def config_rebuilds_the_settings(tested: TaskUnderTest) -> None:
    """``config.yaml`` of a run contains the settings of the run."""
    if not tested.trains:
        return
    read = tested.task_type.settings_type.model_validate(read_config(tested.run))
    made = tested.settings.model_copy(update={"name": "whole", "checkpoint_every": "1"})
    require(read == made, f"config.yaml contains other settings than the run has:\n{read}\n{made}")


def a_classical_method_refuses_to_train(tested: TaskUnderTest) -> None:
    """A classical method refuses to train, with a message of one line, before a folder is made."""
    if tested.learns:
        return
    try:
        Trainer(tested.method_type, RunSettings(out=tested.folder), name=tested.name)
    except NothingToTrain:
        return
    raise ContractBroken("the method is registered with trains=False, but training it is not refused")


def _draw(images: Any, *, index: int, seed: int) -> dict[str, Tensor]:
    with seeded(seed):
        sample: dict[str, Tensor] = images[index]
    return sample


def _state(run: Path) -> Checkpoint:
    """Return the newest checkpoint, without times and without the length of the log, which depends on them."""
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
