"""Which samples make up which step, whatever the number of processes, micro-batches and workers."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from restore.core.chance import chance, derive, permutation
from restore.core.errors import UsageError
from restore.core.machine import processes
from restore.core.settings import RunSettings
from restore.core.task import Pictures

STEPS_AT_LEAST = 50
"""Steps of a default epoch over few pictures: shorter ones would spend their time evaluating."""

Ticket = tuple[int, int, int]
"""What a worker needs to make a sample: epoch, number of the sample in it, picture."""


@dataclass(frozen=True)
class Plan:
    """How an epoch is cut into steps, and a step into equal shares of processes and micro-batches."""

    pictures: int
    steps: int
    """Optimizer steps of an epoch."""
    batch_size: int
    """Samples of one optimizer step."""
    micro_batches: int
    processes: int
    rank: int
    seed: int

    @property
    def samples(self) -> int:
        """Samples of an epoch."""
        return self.steps * self.batch_size

    @property
    def share(self) -> int:
        """Samples of one micro-batch on one process."""
        return self.batch_size // (self.micro_batches * self.processes)

    def micro_batches_of(self, epoch: int, first_step: int) -> Iterator[list[Ticket]]:
        """This process's micro-batches of an epoch, from a given optimizer step on.

        Sample i is picture ``order[i % pictures]``; the order is drawn from (seed, epoch) alone.
        """
        order = permutation(derive(self.seed, "order", epoch), self.pictures)
        for step in range(first_step, self.steps):
            for micro_batch in range(self.micro_batches):
                start = step * self.batch_size + (micro_batch * self.processes + self.rank) * self.share
                yield [(epoch, i, order[i % self.pictures]) for i in range(start, start + self.share)]


def make_plan(settings: RunSettings, pictures: int, *, processes: int = 1, rank: int = 0) -> Plan:
    """The plan of every epoch of a run.

    Raises:
        UsageError: the batch cannot be shared equally, or an epoch would have no whole step.
    """
    shares = processes * settings.accumulate
    if settings.batch_size % shares:
        raise UsageError(
            f"--batch-size {settings.batch_size} cannot be shared equally by {processes} processes with --accumulate "
            f"{settings.accumulate}; use a multiple of {shares}"
        )
    samples = settings.samples_per_epoch or max(pictures, STEPS_AT_LEAST * settings.batch_size)
    steps = samples // settings.batch_size
    if not steps:
        raise UsageError(
            f"an epoch of {samples} samples has no whole batch of {settings.batch_size}; "
            "lower --batch-size or raise --samples-per-epoch"
        )
    return Plan(pictures, steps, settings.batch_size, settings.accumulate, processes, rank, settings.seed)


class Samples(Dataset[dict[str, Tensor]]):
    """Pictures as samples: each is made under a chance of its own, so that it does not matter who makes it."""

    def __init__(self, pictures: Pictures, seed: int) -> None:
        self.pictures = pictures
        self.seed = seed

    def __getitem__(self, ticket: Ticket) -> dict[str, Tensor]:
        epoch, sample, picture = ticket
        with chance(derive(self.seed, "sample", epoch, sample)):
            return self.pictures[picture]


class Batches(Sampler[list[Ticket]]):
    """One epoch's micro-batches for a loader; ``start`` says which epoch and step come next."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.epoch = 0
        self.first_step = 0

    def start(self, epoch: int, first_step: int) -> None:
        """Choose what the next iteration yields."""
        self.epoch, self.first_step = epoch, first_step

    def __iter__(self) -> Iterator[list[Ticket]]:
        return self.plan.micro_batches_of(self.epoch, self.first_step)

    def __len__(self) -> int:
        return (self.plan.steps - self.first_step) * self.plan.micro_batches


def make_loader(pictures: Pictures, batches: Batches, settings: RunSettings, device: torch.device) -> DataLoader[Any]:
    """A loader whose workers live as long as the phase; the sampler, not the loader, shares work among processes."""
    workers = _workers(pictures, device) if settings.workers is None else settings.workers
    return DataLoader(
        Samples(pictures, settings.seed),
        batch_sampler=batches,
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=device.type == "cuda",
        # its own, since each iterator draws a seed that would otherwise come out of the run's chance
        generator=torch.Generator(),
        worker_init_fn=_leave_signals_to_the_engine if workers else None,
    )


def _workers(pictures: Pictures, device: torch.device) -> int:
    # a processor that trains has no time to spare for workers; one that feeds a GPU has nothing better to do
    if getattr(pictures, "in_memory", False) and device.type != "cuda":
        return 0
    return min(4, max(1, processes.cores() // processes.how_many_here() - 1))


def _leave_signals_to_the_engine(worker: int) -> None:  # noqa: ARG001
    # Ctrl-C reaches the whole process group; the engine finishes its step first and needs its workers for it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
