"""``restore import``: the one door for checkpoints that other programs wrote."""

from __future__ import annotations

import shlex
from pathlib import Path

from restore import registry
from restore.cli.examples import prediction
from restore.core.errors import UsageError
from restore.core.weights.files import rebuild
from restore.core.weights.foreign import Report, import_weights


def import_checkpoint(
    file: Path, *, task: str, output: Path, codebase: str | None = None, partial: bool = False, overwrite: bool = False
) -> None:
    """Bring a foreign checkpoint in as a weights file, and say exactly what fitted and what did not.

    Raises UsageError, WeightsError and the registry's errors as ``restore.core.weights.foreign.import_weights`` and
    ``restore.registry.entry`` do.
    """
    entry = registry.entry("tasks", task)
    if not entry.details.get("imports"):
        raise UsageError(f"{entry.full_name} knows no foreign code base, so that nothing can be imported for it")
    report = import_weights(
        file,
        output,
        task=entry.full_name,
        task_type=entry.load(),
        codebases=entry.locate("imports"),
        codebase=codebase,
        partial=partial,
        overwrite=overwrite,
    )
    made = rebuild(entry.load(), report.model, None, source=str(report.output))
    print("\n".join(lines(report, prediction(entry, made))))


def lines(report: Report, example: str) -> list[str]:
    """What came of an import, for a person; ``example`` stands behind ``restore predict W`` in the last line."""
    model = ", ".join(f"{name} {value}" for name, value in report.model.items())
    told = [f"{report.source}: a checkpoint of {report.codebase} for {report.task}" + (f" ({model})" if model else "")]
    told += [f"  {note}" for note in report.notes]
    if report.differences:
        told.append(f"  {report.loaded} tensors taken over; these do not fit and were left out or initialised:")
        told += [f"    {difference}" for difference in report.differences]
    else:
        told.append(f"  all {report.loaded} tensors taken over; none is missing, unexpected or misshapen")
    told += [f"Written to {report.output}. Next:"]
    told.append(f"  restore predict {shlex.quote(str(report.output))} {example}")
    return told
