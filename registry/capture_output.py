"""Keep what a plugin prints while it is imported off the screen and out of machine-readable output."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress


@contextmanager
def capture_output() -> Iterator[Callable[[], str]]:
    """While the block runs, nothing reaches standard output or standard error.

    Yields a function that returns what Python code wrote. What compiled code or a child process writes directly to the
    file descriptors is discarded.
    """
    buffer = io.BytesIO()
    # A real text stream instead of a StringIO: some modules use `buffer` or call `reconfigure`.
    stream = io.TextIOWrapper(buffer, encoding="utf-8", errors="replace", write_through=True)
    for standard in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):  # no stream, a broken pipe, or closed: nothing to write
            standard.flush()  # or it would be discarded later
    with ExitStack() as stack:
        for descriptor in (1, 2):
            with suppress(OSError):  # closed, as in a service: nothing can be written to it either
                _discard(descriptor, stack)
        stack.enter_context(redirect_stdout(stream))
        stack.enter_context(redirect_stderr(stream))
        yield lambda: "" if stream.closed else buffer.getvalue().decode("utf-8", "replace")


def _discard(descriptor: int, stack: ExitStack) -> None:
    """Send what is written to a file descriptor nowhere until the stack is closed."""
    original = os.dup(descriptor)
    stack.callback(os.close, original)
    stack.callback(os.dup2, original, descriptor)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
