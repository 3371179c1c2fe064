"""Print the warnings that plugins and the engine log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from restore.cli.exit import print_warning


class _PrintOnce(logging.Handler):
    """Passes the text of each warning to a function, each text once."""

    def __init__(self, print_text: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._print = print_text
        self._printed: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record whose text is new."""
        text = record.getMessage()
        if text not in self._printed:
            self._printed.add(text)
            self._print(text)


@contextmanager
def print_log_warnings(print_text: Callable[[str], None] = print_warning) -> Iterator[None]:
    """While the block runs, pass warnings that any module logs to ``print_text``, by default to standard error."""
    root = logging.getLogger()
    handler = _PrintOnce(print_text)
    others, root.handlers = root.handlers, [handler]
    try:
        yield
    finally:
        root.handlers = others
