"""Long text on a terminal, and the same text on one line everywhere else."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap

NARROWEST, WIDEST = 60, 110
"""Columns between which a paragraph is wrapped, however narrow or wide the terminal is."""


def paragraph(text: str, first: str = "") -> str:
    """Wrap text to the terminal; leave it on one line where standard output is a file or a pipe.

    A log is searched and a path in it is copied, so nothing may depend on the width of a terminal there. A word is
    never broken, not even on a terminal: it may be a path or a flag.

    Args:
        text: one paragraph; line breaks in it become blanks.
        first: what stands before the first line, such as ``"- "``; the other lines are indented as far.
    """
    text = re.sub(r"\s*\n\s*", " ", text)
    if not sys.stdout.isatty():
        return first + text
    return textwrap.fill(
        text,
        max(NARROWEST, min(WIDEST, shutil.get_terminal_size().columns)),
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    )
