"""Check that a resumed run still has the same plan and data."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from restore.core.errors import ResumeError
from restore.core.runs.checkpoints import Checkpoint
from restore.core.settings import EarlyStoppingSettings
from restore.core.training.dataloading import PhaseData
from restore.core.training.progress import Progress
from restore.core.training_step import Phase


def check_plan(
    checkpoint: Checkpoint, phases: Sequence[Phase], stopping: EarlyStoppingSettings, notice: Callable[[str], None]
) -> None:
    """Compare the present plan of a resumed run with its checkpoint, and report changes.

    Raises:
        ResumeError: fewer epochs are planned than are done, or the phases differ from those that have started.
    """
    progress = Progress.of(checkpoint.state["progress"])
    before = [tuple(phase) for phase in checkpoint.state["planned"]]
    now = [(phase.name, phase.epochs) for phase in phases]
    begun = [name for name, _ in before[: progress.phase + 1]]
    if begun != [name for name, _ in now[: len(begun)]] and len(begun) <= len(now):
        raise ResumeError(
            f"this run has started the phases {', '.join(begun)}, but {', '.join(name for name, _ in now)} are planned "
            "now. Phases before the current one cannot be added or removed; leave --epochs unchanged"
        )
    if progress.phase >= len(phases) or progress.phase_epoch > phases[progress.phase].epochs:
        phase = before[progress.phase][0]
        raise ResumeError(
            f"{progress.epoch} epochs are done, {progress.phase_epoch} of them in phase {phase!r}; a resumed run "
            "cannot have fewer. Leave --epochs out or raise it"
        )
    if now != before:
        was, planned = (", ".join(f"{epochs} {name}" for name, epochs in plan) for plan in (before, now))
        notice(f"the plan changed: {planned} epochs (was: {was}); finished phases stay as they are")
    elif progress.phase + 1 == len(phases) and progress.phase_epoch == phases[-1].epochs:
        notice("this run is finished; raise --epochs to continue it")
    if progress.phase + 1 == len(phases) and progress.should_stop_early(stopping):
        notice(
            f"this run stopped early, after {progress.stale} evaluations without improvement; raise "
            "--early-stopping.patience to continue it"
        )


def fingerprint(data: PhaseData) -> dict[str, Any]:
    """Identify the data of a run: for each split the number of images and a hash of their names, in order.

    Folders are not part of it, because their paths depend on the working directory.
    """
    found: dict[str, Any] = {}
    for split, images in {"train": data.train, "validation": data.validation}.items():
        names = "\0".join(Path(images.name(index)).name for index in range(len(images)))
        found[split] = {
            "count": len(images),
            "names": hashlib.sha256(names.encode("utf-8", "surrogateescape")).hexdigest(),
        }
    return found


def check_data(checkpoint: Checkpoint, now: Mapping[str, Any]) -> None:
    """Compare the present `fingerprint` of the data with that in the checkpoint of a run.

    Raises:
        ResumeError: they differ; the message names the split.
    """
    for split, after in now.items():
        before = checkpoint.state["data"][split]
        if after != before:
            names = "" if before["count"] != after["count"] else ", different names"
            raise ResumeError(
                f"the {split} set changed since this run started ({before['count']} images before, {after['count']} "
                f"now{names}). Restore it, or start a new run on it with --init-from RUN/checkpoints"
            )
