"""``-`` in place of a file: an image from standard input, and a result to standard output."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from restore.core.errors import UsageError

PIPE = Path("-")

_NAME = "stdin"
"""Stem of the result of standard input."""


@dataclass(frozen=True)
class Pipes:
    """Where the images lie, and where results go, while pipes are used."""

    inputs: list[Path]
    output: Path
    """Folder for the results."""
    standard_input: Path | None
    """The file that holds standard input."""
    to_standard_output: bool

    def rename(self, text: str) -> str:
        """Return a message in which standard input has its name."""
        return text if self.standard_input is None else text.replace(str(self.standard_input), "standard input")


@contextmanager
def open_pipes(inputs: Sequence[Path], output: Path) -> Iterator[Pipes]:
    """Keep standard input in a file within the block, and pass the one result on to standard output at its end.

    Raises UsageError if standard input or output is a terminal or is closed, or if ``-`` is given twice.
    """
    if PIPE not in inputs and output != PIPE:
        yield Pipes(list(inputs), output, None, to_standard_output=False)
        return
    _check(inputs, output)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="restore-")))
        kept = None
        if PIPE in inputs:
            kept = folder / "input" / _NAME
            kept.parent.mkdir()
            with kept.open("wb") as file:
                shutil.copyfileobj(sys.stdin.buffer, file)
            if not kept.stat().st_size:
                raise UsageError("standard input is empty; expected an image")
        results = folder / "output" if output == PIPE else output
        given = [kept if path == PIPE and kept is not None else path for path in inputs]
        yield Pipes(given, results, kept, to_standard_output=output == PIPE)
        if output == PIPE:
            (result,) = results.rglob("*.*")
            with result.open("rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.buffer.flush()


def _check(inputs: Sequence[Path], output: Path) -> None:
    if inputs.count(PIPE) > 1:
        raise UsageError("INPUT: - (standard input) is given twice")
    if PIPE in inputs and (sys.stdin is None or sys.stdin.isatty()):
        raise UsageError("INPUT: - is standard input, which is no file or pipe here; add < photo.jpg")
    if output == PIPE and (sys.stdout is None or sys.stdout.isatty()):
        raise UsageError("--output -: standard output is no file or pipe here; add > photo.png")
