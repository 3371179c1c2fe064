"""Divide pictures into those to train on and those to validate on, the same way every time. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from restore.core.errors import DataError, UsageError


def stratified(shares: Sequence[float], val_share: float, seed: int) -> tuple[list[int], list[int]]:
    """Indices to train on and to validate on, both in rising order, with alike shares of foreground.

    Pictures are sorted by their share of foreground and cut into as many runs as validation pictures are wanted (at
    least one; at least one is left to train on); one of each run is drawn. Raises UsageError for a single picture.
    """
    count = len(shares)
    if count < 2:
        raise UsageError(f"{count} picture cannot be divided into training and validation; give --val-data")
    wanted = min(max(1, round(val_share * count)), count - 1)
    random = np.random.default_rng(seed)
    order = np.argsort(np.asarray(shares), kind="stable")
    chosen = {int(random.choice(run)) for run in np.array_split(order, wanted)}
    return [index for index in range(count) if index not in chosen], sorted(chosen)


def listed(names: Sequence[str], file: Path) -> list[int]:
    """Indices of the pictures whose names stand in a text file, one a line; a file ending may follow the name.

    Raises UsageError where the file is missing or empty, DataError where it names pictures that do not exist.
    """
    try:
        lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}") from error
    wanted = [line for line in lines if line and not line.startswith("#")]
    if not wanted:
        raise UsageError(f"{file} names no picture")
    index_of = {name: index for index, name in enumerate(names)}
    unknown = [line for line in wanted if line not in index_of and Path(line).stem not in index_of]
    if unknown:
        shown = ", ".join(unknown[:5]) + (", …" if len(unknown) > 5 else "")
        raise DataError(f"{file} names {len(unknown)} pictures that are not there: {shown}")
    return sorted({index_of[line] if line in index_of else index_of[Path(line).stem] for line in wanted})
