"""Several models side by side: a folder of results for each, a contact sheet and a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from restore.cli.prediction.applying import Applied, prepare
from restore.cli.prediction.comparison_page import ComparisonPage, choose_side
from restore.cli.prediction.contact_sheet import ContactSheet
from restore.cli.prediction.crops import Version, cut_crops
from restore.cli.prediction.labels import name_folders
from restore.cli.prediction.output_files import refuse_overwrites
from restore.core.errors import RestoreError, UsageError

if TYPE_CHECKING:
    from restore.cli.command_line import CommandLine
    from restore.cli.console.bar import Bar
    from restore.cli.model_ref import ModelRef
    from restore.cli.prediction.jobs import Job
    from restore.cli.prediction.pipes import Pipes
    from restore.cli.task_options import PredictRequest
    from restore.core.settings import Settings

PAGE, SHEET = "compare.html", "contact-sheet.png"
"""Names of the files beside the folders of results."""


@dataclass(frozen=True)
class _Compared:
    label: str
    applied: Applied


def compare(
    models: Sequence[ModelRef],
    options: Sequence[Settings | None],
    pipes: Pipes,
    request: PredictRequest,
    bar: Bar,
    command: CommandLine,
) -> None:
    """Apply every model to the images, and write a sheet and a page that show their results side by side.

    All models are opened and checked before the first image is read. A model that fails on an image does not end the
    others.

    Args:
        models: what to apply.
        options: the tasks' own options, one for each model.
        pipes: the images, and the folder for everything.
        request: the options of the command.
        bar: shows progress.
        command: the command line, for other processes.

    Raises:
        UsageError: something is wrong before the first image is read.
        RestoreError: some images failed; they are reported one by one.
    """
    if pipes.to_standard_output:
        raise UsageError("--output -: --compare writes several files; name a folder")
    labels = name_folders(models)
    page, sheet = pipes.output / PAGE, pipes.output / SHEET
    refuse_overwrites([page, sheet], pipes.inputs, request.overwrite or request.skip_existing)
    compared = [
        _Compared(label, prepare(model, own, pipes, pipes.output / label, request, bar))
        for model, own, label in zip(models, options, labels, strict=True)
    ]
    for number, each in enumerate(compared):
        each.applied.run(replace(command, model=number), bar)
        bar.say(each.applied.summarize())
    _show(compared, page, sheet, bar)
    failed = sum(len(each.applied.failed) for each in compared)
    if failed:
        raise RestoreError(f"{failed} of {sum(len(each.applied.jobs) for each in compared)} results are missing")


def _show(compared: Sequence[_Compared], page: Path, sheet: Path, bar: Bar) -> None:
    """Write the page and the sheet."""
    jobs = compared[0].applied.jobs
    labels = ["input", *(each.label for each in compared)]
    side = choose_side(len(jobs) * len(labels))
    shown, drawn = ComparisonPage(labels), ContactSheet(labels)
    for number, job in enumerate(jobs, 1):
        bar.show(f"comparing {Path(job.shown).name}", number, len(jobs))
        crops, place = cut_crops(_versions(job, compared), side)
        shown.add(job.name, place, crops)
        drawn.add(job.name, crops)
    for path in (shown.write(page), drawn.write(sheet)):
        bar.print(str(path))


def _versions(job: Job, compared: Sequence[_Compared]) -> list[Version]:
    results = [Version(each.label, each.applied.find_result(job)) for each in compared]
    return [Version("input", job.path, job.frame), *results]
