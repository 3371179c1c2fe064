"""Events that the engine sends to listeners during a run. The engine itself prints nothing.

A listener is any callable that takes one event. It is called on the main process only, and the training waits for it:
what takes long belongs in a thread. What it raises ends nothing; see :class:`restore.core.listeners.Listeners`.

Epochs and steps count the whole run, including what a resumed run did before: epochs from 0, optimizer steps from 1, so
that ``run_step`` is the number of steps done. ``RunStarted`` is the first event but for warnings, and exactly one of
``RunFinished``, ``RunFailed`` and ``RunInterrupted`` is the last, unless the process is killed.
"""

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
    """The run is set up, its folder and config are written; training begins next."""

    task: str
    """Full name of the task: ``srgan/srgan``."""
    folder: Path
    """The run folder."""
    phases: Sequence[tuple[str, int]]
    """Name and epochs of each phase."""
    steps_per_epoch: int
    """Optimizer steps in an epoch of the first phase."""
    samples_per_epoch: int
    """Samples in an epoch of the first phase, over all processes."""
    train_images: int
    """Images to train on."""
    validation_images: int
    """Images to validate on."""
    parameters: Mapping[str, int]
    """Number of parameters of each trained network."""
    device: str
    """Kind of device and its name, for people."""
    precision: str
    """fp32, bf16 or fp16."""
    processes: int
    """Number of processes that train together."""
    resumed_at: int | None
    """Optimizer step at which a resumed run continues; None: a new run."""
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
    """Name of the phase."""
    index: int
    """Its place among the phases, from 0."""
    epochs: int
    """Epochs of the phase."""
    first_epoch: int = 0
    """First epoch of the phase, counted in the run from 0."""


@dataclass(frozen=True)
class StepDone(Event):
    """One optimizer step."""

    phase: str
    """Name of the phase."""
    epoch: int
    """Epoch of the run, from 0."""
    epochs: int
    """Epochs of the run."""
    step: int
    """Optimizer steps done in this epoch."""
    steps: int
    """Optimizer steps per epoch."""
    run_step: int
    """Optimizer steps done in the whole run."""
    run_steps: int
    """Optimizer steps planned for the whole run."""
    samples: int
    """Samples in this step, over all processes."""
    seconds: float
    """Wall time of this step, including waiting for data."""
    waited: float
    """Seconds spent waiting for data."""


@dataclass(frozen=True)
class Logged(Event):
    """Numbers averaged over the last steps and over all processes, as written to the log."""

    phase: str
    """Name of the phase."""
    epoch: int
    """Epoch of the run, from 0."""
    run_step: int
    """Optimizer steps done in the whole run."""
    numbers: Mapping[str, float]
    """Losses, learning rates, norms of gradients and whatever the task logs, by name; they may be NaN or infinite."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """``run``: training time so far; ``step`` and ``waited``: mean wall time of a step, and the part spent waiting."""


@dataclass(frozen=True)
class Evaluated(Event):
    """The validation images were measured, either with a baseline, before the first step, or after an epoch."""

    phase: str
    """Name of the phase, or of the baseline."""
    epoch: int
    """Epoch of the run, from 0."""
    run_step: int
    """Optimizer steps done in the whole run; 0 for a baseline."""
    numbers: Sequence[MetricResult]
    """Value of each metric, in the unit of the metric, with its convention."""
    best: bool
    """Whether these are the phase's best weights so far; False for a baseline."""


@dataclass(frozen=True)
class SamplesWritten(Event):
    """A sheet of sample images was written."""

    path: Path
    """PNG file, 8-bit RGB: a row for each image, with input, output and target."""
    run_step: int
    """Optimizer steps done in the whole run."""


@dataclass(frozen=True)
class CheckpointSaved(Event):
    """A checkpoint is on disk."""

    path: Path
    """Folder of the checkpoint."""
    run_step: int
    """Optimizer steps that it contains."""


@dataclass(frozen=True)
class PhaseFinished(Event):
    """A phase is finished, after all its epochs or by early stopping."""

    phase: str
    """Name of the phase."""
    stopped_early: bool
    """Whether early stopping ended it."""


@dataclass(frozen=True)
class Warned(Event):
    """A warning for the user; sent once."""

    message: str
    """What to know and what to do, in a sentence or two."""


@dataclass(frozen=True)
class RunFinished(Event):
    """The run is finished."""

    folder: Path
    """The run folder."""
    weights: Path
    """Weights file with the best weights of the last phase."""
    numbers: Sequence[MetricResult]
    """Metrics of the baselines and of the best weights of each phase, on the validation images."""
    seconds: float
    """Training time of the run, including the time before a resume."""


@dataclass(frozen=True)
class RunFailed(Event):
    """An error ends the run; ``Trainer.fit`` raises it next."""

    folder: Path
    """The run folder."""
    run_step: int
    """Optimizer steps done in the whole run; the last checkpoint may contain fewer."""
    seconds: float
    """Training time of the run, including the time before a resume."""
    error: str
    """Class and message of the error."""


@dataclass(frozen=True)
class RunInterrupted(Event):
    """Ctrl-C or SIGTERM ends the run."""

    folder: Path
    """The run folder."""
    run_step: int
    """Optimizer steps done in the whole run."""
    seconds: float
    """Training time of the run, including the time before a resume."""
    saved: bool
    """Whether a checkpoint contains all these steps; False after a second Ctrl-C, which does not wait."""


Listener = Callable[[Event], None]
