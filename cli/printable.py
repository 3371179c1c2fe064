"""Text out of files, such as names and settings, as it can be shown: a terminal would obey its control characters."""

from __future__ import annotations

import re

# C0 but tab and line feed, delete, C1; and those that turn the direction of the text after them.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    r"""Return text with control characters written out, as ``\x1b``; line breaks and tabs stay."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
