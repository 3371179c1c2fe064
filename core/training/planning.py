"""Whether what is planned for a run can be meant, and fits what is done of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from restore.core.errors import ResumeError, UsageError
from restore.core.records.checkpoints import Checkpoint
from restore.core.settings import EarlyStoppingSettings, RunSettings
from restore.core.steps import Phase
from restore.core.task import Pictures
from restore.core.training.progress import Progress


def check_schedules(phases: Sequence[Phase], settings: RunSettings, notice: Callable[[str], None]) -> None:
    """Refuse what waits for a metric in phases that are judged by none, and say where it does not act.

    Raises:
        UsageError: a plateau schedule, or early stopping, would never do anything.
    """
    unjudged = [phase for phase in phases if phase.monitor is None]
    for phase in unjudged:
        for name, optimizer in phase.optimizers.items():
            if optimizer.schedule.name == "plateau":
                raise UsageError(
                    f"the schedule plateau of {name} lowers the rate when a metric stops improving, and no metric "
                    f"judges the phase {phase.name}; choose another schedule"
                )
    if settings.early_stopping.patience is not None and unjudged:
        names = ", ".join(phase.name for phase in unjudged)
        if len(unjudged) == len(phases):
            raise UsageError(f"early_stopping: no metric judges the phases of this task ({names}), so none ends early")
        notice(f"early stopping does not act in {names}, which no metric judges")


def check_plan(
    checkpoint: Checkpoint, phases: Sequence[Phase], stopping: EarlyStoppingSettings, notice: Callable[[str], None]
) -> None:
    """Compare what a run has done with what is planned for it now, and say what is new.

    Raises:
        ResumeError: less is planned than is done, or other phases than those that have begun.
    """
    progress = Progress.from_dict(checkpoint.state["progress"])
    before = [tuple(phase) for phase in checkpoint.state["planned"]]
    now = [(phase.name, phase.epochs) for phase in phases]
    begun = [name for name, _ in before[: progress.phase + 1]]
    if begun != [name for name, _ in now[: len(begun)]] and len(begun) <= len(now):
        raise ResumeError(
            f"the phases {', '.join(begun)} have begun, and now {', '.join(name for name, _ in now)} are planned: "
            "a phase before the one in progress cannot be put in or left out. Leave --epochs as it was"
        )
    if progress.phase >= len(phases) or progress.phase_epoch > phases[progress.phase].epochs:
        phase = before[progress.phase][0]
        raise ResumeError(
            f"{progress.epoch} epochs are done, {progress.phase_epoch} of them of the phase {phase!r}; "
            "fewer cannot be planned. Leave --epochs out, or ask for more"
        )
    if now != before:
        was, planned = (", ".join(f"{epochs} {name}" for name, epochs in plan) for plan in (before, now))
        notice(f"planned anew: {planned} epochs (was: {was}); finished phases stay as they are")
    elif progress.phase + 1 == len(phases) and progress.phase_epoch == phases[-1].epochs:
        notice("this run is finished; ask for more --epochs to go on")
    if progress.phase + 1 == len(phases) and progress.ended_early(stopping):
        notice(
            f"this run stopped early, after {progress.stale} evaluations without improvement; ask for more "
            "--early-stopping.patience to go on"
        )


def identity(pictures: Mapping[str, Pictures]) -> dict[str, Any]:
    """What tells the pictures of a run from others: of each split their number, and a hash of their names in order.

    Folders do not count: the same ones may be named from another working directory.
    """
    found: dict[str, Any] = {}
    for split, some in pictures.items():
        names = "\0".join(Path(some.name(index)).name for index in range(len(some)))
        found[split] = {"count": len(some), "names": hashlib.sha256(names.encode()).hexdigest()}
    return found


def check_pictures(checkpoint: Checkpoint, now: Mapping[str, Any]) -> None:
    """Compare the pictures of a run, by their ``identity``, with those that it would go on with.

    Raises:
        ResumeError: they are others, so that it would not go on but become another run.
    """
    for split, before in checkpoint.state["pictures"].items():
        if now[split] != before:
            raise ResumeError(
                f"these are not the pictures of this run: {before['count']} to {_purpose(split)} then, "
                f"{now[split]['count']} now{'' if before['count'] != now[split]['count'] else ', of other names'}. Put "
                "them back, or begin a new run on these with --init-from RUN/checkpoints"
            )


def _purpose(split: str) -> str:
    return "train on" if split == "train" else "validate on"
