"""The file that a command writes beside the one that it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from restore.core.atomic import refuse_overwrite
from restore.core.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def refuse_source(output: Path, source: Path, overwrite: bool) -> None:
    """Raise UsageError if a file is the one that is read, or if it exists and must not be replaced."""
    if output.exists() and output.samefile(source):
        raise UsageError(f"--output {output} is the file that is read; choose another name")
    refuse_overwrite(output, overwrite)
