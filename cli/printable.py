"""Text out of files, such as names and settings, as it can be shown: without control characters and endless words."""

from __future__ import annotations

import re

_SHOWN = 200
"""Letters that are shown of a word that is far too long."""
_LONG = re.compile(r"\S{2000,}")
"""No name is as long, and no path that a system takes is much longer."""
# A terminal would obey them: C0 but tab and line feed, delete, C1; and those that turn the direction of the text.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    r"""Return text with control characters written out, as ``\x1b``, and endless words cut; lines and tabs stay."""
    plain = _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
    return _LONG.sub(lambda found: f"{found[0][:_SHOWN]}… ({len(found[0]):,} letters)", plain)
