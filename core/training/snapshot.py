"""Everything that a run goes on from, as a checkpoint and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from torch import Tensor, nn

from restore.core.chance import random_states, restore_random_states
from restore.core.errors import CheckpointError
from restore.core.records.checkpoints import Checkpoint, flatten_optimizer, restore_optimizer
from restore.core.training.averaging import Averages
from restore.core.training.progress import Progress
from restore.core.training.turns import Turns


def take(
    accelerator: Accelerator,
    modules: Mapping[str, nn.Module],
    averages: Averages | None,
    turns: Turns,
    progress: Progress,
    about: Mapping[str, Any],
) -> Checkpoint:
    """The state of a run between two optimizer steps; every process must call it, the main one's result counts.

    Args:
        accelerator: the processes.
        modules: every trained network, raw.
        averages: their moving averages.
        turns: optimizers, gradient scalers and partial log averages of the phase.
        progress: the counters.
        about: further plain data, such as the position of the log.
    """
    chance, plain_chance = random_states()
    mine = (chance, plain_chance, turns.numbers.state())
    ranks = gather_object([mine]) if accelerator.num_processes > 1 else [mine]
    tensors: dict[str, dict[str, Tensor]] = {
        "modules": named_tensors(modules),
        "optimizers": {},
        "chance": {
            f"{rank}/{name}": value for rank, (states, _, _) in enumerate(ranks) for name, value in states.items()
        },
    }
    if averages:
        tensors["averages"] = averages.tensors()
    optimizers: dict[str, Any] = {}
    for name, scheduled in turns.optimizers.items():
        flat, plain = flatten_optimizer(name, scheduled.optimizer.state_dict())
        tensors["optimizers"].update(flat)
        optimizers[name] = {**plain, "plateau": scheduled.plateau.state() if scheduled.plateau else None}
    state = {
        **about,
        "progress": progress.as_dict(),
        "optimizers": optimizers,
        "scalers": {name: scaler.state_dict() for name, scaler in turns.scalers.items()},
        "skipped": turns.skipped,
        "averages": averages.updates if averages else None,
        "ranks": [{"chance": plain, "numbers": numbers} for _, plain, numbers in ranks],
    }
    return Checkpoint(tensors, state)


def restore_modules(checkpoint: Checkpoint, modules: Mapping[str, nn.Module], averages: Averages | None) -> None:
    """Give the networks and their averages the weights of a checkpoint."""
    load_named_tensors(modules, checkpoint.tensors["modules"])
    if averages:
        load_named_tensors(averages.modules, checkpoint.tensors["averages"])
        averages.updates = dict(checkpoint.state["averages"])


def restore_turns(checkpoint: Checkpoint, turns: Turns) -> None:
    """Give the optimizers of a phase the state of a checkpoint of the same phase."""
    for name, scheduled in turns.optimizers.items():
        plain = checkpoint.state["optimizers"][name]
        restore_optimizer(name, scheduled.optimizer, checkpoint.tensors["optimizers"], plain)
        if scheduled.plateau and plain["plateau"]:
            scheduled.plateau.restore(plain["plateau"])
    for name, scaler in turns.scalers.items():
        scaler.load_state_dict(checkpoint.state["scalers"][name])
    turns.skipped = dict(checkpoint.state["skipped"])


def restore_chance(checkpoint: Checkpoint, turns: Turns, device: torch.device, rank: int) -> None:
    """Go on drawing and averaging as this process did; a process that did not exist before keeps its own chance."""
    ranks = checkpoint.state["ranks"]
    if rank < len(ranks):
        prefix = f"{rank}/"
        mine = {k.removeprefix(prefix): v for k, v in checkpoint.tensors["chance"].items() if k.startswith(prefix)}
        restore_random_states(mine, ranks[rank]["chance"])
        turns.numbers.restore({name: tuple(pair) for name, pair in ranks[rank]["numbers"].items()}, device)


def named_tensors(modules: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """Every tensor of some networks, as ``<network>.<key>``."""
    return {f"{name}.{key}": value for name, module in modules.items() for key, value in module.state_dict().items()}


def load_named_tensors(modules: Mapping[str, nn.Module], tensors: Mapping[str, Tensor]) -> None:
    """Load what ``named_tensors`` took; every tensor must fit.

    Raises:
        CheckpointError: the networks are other ones than those that were saved.
    """
    for name, module in modules.items():
        prefix = f"{name}."
        own = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
        try:
            module.load_state_dict(own)
        except RuntimeError as error:
            raise CheckpointError(f"the checkpoint does not fit the network {name!r}: {error}") from None
