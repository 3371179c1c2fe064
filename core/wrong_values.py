"""What pydantic says about wrong values, in words for a person."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError

_BEGINNING = r"(^|: )"
"""Where a message starts: in the text, or behind the name of what is wrong."""
_RULES = (
    (re.compile(rf"{_BEGINNING}(?:Value error|Assertion failed), "), r"\1"),
    (re.compile(rf"{_BEGINNING}Input should "), r"\1should "),
    (re.compile(r", unable to parse .*?(?=\.?$|; )"), ""),
)


def clean_message(text: str) -> str:
    """Return a message of pydantic, alone or behind a name and a colon, without the words that help nobody.

    >>> clean_message("Value error, 'onx' is no format")
    "'onx' is no format"
    >>> clean_message("'--port': Input should be a valid integer, unable to parse string as an integer.")
    "'--port': should be a valid integer."
    """
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


def describe_wrong_values(error: ValidationError) -> str:
    """Return every wrong value of a pydantic error in one line, each with its place: ``model.scale: should be 2``."""
    described = [
        ": ".join(filter(None, [".".join(map(str, detail["loc"])), clean_message(detail["msg"])]))
        for detail in error.errors(include_url=False)
    ]
    return "; ".join(dict.fromkeys(described))
