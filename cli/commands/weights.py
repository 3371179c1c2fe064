"""``restore weights``: list the weights that are at hand: shipped, made by runs here, and imported."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from restore import registry
from restore.cli.cache import cache_folder
from restore.cli.foreign_weights import scale_of
from restore.cli.model_ref import name_entries, resolve_model
from restore.cli.printable import printable
from restore.core.errors import RestoreError

UNKNOWN = "not stated in the file"
HEADINGS = {"shipped": "With restore and its plugins", "run": "Of runs in runs/", "imported": "Imported"}


@dataclass(frozen=True)
class Row:
    """One weights file."""

    kind: str
    """``shipped``, ``run`` or ``imported``."""
    name: str
    """What to type after ``restore predict``."""
    task: str
    architecture: str | None
    scale: float | None
    parameters: int
    numbers: list[dict[str, Any]]
    """Measured metrics: ``{"name", "convention", "of", "value"}`` each."""
    card: dict[str, str]
    """What the file says of itself: data, licenses, use."""
    origin: str | None
    """Name of the file that it was imported from."""
    seconds: float | None = None
    """That a megapixel of the result takes on this CPU; None: not measured."""


def weights(
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
    timed: Annotated[
        bool, typer.Option("--time", help="Measure seconds a megapixel of the result, on this CPU.")
    ] = False,
) -> None:
    """List the weights that are at hand: shipped, made by runs here, and imported."""
    from restore.core.json_text import dump_json

    rows, errors = [], []
    for kind, name, path in list_files():
        try:
            row = _read(kind, name, path)
            rows.append(replace(row, seconds=_time(path)) if timed else row)
        except RestoreError as error:
            errors.append(str(error))
    if as_json:
        typer.echo(dump_json({"weights": [asdict(row) for row in rows], "errors": errors}))
        return
    lines = [*_format(rows), *(f"cannot be read: {error}" for error in errors)]
    typer.echo(printable("\n".join(lines)))


def list_files() -> Iterator[tuple[str, str, Path]]:
    """Yield kind, name and path of every weights file that is found.

    These are what plugins ship, the best weights of the runs in ``runs/``, the weights files in the working directory
    and the converted ones in the cache.
    """
    entries = registry.entries("weights")
    for (name, _), entry in zip(name_entries(entries), entries, strict=True):
        yield "shipped", name, Path(entry.load())
    for best in sorted(Path("runs").glob("*/best.safetensors")):
        yield "run", str(best.parent), best
    for folder in (Path(), cache_folder("converted")):
        for path in sorted(folder.glob("*.safetensors")) if folder.is_dir() else ():
            if _is_ours(path):
                yield "imported", str(path), path


def _is_ours(path: Path) -> bool:
    """Return whether a file is a weights file of restore, which others in the working directory need not be."""
    from restore.core.weights.header import ENTRY
    from restore.core.weights.safetensors_format import safetensors_header

    try:
        return ENTRY in safetensors_header(path).get("__metadata__", {})
    except RestoreError:
        return False


def _read(kind: str, name: str, path: Path) -> Row:
    from restore.core.weights.header import count_parameters, read_header

    header = read_header(path)
    architecture = header.model.get("architecture")
    origin = header.versions.get("imported_file")
    return Row(
        kind if kind != "imported" or origin else "run",
        name,
        header.task,
        architecture if isinstance(architecture, str) else None,
        scale_of(header.model),
        count_parameters(path),
        header.numbers,
        header.card,
        origin,
    )


def _time(path: Path) -> float:
    """Return the seconds that a megapixel of the result takes.

    Raises RestoreError if the weights cannot be opened here.
    """
    from restore.core.inference.timing import time_prediction

    return time_prediction(*resolve_model(str(path)).open())


def _format(rows: list[Row]) -> Iterator[str]:
    if not rows:
        yield "There are no weights here. 'restore train TASK' makes some, 'restore import FILE' takes those of others."
    for kind, heading in HEADINGS.items():
        found = [row for row in rows if row.kind == kind]
        if found:
            yield heading
            for row in found:
                yield from _format_row(row)
            yield ""


def _format_row(row: Row) -> Iterator[str]:
    width = min(shutil.get_terminal_size((110, 24)).columns, 110)
    size = [f"x{row.scale:g}"] if row.scale else []
    what = ", ".join([row.architecture or row.task, *size, f"{row.parameters:,} parameters"])
    cost = "" if row.seconds is None else f"; {row.seconds:.2g} s a megapixel of the result"
    yield f"  {row.name}"
    yield f"      {what}; {row.task}{cost}"
    if row.origin:
        yield f"      from {row.origin}"
    if row.numbers:
        values = (
            f"{number['name']} ({number['convention']}) {number['value']:.4g}"
            for number in row.numbers
            if number["value"] is not None
        )
        yield from textwrap.wrap("; ".join(values), width, initial_indent=" " * 6, subsequent_indent=" " * 6)
    card = row.card or {}
    if row.kind != "run":
        card = {**card, "license": card.get("license", UNKNOWN)}
    for name, text in card.items():
        yield from textwrap.wrap(f"{name}: {text}", width, initial_indent=" " * 6, subsequent_indent=" " * 8)
