"""Show what families log: a warning of a family is for the person at the command line."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from restore.cli.outcome import complain


def _complain(message: str) -> None:
    complain(message, prefix="Warning: ")


class _Told(logging.Handler):
    """Hands the text of each warning on, each text once."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._tell = tell
        self._told: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Tell a record that was not told before."""
        text = record.getMessage()
        if text not in self._told:
            self._told.add(text)
            self._tell(text)


@contextmanager
def warnings_told(tell: Callable[[str], None] = _complain) -> Iterator[None]:
    """While the block runs, warnings that any module logs go to ``tell``, by default to standard error."""
    root = logging.getLogger()
    handler = _Told(tell)
    others, root.handlers = root.handlers, [handler]
    try:
        yield
    finally:
        root.handlers = others
