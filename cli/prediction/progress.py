"""How far the work on several images is, whose sizes differ, and how long one of them will take."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from restore.core.errors import RestoreError

if TYPE_CHECKING:
    from restore.cli.console.bar import Bar
    from restore.cli.prediction.jobs import Job

_BUDGET = 1.0
"""Seconds for reading the sizes of images; the others count as their mean."""


class JobProgress:
    """Follows the images on a bar, in one process or several.

    An image counts as its pixels, since that is what takes time.

    Args:
        jobs: the images.
        bar: shows progress.
    """

    def __init__(self, jobs: Sequence[Job], bar: Bar) -> None:
        self._jobs, self._bar = jobs, bar
        self._pixels = _read_sizes(jobs) if bar.drawn else [1.0] * len(jobs)
        self._total = sum(self._pixels)
        self._shares = dict[int, float]()
        self._ended = set[int]()

    def tile(self, index: int, done: int, total: int) -> None:
        """Show that so many tiles of an image are done."""
        self._shares[index] = done / total
        name = Path(self._jobs[index].shown).name
        self._show(name if done < total else f"writing {name}", f"tile {done}/{total}" if total > 1 else "")

    def end(self, index: int) -> None:
        """Count an image as done, whether it succeeded or not."""
        self._shares[index] = 1.0
        self._ended.add(index)
        self._show(Path(self._jobs[index].shown).name, "")

    def _show(self, what: str, detail: str) -> None:
        done = sum(self._pixels[index] * share for index, share in self._shares.items())
        count = f"image {min(len(self._ended) + 1, len(self._jobs))}/{len(self._jobs)}" if len(self._jobs) > 1 else ""
        self._bar.show(what, done, self._total, ", ".join(filter(None, (count, detail))))


def _read_sizes(jobs: Sequence[Job]) -> list[float]:
    """Return the pixels of each image; of those that there is no time to look at, the mean of the others."""
    from restore.core.images.files import image_size

    began, known = time.monotonic(), []
    for job in jobs:
        if time.monotonic() - began > _BUDGET:
            break
        try:
            height, width = image_size(job.path)
            known.append(float(height * width))
        except RestoreError:
            known.append(0.0)  # it fails at once
    mean = sum(known) / len(known) if known else 1.0
    return [size or 1.0 for size in [*known, *[mean] * (len(jobs) - len(known))]]


class ExpectedTime:
    """Tells once, when two tiles of an image are done, how long all of them will take.

    The first tile takes longer than the others, so the time of the second counts.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began, self._first = clock(), 0.0

    def tile(self, done: int, total: int) -> float | None:
        """Take note of a tile; return the seconds for all of them, the first one's delay included, at the second."""
        now = self._clock()
        if done == 1:
            self._first = now
        if done != 2 or total < 3:
            return None
        return now - self._began + (now - self._first) * (total - done)
