"""Commands over many images: report the image that cannot be processed, go on, and fail at the end."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from restore.core.errors import RestoreError

Result = TypeVar("Result")

_log = logging.getLogger(__name__)


class Failures:
    """The images that a command could not process."""

    def __init__(self) -> None:
        self.paths: list[Path] = []

    def attempt(self, path: Path, work: Callable[[], Result]) -> Result | None:
        """Return what ``work`` returns for an image, or None if it raises a RestoreError, which is logged."""
        try:
            return work()
        except RestoreError as error:
            self.paths.append(path)
            _log.warning("%s", error if str(path) in str(error) else f"{path}: {error}")
            return None

    def raise_any(self, total: int, done: str) -> None:
        """Raise RestoreError if there are any.

        Args:
            total: the number of images.
            done: what could not be done with them, such as ``aligned``.
        """
        if self.paths:
            raise RestoreError(f"{len(self.paths)} of {total} images could not be {done}")
