"""Save the state of a run in a checkpoint and restore it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from torch import Tensor

from restore.core.errors import CheckpointError, RestoreError, is_out_of_memory
from restore.core.runs.checkpoints import Checkpoint, flatten_optimizer, restore_optimizer
from restore.core.seeding import random_states, restore_random_states
from restore.core.training.networks import WrappedNetworks
from restore.core.training.optimize import PhaseOptimizers
from restore.core.training.optimizers import Plateau
from restore.core.training.progress import Progress
from restore.core.weights.tensors import load_exactly, named_tensors


def take(
    accelerator: Accelerator,
    networks: WrappedNetworks,
    optimizers: PhaseOptimizers,
    progress: Progress,
    about: Mapping[str, Any],
) -> Checkpoint:
    """Collect the state of a run between two optimizer steps, and ``about``, further plain data.

    Every process must call it; the result of the main one counts.
    """
    rng, plain_rng = random_states()
    mine = (rng, plain_rng, optimizers.meter.state())
    ranks = gather_object([mine]) if accelerator.num_processes > 1 else [mine]
    tensors: dict[str, dict[str, Tensor]] = {
        "networks": named_tensors(networks.raw),
        "optimizers": {},
        "rng": {f"{rank}/{name}": value for rank, (states, _, _) in enumerate(ranks) for name, value in states.items()},
    }
    if networks.ema:
        tensors["ema"] = named_tensors(networks.ema.networks)
    plain_states: dict[str, Any] = {}
    for name, scheduled in optimizers.by_name.items():
        flat, plain = flatten_optimizer(name, scheduled.optimizer.state_dict())
        tensors["optimizers"].update(flat)
        plain_states[name] = {**plain, "plateau": asdict(scheduled.plateau) if scheduled.plateau else None}
    state = {
        **about,
        "progress": asdict(progress),
        "optimizers": plain_states,
        "scalers": {name: scaler.state_dict() for name, scaler in optimizers.scalers.items()},
        "skipped": optimizers.skipped,
        "ema": networks.ema.updates if networks.ema else None,
        "ranks": [{"rng": plain, "meter": meter} for _, plain, meter in ranks],
    }
    return Checkpoint(tensors, state)


@contextmanager
def report_misfit(path: Path) -> Iterator[None]:
    """Turn what a state of an unknown form raises in the block into CheckpointError.

    Args:
        path: the checkpoint, or the folder of checkpoints.
    """
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RuntimeError) as error:
        if isinstance(error, RestoreError) or is_out_of_memory(error):
            raise
        line = next(iter(str(error).splitlines()), "") or type(error).__name__
        reason = f"it lacks {error}" if isinstance(error, KeyError) else line
        raise CheckpointError(
            f"{path} cannot be resumed with this version of restorekit: its state was written by another one, or is "
            f"damaged ({reason})"
        ) from error


def restore_networks(checkpoint: Checkpoint, networks: WrappedNetworks) -> None:
    """Load the weights of a checkpoint into the networks and their averages. Raises CheckpointError if they differ."""
    load_exactly(networks.raw, checkpoint.tensors["networks"], "the checkpoint", CheckpointError)
    if networks.ema:
        load_exactly(networks.ema.networks, checkpoint.tensors["ema"], "the checkpoint", CheckpointError)
        networks.ema.updates = dict(checkpoint.state["ema"])


def restore_optimizers(checkpoint: Checkpoint, optimizers: PhaseOptimizers) -> None:
    """Load the state of a checkpoint of the same phase into its optimizers."""
    for name, scheduled in optimizers.by_name.items():
        plain = checkpoint.state["optimizers"][name]
        restore_optimizer(name, scheduled.optimizer, checkpoint.tensors["optimizers"], plain)
        if scheduled.plateau and plain["plateau"]:
            scheduled.plateau = Plateau(**plain["plateau"])
    for name, scaler in optimizers.scalers.items():
        scaler.load_state_dict(checkpoint.state["scalers"][name])
    optimizers.skipped = dict(checkpoint.state["skipped"])


def restore_rng(checkpoint: Checkpoint, optimizers: PhaseOptimizers, device: torch.device, rank: int) -> None:
    """Restore this rank's RNG state and partial log averages; ranks that did not exist keep fresh RNGs."""
    ranks = checkpoint.state["ranks"]
    if rank < len(ranks):
        prefix = f"{rank}/"
        mine = {k.removeprefix(prefix): v for k, v in checkpoint.tensors["rng"].items() if k.startswith(prefix)}
        restore_random_states(mine, ranks[rank]["rng"])
        optimizers.meter.restore({name: tuple(pair) for name, pair in ranks[rank]["meter"].items()}, device)
