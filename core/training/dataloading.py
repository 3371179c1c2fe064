"""Data loading: the samples of each step, independent of the number of processes, micro-batches and workers."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler, default_collate, get_worker_info
from typing_extensions import override

from restore.core.dataset import NamedDataset, as_dataset
from restore.core.errors import RestoreError, UsageError
from restore.core.runtime import processes
from restore.core.runtime.processes import refuse_unequal_shares
from restore.core.seeding import derive_seed, permutation, seeded
from restore.core.settings import RunSettings
from restore.core.task import Task
from restore.core.training_step import Phase

STEPS_AT_LEAST = 50
"""Minimum steps of a default epoch; shorter epochs would spend most of their time in evaluations."""

SampleKey = tuple[int, int, int]
"""Identifies a sample for a worker: epoch, position in the epoch, index in the dataset."""


@dataclass(frozen=True)
class EpochPlan:
    """Division of an epoch into steps, and of a step into equal micro-batches for each process."""

    images: int
    steps: int
    """Optimizer steps per epoch."""
    batch_size: int
    """Samples per optimizer step."""
    micro_batches: int
    processes: int
    seed: int

    @property
    def samples(self) -> int:
        """Samples per epoch."""
        return self.steps * self.batch_size

    @property
    def micro_batch_size(self) -> int:
        """Samples per micro-batch on one process."""
        return self.batch_size // (self.micro_batches * self.processes)

    def keys(self, epoch: int, first_step: int, rank: int) -> Iterator[list[SampleKey]]:
        """Yield the micro-batches of one process in an epoch, from an optimizer step of the epoch on.

        Sample i is image ``order[i % images]``. The order depends on seed and epoch only.
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
        UsageError: the batch cannot be split equally, or an epoch is shorter than one step.
    """
    refuse_unequal_shares(settings.batch_size, settings.accumulate, processes)
    samples = settings.samples_per_epoch or max(images, STEPS_AT_LEAST * settings.batch_size)
    steps = samples // settings.batch_size
    if not steps:
        raise UsageError(
            f"an epoch has {samples} samples, fewer than one batch (--batch-size {settings.batch_size}); "
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
        """Make both datasets of a phase and the plan of its epochs.

        Raises:
            UsageError: see `make_plan`; errors of the task pass through.
        """
        train, validation = as_dataset(task.dataset("train", phase)), as_dataset(task.dataset("validation", phase))
        if settings.check_data == "full":
            decode_all(train)
            decode_all(validation)
        return cls(train, validation, make_plan(settings, len(train), processes=processes))


class SeededSamples(Dataset[Any]):
    """A dataset that seeds each sample separately; the result does not depend on the worker that makes it."""

    def __init__(self, data: NamedDataset, seed: int) -> None:
        self.data = data
        self.seed = seed

    @override
    def __getitem__(self, key: SampleKey) -> dict[str, Tensor] | FailedSample:
        """Make a sample. In a worker process an expected error is returned: raised, it would arrive as a traceback."""
        epoch, sample, index = key
        with seeded(derive_seed(self.seed, "sample", epoch, sample)):
            try:
                return self.data[index]
            except RestoreError as error:
                if get_worker_info() is None:
                    raise
                return FailedSample(type(error), str(error))


@dataclass(frozen=True)
class FailedSample:
    """The error that a worker process met."""

    kind: type[RestoreError]
    message: str


def collate(samples: list[dict[str, Tensor] | FailedSample]) -> Any:
    """Join samples to a batch, or return the first failed one."""
    failed = next((sample for sample in samples if isinstance(sample, FailedSample)), None)
    return default_collate(samples) if failed is None else failed


def next_batch(batches: Iterator[Any]) -> dict[str, Tensor]:
    """Return the next batch of a loader. Raises the error that a worker process met."""
    batch = next(batches)
    if isinstance(batch, FailedSample):
        raise batch.kind(batch.message)
    found: dict[str, Tensor] = batch
    return found


def decode_all(data: NamedDataset) -> None:
    """Make every sample once, without a trace in the random numbers. Raises the error of the first that fails."""
    for index in range(len(data)):
        with seeded(0):
            data[index]


class MicroBatchSampler(Sampler[list[SampleKey]]):
    """Samples the micro-batches of one process; call ``start`` before each epoch."""

    def __init__(self, plan: EpochPlan, rank: int) -> None:
        self.plan = plan
        self.rank = rank
        self.epoch = 0
        self.first_step = 0

    def start(self, epoch: int, first_step: int) -> None:
        """Set the epoch, and the step in it, at which the next iteration starts."""
        self.epoch, self.first_step = epoch, first_step

    @override
    def __iter__(self) -> Iterator[list[SampleKey]]:
        return self.plan.keys(self.epoch, self.first_step, self.rank)

    def __len__(self) -> int:
        return (self.plan.steps - self.first_step) * self.plan.micro_batches


def make_loader(
    data: NamedDataset, sampler: MicroBatchSampler, settings: RunSettings, device: torch.device
) -> DataLoader[Any]:
    """Make a data loader whose workers live as long as the phase."""
    workers = settings.workers
    if workers is None:
        # a CPU that trains has no spare time for workers; a CPU that only feeds a GPU has
        idle = device.type == "cuda" or not data.in_memory
        workers = min(4, max(1, processes.cores() // processes.how_many_here() - 1)) if idle else 0
    return DataLoader(
        SeededSamples(data, settings.seed),
        batch_sampler=sampler,
        collate_fn=collate,
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=device.type == "cuda",
        # separate generator: each iterator draws a seed, which must not change the run's generator
        generator=torch.Generator(),
        worker_init_fn=_leave_signals_to_the_engine if workers else None,
    )


def _leave_signals_to_the_engine(worker: int) -> None:  # noqa: ARG001
    # Ctrl-C reaches the whole process group; the engine still needs its workers to finish the step.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
