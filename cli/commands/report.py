"""``restore report``: write a page about runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from restore.core.atomic import refuse_overwrite, writable_folder
from restore.core.errors import UsageError


def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN", help="Run folders; several are compared side by side.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", metavar="FILE", help="HTML file to write; unset: report.html in the run folder (one run only)."
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing file.")] = False,
) -> None:
    """Write one HTML file about a run: results, curves, samples, settings, and how to repeat it.

    The file needs nothing else: no network, no other file. Of several runs it shows the differences. Every run writes
    its report at its end, unless it has --no-report.
    """
    from restore.core.reports.run_report import render_report
    from restore.core.runs.folder import RunFolder, write_atomically
    from restore.core.runs.record import read_run

    records = [read_run(run) for run in runs]
    paths = [record.path.resolve() for record in records]
    if len(set(paths)) < len(paths):
        raise UsageError("a run is given twice; give each once")
    if output is None and len(records) > 1:
        raise UsageError("several runs need --output FILE, such as --output comparison.html")
    if output is None:
        output = RunFolder(runs[0]).report  # generated from the run, so it may be replaced
    elif output.is_dir():
        raise UsageError(f"--output {output} is a folder; give a file, such as {output / 'report.html'}")
    else:
        refuse_overwrite(output, overwrite)
    writable_folder(output.parent)
    write_atomically(output, render_report(records).encode())
    typer.echo(f"written: {output}")
