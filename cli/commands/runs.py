"""``restore runs``: list the runs of a folder, or say in what two runs differ."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from restore.cli.exit import print_error
from restore.cli.printable import printable
from restore.core.errors import UsageError
from restore.registry.naming import did_you_mean

if TYPE_CHECKING:
    from restore.core.runs.listing import ListedRun
    from restore.core.runs.record import RunRecord

SORTS = ("name", "date", "state", "disk", "seconds")


def runs(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="DIR", help="Folder with runs, by default runs/. Or 'diff A B': compare two runs."),
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option("--sort", metavar="KEY", help=f"Sort by {', '.join(SORTS)} or a metric, the best first."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the runs of a folder with their state, best metrics and size; "diff A B" compares two runs.

    A run is running, finished, or stopped: interrupted, failed or killed. "restore train TASK --resume RUN" goes on
    with it.
    """
    words = words or []
    if words[:1] == ["diff"] and (len(words) > 1 or not Path("diff").is_dir()):
        if len(words) != 3:
            raise UsageError("restore runs diff needs two runs: restore runs diff runs/a runs/b")
        if sort is not None:
            raise UsageError("--sort has no meaning for restore runs diff; leave it out")
        _compare(Path(words[1]), Path(words[2]), as_json)
        return
    if len(words) > 1:
        raise UsageError(f"one folder at a time (got {len(words)}); 'restore runs diff A B' compares two runs")
    _list(Path(words[0] if words else "runs"), given=bool(words), sort=sort, as_json=as_json)


def _list(folder: Path, *, given: bool, sort: str | None, as_json: bool) -> None:
    from restore.core.json_text import dump_json
    from restore.core.runs.listing import list_run_folders, list_runs

    if not folder.is_dir() and given:
        raise UsageError(f"{folder}: no such folder; give the folder that holds the runs, as with --out")
    found, errors = list_runs(list_run_folders(folder))
    found = _sort(found, sort)
    if as_json:
        typer.echo(dump_json({"folder": str(folder), "runs": [each.as_json() for each in found], "errors": errors}))
        return
    if not found:
        typer.echo(f"There are no runs in {folder}. 'restore train TASK' makes one.")
    for each in found:
        typer.echo(printable("\n".join(_text(each))))
    for error in errors:
        print_error(error)


def _sort(found: list[ListedRun], key: str | None) -> list[ListedRun]:
    if key in (None, "name"):
        return found
    if key == "date":
        return sorted(found, key=lambda each: each.run.begun, reverse=True)
    if key == "state":
        order = ("running", "stopped", "finished")
        return sorted(found, key=lambda each: order.index(each.run.state))
    if key == "disk":
        return sorted(found, key=lambda each: each.disk, reverse=True)
    if key == "seconds":
        return sorted(found, key=lambda each: each.run.seconds, reverse=True)
    return _sort_by_metric(found, str(key))


def _sort_by_metric(found: list[ListedRun], name: str) -> list[ListedRun]:
    """Sort by the best weights of the last phase. Raises UsageError if no run has the metric, or if it has two."""
    columns = {
        value.column
        for each in found
        for value in each.run.best
        if name in (value.name, f"{value.name} ({value.convention})")
    }
    if not columns:
        known = [*SORTS, *sorted({value.name for each in found for value in each.run.best})]
        raise UsageError(f"--sort {name}: no run here has it{did_you_mean(name, known)}; sort by {', '.join(known)}")
    if len({convention for _, convention in columns}) > 1:
        listed = " or ".join(sorted(f"'{name} ({convention})'" for _, convention in columns))
        raise UsageError(f"--sort {name}: these runs measured it in different ways; sort by one of them: {listed}")
    (column,) = columns
    higher = "lower" not in {each.run.find_direction(column) for each in found}

    def rank(each: ListedRun) -> float:
        values = [value.value for value in each.run.best if value.column == column]
        if not values or math.isnan(values[0]):
            return math.inf
        return -values[0] if higher else values[0]

    return sorted(found, key=rank)


def _text(each: ListedRun) -> Iterator[str]:
    from restore.cli.console.durations import format_duration
    from restore.cli.console.tables import Row, format_sentence

    run = each.run
    facts = [
        run.task,
        run.state + (f" ({run.ending})" if run.ending else ""),
        f"{run.epochs} of {run.settings.get('epochs')} epochs",
        format_duration(run.seconds),
        f"{each.disk / 1e6:,.1f} MB",
        *([f"begun {run.begun[:16].replace('T', ' ')} UTC"] if run.begun else []),
    ]
    yield f"{run.path}: {', '.join(facts)}"
    if run.best:
        rows = [Row(each.of, *each.column, each.value, each.coverage) for each in run.best]
        yield f"    {format_sentence(rows)}"


# --- differences --------------------------------------------------------------------------------------------------


def _compare(one: Path, other: Path, as_json: bool) -> None:
    from restore.core.json_text import dump_json
    from restore.core.reports.differences import label_runs, list_data, list_differing
    from restore.core.runs.record import read_run

    pair = [read_run(one), read_run(other)]
    if pair[0].path.resolve() == pair[1].path.resolve():
        raise UsageError(f"{one} and {other} are the same run; give two")
    tables = {"settings": list_differing(pair), "data": list_data(pair)}
    labels = label_runs(pair)
    if as_json:
        as_trees = {name: dict(rows) for name, rows in tables.items()}
        numbers = [list(run.numbers) for run in pair]
        typer.echo(dump_json({"runs": [str(run.path) for run in pair], **as_trees, "numbers": numbers}))
        return
    for name, rows in tables.items():
        typer.echo(printable("\n".join(_format(name, labels, rows))))
    typer.echo(printable("\n".join(_format("numbers", labels, _pair_numbers(pair)))))


def _pair_numbers(pair: Sequence[RunRecord]) -> list[tuple[str, list[str]]]:
    tables = [{(v.of, *v.column): v.value for v in run.numbers} for run in pair]
    rows = []
    for key in dict.fromkeys(key for table in tables for key in table):
        values = [table.get(key, math.nan) for table in tables]
        shown = ["-" if math.isnan(value) else f"{value:.4f}" for value in values]
        gain = values[1] - values[0]
        rows.append((f"{key[1]} ({key[2]}) of {key[0]}", [*shown, *([f"{gain:+.4f}"] if math.isfinite(gain) else [])]))
    return rows


def _format(title: str, labels: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> Iterator[str]:
    """Yield a table: a line for each difference, or for each value where lines would be too long."""
    if not rows:
        yield f"{title}: no difference"
        return
    yield f"{title}:"
    columns = [labels, *(values for _, values in rows)]
    width = max(len(name) for name, _ in rows)
    widths = [max(len(values[place]) for values in columns) for place in (0, 1)]
    if width + sum(widths) > 100:
        for name, values in rows:
            yield f"  {name}"
            yield from (f"    {label}: {value}" for label, value in zip(labels, values, strict=False))
        return
    yield "  " + "  ".join([" " * width, *(label.rjust(wide) for label, wide in zip(labels, widths, strict=True))])
    for name, values in rows:
        cells = [value.rjust(wide) for value, wide in zip(values, widths, strict=False)]
        yield "  " + "  ".join([name.ljust(width), *cells, *values[2:]])
