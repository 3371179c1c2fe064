"""Say why a checkpoint was not recognized: what it has, what is closest, and what is missing there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from restore.core.weights.trials import NOT_MINE, Fit, Trial
from restore.core.weights.unwrap import CheckpointState

_FIRST = 5  # names of tensors in a message
_DIFFERENCES = 12  # lines of differences, when nobody named the task


def format_refusal(source: Path, states: Sequence[CheckpointState], fit: Fit, *, sole: str | None) -> str:
    """Return the message about a checkpoint that no converter fits.

    Args:
        source: the file.
        states: what it contains.
        fit: what was tried.
        sole: full name of the task, if only one was asked for; every difference is then listed.
    """
    names = list(states[0].tensors)
    first = ", ".join(names[:_FIRST]) + (", …" if len(names) > _FIRST else "")
    contents = f"It has {len(names)} tensors: {first}"
    possible = [trial for trial in fit.trials if trial.task is not None and (sole or _is_close(trial))]
    if not possible:
        who = f"no converter{f' of {sole}' if sole else ''} recognizes this checkpoint"
        return "\n".join([f"{source}: {who}:", *_reasons(fit.trials, bool(sole)), contents, *_advice(states, sole)])
    closest = min(possible, key=lambda trial: len(trial.problems))
    lines = [f"{source}: does not fit {closest.target.task}; as a checkpoint of {closest.name}:"]
    shown = closest.problems if sole else closest.problems[:_DIFFERENCES]
    lines += [f"    {problem}" for problem in shown]
    if len(shown) < len(closest.problems):
        lines.append(f"    and {len(closest.problems) - len(shown)} more; --task {closest.target.task} lists all")
    others = [
        trial
        for trial in fit.trials
        if trial is not closest and (sole or trial.task is not None or not trial.target.task)
    ]
    if others:
        lines.append("With another converter:")
        lines += [
            f"    {trial.name}: {f'{len(trial.problems)} keys differ' if trial.task is not None else trial.problems[0]}"
            for trial in others
        ]
    lines += [contents, *_advice(states, sole)]
    lines.append("--partial loads the tensors that fit and initializes the others as for training.")
    return "\n".join(lines)


def _is_close(trial: Trial) -> bool:
    """Return whether a quarter of the tensors have a place: a first layer alone says little."""
    return 4 * trial.matched >= len(trial.state.tensors)


def _reasons(trials: Sequence[Trial], sole: bool) -> list[str]:
    """Return a line for each converter with its reason; without a task, only those that say more than "not mine"."""
    by_reason: dict[str, list[str]] = {}
    for trial in trials:
        of = "" if sole or not trial.target.task else f"{trial.target.task} "
        if sole or (trial.problems[0] != NOT_MINE and trial.task is None):
            by_reason.setdefault(trial.problems[0], []).append(f"{of}{trial.name}")
    return [f"    {', '.join(dict.fromkeys(names))}: {reason}" for reason, names in by_reason.items()]


def _advice(states: Sequence[CheckpointState], sole: str | None) -> list[str]:
    """Return what may help: another part of the file, or a converter of one's own."""
    places = [state.place for state in states if state.place]
    lines = [f"--key chooses a part of the file: {', '.join(places)}"] if len(places) > 1 else []
    if sole is None:
        lines.append("'restore show TASK' lists the checkpoints that a task imports.")
    return lines
