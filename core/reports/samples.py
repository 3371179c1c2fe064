"""Sample images in a page: before and after with a slider, and how they changed over time; within a budget of bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from restore.core.pages.embedding import embed_image
from restore.core.runs.record import RunRecord
from restore.core.runs.sheet_cells import read_cells

BUDGET = 7_000_000
"""Bytes of all sample images of a page, which leaves room for the rest of at most 10 MB."""
EPOCHS = 6
"""Most sheets that are shown of a run."""
SHEET_SIDE = 1024
"""Longest side of a sheet that does not tell where its images lie."""


@dataclass(frozen=True)
class ShownImage:
    """An image of the page."""

    source: str
    """``data:`` address."""
    caption: str


@dataclass(frozen=True)
class SampleRow:
    """One sample of the validation images."""

    number: int
    before: ShownImage
    after: ShownImage
    steps: Sequence[ShownImage]
    """The output over time, oldest first."""
    others: Sequence[ShownImage]
    """The target, and what else a task shows."""


@dataclass
class Samples:
    """The sample images of a run."""

    rows: list[SampleRow] = field(default_factory=list)
    sheets: list[ShownImage] = field(default_factory=list)
    """Whole sheets, if they do not tell where their images lie."""
    notes: list[str] = field(default_factory=list)
    """What was left out."""


def collect_samples(run: RunRecord, budget: int = BUDGET) -> Samples:
    """Return the sample images of a run, of a few epochs, as many as fit into ``budget`` bytes."""
    chosen = choose(run.sheets, EPOCHS)
    opened = [(epoch_of(path), sheet) for path in chosen if (sheet := _open(path)) is not None]
    found = Samples()
    if not opened:
        return found
    if len(chosen) < len(run.sheets):
        found.notes.append(f"{len(chosen)} of {len(run.sheets)} epochs are shown; {run.name}/samples/ has all.")
    if len(opened) < len(chosen):
        found.notes.append(f"{len(chosen) - len(opened)} sheets of samples cannot be read.")
    pieces: Iterator[SampleRow | ShownImage] = _rows(opened) if read_cells(opened[-1][1]) else _sheets(opened)
    used = 0
    for shown, piece in enumerate(pieces):
        used += _size(piece)
        if used > budget:
            found.notes.append(f"{shown} samples are shown, so that the page stays small; samples/ has all.")
            break
        if isinstance(piece, SampleRow):
            found.rows.append(piece)
        else:
            found.sheets.append(piece)
    return found


def choose(paths: Sequence[Path], most: int) -> list[Path]:
    """Return the first, the last and evenly chosen paths between them."""
    if len(paths) <= most:
        return list(paths)
    places = [round(index * (len(paths) - 1) / (most - 1)) for index in range(most)]
    return [paths[place] for place in places]


def epoch_of(sheet: Path) -> int:
    """Return the epoch of a sheet, from 1."""
    digits = sheet.stem.rpartition("-")[2]
    return int(digits) if digits.isdecimal() else 0


def newest_sheet(run: RunRecord) -> Image.Image | None:
    """Return the newest sheet that can be read."""
    return next((sheet for path in run.sheets[::-1] if (sheet := _open(path)) is not None), None)


def cut_rows(sheet: Image.Image) -> list[list[Image.Image]]:
    """Return the images of a sheet, row by row; empty if it does not tell where they lie."""
    return [[sheet.crop(box) for box in row] for row in read_cells(sheet)]


def _open(path: Path) -> Image.Image | None:
    try:
        with Image.open(path) as sheet:
            sheet.load()
            return sheet
    except (OSError, UnidentifiedImageError, ValueError):
        return None


def _sheets(opened: Sequence[tuple[int, Image.Image]]) -> Iterator[SampleRow | ShownImage]:
    for epoch, sheet in opened:
        yield ShownImage(embed_image(sheet, max_side=SHEET_SIDE), f"epoch {epoch}")


def _rows(opened: Sequence[tuple[int, Image.Image]]) -> Iterator[SampleRow | ShownImage]:
    cut = [(epoch, cut_rows(sheet)) for epoch, sheet in opened]
    last_epoch, last = cut[-1]
    for number, row in enumerate(last):
        if len(row) < 2:
            continue
        # sheets of another layout, as after --sample-images changed, are left out
        steps = [
            ShownImage(embed_image(rows[number][1]), f"epoch {epoch}")
            for epoch, rows in cut
            if number < len(rows) and len(rows[number]) > 1 and rows[number][1].size == row[1].size
        ]
        others = [
            ShownImage(embed_image(image), _name(index, len(row))) for index, image in enumerate(row) if index > 1
        ]
        before = ShownImage(embed_image(row[0]), "input")
        yield SampleRow(number + 1, before, ShownImage(steps[-1].source, f"epoch {last_epoch}"), steps, others)


def _name(index: int, count: int) -> str:
    return "target" if index == count - 1 else f"variant {index - 1}"


def _size(piece: SampleRow | ShownImage) -> int:
    if isinstance(piece, ShownImage):
        return len(piece.source)
    images = [piece.before, *piece.steps, *piece.others]
    # the slider repeats the input and the newest output
    return sum(len(image.source) for image in images) + len(piece.before.source) + len(piece.after.source)
