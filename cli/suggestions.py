"""Guess what a mistyped name was meant to be."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`` Did you mean 'a' or 'b'?`` with a leading space, or nothing where no known name is close."""
    from difflib import get_close_matches

    close = get_close_matches(word, list(known), n=2)
    return f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
