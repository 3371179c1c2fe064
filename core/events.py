"""What a run tells about itself while it goes on. The engine draws and prints nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from restore.core.metrics import MetricResult


@dataclass(frozen=True)
class Event:
    """Base of everything a listener may receive."""


@dataclass(frozen=True)
class RunStarted(Event):
    """The run is set up; training begins next."""

    task: str
    folder: Path
    phases: Sequence[tuple[str, int]]
    """Name and epochs of each phase."""
    steps_per_epoch: int
    samples_per_epoch: int
    train_images: int
    validation_images: int
    parameters: Mapping[str, int]
    device: str
    precision: str
    processes: int
    resumed_at: int | None
    """Optimizer step at which a resumed run goes on."""
    begins_with: str | None = None
    """What was taken from trained weights: how many tensors of which networks, and from where."""
    evaluate_every: int = 1
    """Epochs between evaluations; the last epoch of a phase is always evaluated."""
    checkpoint_every: str = "1e"
    """How often a checkpoint is saved, as the setting has it."""
    may_stop_early: bool = False
    """Whether a phase may end before its epochs are done."""
    inputs: Sequence[str] = ("input",)
    """Names of what a prediction is made from, the image itself first."""
    recipe: str | None = None
    """What the settings say about their own defaults."""


@dataclass(frozen=True)
class PhaseStarted(Event):
    """A phase begins or, in a resumed run, goes on."""

    phase: str
    index: int
    epochs: int
    """Epochs of the phase."""
    first_epoch: int = 0
    """Epoch of the run, from 0, with which the phase began."""


@dataclass(frozen=True)
class StepDone(Event):
    """One optimizer step."""

    phase: str
    epoch: int
    """Epoch of the run, from 0."""
    epochs: int
    """Epochs of the run."""
    step: int
    """Optimizer steps of this epoch that are done."""
    steps: int
    """Optimizer steps of an epoch."""
    run_step: int
    run_steps: int
    """Optimizer steps done in, and planned for, the whole run."""
    samples: int
    """Samples of this step."""
    seconds: float
    """Wall time of this step, waiting included."""
    waited: float
    """Seconds of it spent waiting for data."""


@dataclass(frozen=True)
class Logged(Event):
    """Numbers averaged over the last few steps, as written to the log."""

    phase: str
    epoch: int
    run_step: int
    numbers: Mapping[str, float]
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Evaluated(Event):
    """The validation images were measured."""

    phase: str
    epoch: int
    run_step: int
    numbers: Sequence[MetricResult]
    best: bool
    """Whether these are the phase's best weights so far."""


@dataclass(frozen=True)
class SamplesWritten(Event):
    """A sheet of sample images was written."""

    path: Path
    run_step: int


@dataclass(frozen=True)
class CheckpointSaved(Event):
    """A checkpoint is safe on disk."""

    path: Path
    run_step: int


@dataclass(frozen=True)
class PhaseFinished(Event):
    """A phase is over, by its epochs or by early stopping."""

    phase: str
    stopped_early: bool


@dataclass(frozen=True)
class Warned(Event):
    """Something a person should know, said once."""

    message: str


@dataclass(frozen=True)
class RunFinished(Event):
    """The run is over."""

    folder: Path
    weights: Path
    numbers: Sequence[MetricResult]
    seconds: float


Listener = Callable[[Event], None]
