"""Long text, wrapped on a terminal and on one line everywhere else."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap

NARROWEST, WIDEST = 60, 110
"""Smallest and largest width of a paragraph in columns, whatever the terminal."""


def wrap(text: str, first: str = "") -> str:
    """Wrap text to the terminal; return it on one line if standard output is a file or a pipe.

    In a file people search for text and copy paths, so there it does not depend on the width of a terminal. A word is
    never broken, not even on a terminal: it may be a path or a flag.

    Args:
        text: one paragraph; line breaks in it become spaces.
        first: what precedes the first line, such as ``"- "``; the other lines are indented to match.
    """
    text = re.sub(r"\s*\n\s*", " ", text)
    if sys.stdout is None or not sys.stdout.isatty():  # None if the parent process closed it
        return first + text
    return textwrap.fill(
        text,
        max(NARROWEST, min(WIDEST, shutil.get_terminal_size().columns)),
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    )
