"""Which names are allowed, which are the same, and which was probably meant."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from restore.registry.kinds import Kind

CORE_COMMANDS: Final = frozenset(
    {
        *("train", "evaluate", "predict", "import", "export", "weights", "pack", "list-plugins", "show", "doctor"),
        *("new-plugin", "plugin", "report", "runs", "recipes", "serve"),
    }
)
"""Commands of the tool itself, which plugins cannot use."""

_WORDS = r"[a-z0-9]+(-[a-z0-9]+)*"
_TASK = re.compile(_WORDS)
_COMMAND = re.compile(f"{_WORDS}( {_WORDS})?")
_OTHER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")


def check_name(kind: Kind, name: object) -> str:
    """Return why ``name`` cannot be registered as one of ``kind``; empty if it can."""
    if not isinstance(name, str):
        return f"a name must be a string, not {name!r}"
    if kind == "tasks":
        return "" if _TASK.fullmatch(name) else f"invalid task name {name!r}: use lower-case words joined by hyphens"
    if kind == "commands":
        if not _COMMAND.fullmatch(name):
            return f"invalid command name {name!r}: use one or two lower-case words separated by one space"
        first = name.partition(" ")[0]
        return f"{first!r} is a command of restore itself" if first in CORE_COMMANDS else ""
    return "" if _OTHER.fullmatch(name) else f"invalid name {name!r}: use letters, digits and . _ + - only"


def check_reference(reference: object) -> str:
    """Return why ``reference`` is no ``"module:attribute"``; empty if it is."""
    if isinstance(reference, str) and reference.count(":") == 1:
        module, _, attribute = reference.partition(":")
        if is_dotted(module) and is_dotted(attribute):
            return ""
    return f'{reference!r} must be a "module:attribute" string'


def is_dotted(text: str) -> bool:
    """Whether ``text`` is identifiers joined by dots."""
    return all(part.isidentifier() for part in text.split("."))


def normalize_plugin(name: str) -> str:
    """Return the name of a plugin for a typed one: ``inpaint-gan`` and ``inpaint_gan`` are the same."""
    return name.replace("-", "_")


def normalize_name(kind: Kind, name: str) -> str:
    """Return the registered name for a typed one: tasks have hyphens for underscores, commands single spaces."""
    if kind == "tasks":
        return name.replace("_", "-")
    return " ".join(name.split()) if kind == "commands" else name


def close_matches(name: str, known: Iterable[str]) -> list[str]:
    """Return up to three of ``known`` that look like ``name``, best first."""
    from difflib import get_close_matches

    spelling = {candidate.lower(): candidate for candidate in known}
    return [spelling[match] for match in get_close_matches(name.lower(), list(spelling), n=3)]


def did_you_mean(name: str = "", known: Iterable[str] = (), *, close: Iterable[str] | None = None) -> str:
    """Return ``; did you mean 'a' or 'b'?``, or nothing if no name is close.

    Args:
        name: the unknown name.
        known: the names that exist.
        close: the suggestions, if they are known already.
    """
    listed = " or ".join(map(repr, close_matches(name, known) if close is None else close))
    return f"; did you mean {listed}?" if listed else ""


def one_line(text: str, limit: int = 300) -> str:
    """Return ``text`` as one line without control characters, cut at ``limit`` characters."""
    printable = "".join(character if character.isprintable() else " " for character in text)
    line = " ".join(printable.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"
