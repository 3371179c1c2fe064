"""Whether what is planned now fits what a resumed run has done."""

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
    """Compare what a run has done with what is planned for it now, and report what is new.

    Args:
        checkpoint: what the run has done.
        phases: what is planned now.
        stopping: when a phase ends early.
        notice: told about what changes.

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


def fingerprint(data: PhaseData) -> dict[str, Any]:
    """What tells the data of a run from others: of each split the number of images, and a hash of their names in order.

    Folders do not count: the same ones may be named from another working directory.
    """
    found: dict[str, Any] = {}
    for split, images in {"train": data.train, "validation": data.validation}.items():
        names = "\0".join(Path(images.name(index)).name for index in range(len(images)))
        found[split] = {"count": len(images), "names": hashlib.sha256(names.encode()).hexdigest()}
    return found


def check_data(checkpoint: Checkpoint, now: Mapping[str, Any]) -> None:
    """Compare the `fingerprint` of the data of a run with that of the data that it would go on with.

    Raises:
        ResumeError: they differ, so that it would not go on but become another run.
    """
    for split, before in checkpoint.state["data"].items():
        after = now[split]
        if after != before:
            names = "" if before["count"] != after["count"] else ", different names"
            raise ResumeError(
                f"the {split} set changed since this run started ({before['count']} images before, {after['count']} "
                f"now{names}). Restore it, or start a new run on it with --init-from RUN/checkpoints"
            )
