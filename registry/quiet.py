"""Keep what a stranger's module prints while it is imported away from the screen and from machine-readable output."""

from __future__ import annotations

import io
import os
import sys
from types import TracebackType
from typing import Self


class Quiet:
    """While the block runs, nothing reaches standard output or standard error.

    What Python code writes is kept in :attr:`text`. What compiled code or a child process writes straight to the file
    descriptors is lost.
    """

    def __init__(self) -> None:
        self._bytes = io.BytesIO()
        self._descriptors: list[tuple[int, int]] = []

    @property
    def text(self) -> str:
        """What was written, decoded."""
        return "" if self._bytes.closed else self._bytes.getvalue().decode("utf-8", "replace")

    def __enter__(self) -> Self:
        self._streams = sys.stdout, sys.stderr
        self._flush()
        self._silence_descriptors()
        # A real text stream and not a StringIO: modules look for `buffer` and call `reconfigure`.
        stream = io.TextIOWrapper(self._bytes, encoding="utf-8", errors="replace", write_through=True)
        sys.stdout = sys.stderr = self._stream = stream
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        sys.stdout, sys.stderr = self._streams
        for descriptor, original in self._descriptors:
            os.dup2(original, descriptor)
            os.close(original)

    def _silence_descriptors(self) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            for descriptor in (1, 2):
                try:
                    original = os.dup(descriptor)
                except OSError:  # closed, as in a service: nothing can be written to it either
                    continue
                self._descriptors.append((descriptor, original))
                os.dup2(nowhere, descriptor)
        finally:
            os.close(nowhere)

    def _flush(self) -> None:
        """Write out what is buffered, or it would be written to nowhere later."""
        for stream in self._streams:
            try:
                stream.flush()
            except (AttributeError, OSError, ValueError):  # no stream, a broken pipe, or closed: nothing to write
                continue
