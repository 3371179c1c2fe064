"""Which samples make up which step, whatever the number of processes, micro-batches and workers."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from restore.core.dataset import NamedDataset, as_dataset
from restore.core.errors import UsageError
from restore.core.runtime import processes
from restore.core.seeding import derive_seed, permutation, seeded
from restore.core.settings import RunSettings
from restore.core.task import Task
from restore.core.training_step import Phase

STEPS_AT_LEAST = 50
"""Steps of a default epoch over few images: shorter ones would spend their time evaluating."""

SampleKey = tuple[int, int, int]
"""What a worker needs to make a sample: epoch, number of the sample in it, index in the dataset."""


@dataclass(frozen=True)
class EpochPlan:
    """How an epoch is cut into steps, and a step into equal micro-batches for each process."""

    images: int
    steps: int
    """Optimizer steps of an epoch."""
    batch_size: int
    """Samples of one optimizer step."""
    micro_batches: int
    processes: int
    seed: int

    @property
    def samples(self) -> int:
        """Samples of an epoch."""
        return self.steps * self.batch_size

    @property
    def micro_batch_size(self) -> int:
        """Samples of one micro-batch on one process."""
        return self.batch_size // (self.micro_batches * self.processes)

    def keys(self, epoch: int, first_step: int, rank: int) -> Iterator[list[SampleKey]]:
        """One process's micro-batches of an epoch, from a given optimizer step on.

        Sample i is image ``order[i % images]``; the order is drawn from (seed, epoch) alone.
        """
        order = permutation(derive_seed(self.seed, "order", epoch), self.images)
        size = self.micro_batch_size
        for step in range(first_step, self.steps):
            for micro_batch in range(self.micro_batches):
                start = step * self.batch_size + (micro_batch * self.processes + rank) * size
                yield [(epoch, i, order[i % self.images]) for i in range(start, start + size)]


def make_plan(settings: RunSettings, images: int, *, processes: int = 1) -> EpochPlan:
    """Plan every epoch of a phase.

    Raises:
        UsageError: the batch cannot be shared equally, or an epoch would have no whole step.
    """
    shares = processes * settings.accumulate
    if settings.batch_size % shares:
        raise UsageError(
            f"--batch-size {settings.batch_size} cannot be shared equally by {processes} processes with --accumulate "
            f"{settings.accumulate}; use a multiple of {shares}"
        )
    samples = settings.samples_per_epoch or max(images, STEPS_AT_LEAST * settings.batch_size)
    steps = samples // settings.batch_size
    if not steps:
        raise UsageError(
            f"an epoch of {samples} samples has no whole batch of {settings.batch_size}; "
            "lower --batch-size or raise --samples-per-epoch"
        )
    return EpochPlan(images, steps, settings.batch_size, settings.accumulate, processes, settings.seed)


@dataclass(frozen=True)
class PhaseData:
    """The datasets of one phase and the plan of its epochs."""

    train: NamedDataset
    validation: NamedDataset
    plan: EpochPlan

    @classmethod
    def make(cls, task: Task, phase: Phase, settings: RunSettings, *, processes: int) -> PhaseData:
        """Make both datasets and the plan. Raises UsageError as `make_plan`, and what the task raises."""
        train, validation = as_dataset(task.dataset("train", phase)), as_dataset(task.dataset("validation", phase))
        return cls(train, validation, make_plan(settings, len(train), processes=processes))


class SeededSamples(Dataset[dict[str, Tensor]]):
    """A dataset in which each sample has a seed of its own, so that it does not matter who makes it."""

    def __init__(self, data: NamedDataset, seed: int) -> None:
        self.data = data
        self.seed = seed

    def __getitem__(self, key: SampleKey) -> dict[str, Tensor]:
        epoch, sample, index = key
        with seeded(derive_seed(self.seed, "sample", epoch, sample)):
            return self.data[index]


class MicroBatchSampler(Sampler[list[SampleKey]]):
    """One process's micro-batches of one epoch; ``start`` says which epoch and step come next."""

    def __init__(self, plan: EpochPlan, rank: int) -> None:
        self.plan = plan
        self.rank = rank
        self.epoch = 0
        self.first_step = 0

    def start(self, epoch: int, first_step: int) -> None:
        """Choose what the next iteration yields."""
        self.epoch, self.first_step = epoch, first_step

    def __iter__(self) -> Iterator[list[SampleKey]]:
        return self.plan.keys(self.epoch, self.first_step, self.rank)

    def __len__(self) -> int:
        return (self.plan.steps - self.first_step) * self.plan.micro_batches


def make_loader(
    data: NamedDataset, sampler: MicroBatchSampler, settings: RunSettings, device: torch.device
) -> DataLoader[Any]:
    """Make a loader whose workers live as long as the phase.

    Args:
        data: the training data.
        sampler: shares the work among processes; the loader does not.
        settings: the seed and the number of workers.
        device: where the batches go.
    """
    workers = settings.workers
    if workers is None:
        # a processor that trains has no time to spare for workers; one that feeds a GPU has nothing better to do
        idle = device.type == "cuda" or not data.in_memory
        workers = min(4, max(1, processes.cores() // processes.how_many_here() - 1)) if idle else 0
    return DataLoader(
        SeededSamples(data, settings.seed),
        batch_sampler=sampler,
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=device.type == "cuda",
        # its own, since each iterator draws a seed that would otherwise come out of the run's generator
        generator=torch.Generator(),
        worker_init_fn=_leave_signals_to_the_engine if workers else None,
    )


def _leave_signals_to_the_engine(worker: int) -> None:  # noqa: ARG001
    # Ctrl-C reaches the whole process group; the engine finishes its step first and needs its workers for it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
