"""Events that the engine sends to listeners during a run. The engine itself prints nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from restore.core.metrics import MetricResult


@dataclass(frozen=True)
class Event:
    """Base of all events."""


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
    """Optimizer step at which a resumed run continues."""
    begins_with: str | None = None
    """What was loaded from trained weights: number of tensors of each network, and their source."""
    evaluate_every: int = 1
    """Epochs between evaluations; the last epoch of a phase is always evaluated."""
    checkpoint_every: str = "1e"
    """How often a checkpoint is saved, in the form of the setting."""
    may_stop_early: bool = False
    """Whether a phase may end before its epochs are done."""
    inputs: Sequence[str] = ("input",)
    """Names of the inputs, the image first."""
    recipe: str | None = None
    """``recipe`` of the settings."""


@dataclass(frozen=True)
class PhaseStarted(Event):
    """A phase starts or, in a resumed run, continues."""

    phase: str
    index: int
    epochs: int
    """Epochs of the phase."""
    first_epoch: int = 0
    """First epoch of the phase, counted in the run from 0."""


@dataclass(frozen=True)
class StepDone(Event):
    """One optimizer step."""

    phase: str
    epoch: int
    """Epoch of the run, from 0."""
    epochs: int
    """Epochs of the run."""
    step: int
    """Optimizer steps done in this epoch."""
    steps: int
    """Optimizer steps per epoch."""
    run_step: int
    run_steps: int
    """Optimizer steps done in, and planned for, the whole run."""
    samples: int
    """Samples in this step."""
    seconds: float
    """Wall time of this step, including waiting for data."""
    waited: float
    """Seconds spent waiting for data."""


@dataclass(frozen=True)
class Logged(Event):
    """Numbers averaged over the last steps, as written to the log."""

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
    """A checkpoint is on disk."""

    path: Path
    run_step: int


@dataclass(frozen=True)
class PhaseFinished(Event):
    """A phase is finished, after all its epochs or by early stopping."""

    phase: str
    stopped_early: bool


@dataclass(frozen=True)
class Warned(Event):
    """A warning for the user; sent once."""

    message: str


@dataclass(frozen=True)
class RunFinished(Event):
    """The run is finished."""

    folder: Path
    weights: Path
    numbers: Sequence[MetricResult]
    seconds: float


Listener = Callable[[Event], None]
