"""What is shown while a command runs, and how metrics are printed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from restore.cli.console.next_steps import Example
    from restore.cli.console.progress import Progress


@contextmanager
def show_progress(stream: TextIO | None = None, example: Example | None = None) -> Iterator[Progress]:
    """Yield a listener for the events of a run.

    Args:
        stream: where to print; None: standard output. On a terminal the listener draws live lines.
        example: tells what follows ``restore predict RUN`` in the commands to try next; None: one image.
    """
    stream = stream or sys.stdout
    if stream.isatty():
        from restore.cli.console.live import LiveProgress

        with LiveProgress(example=example) as live:
            yield live
    else:
        from restore.cli.console.progress import PlainProgress

        yield PlainProgress(stream, example)
