"""Which names are allowed, which are the same, and which was probably meant."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from restore.registry.hooks import Kind

CORE_COMMANDS: Final = frozenset({"train", "evaluate", "predict", "import", "list-plugins", "show", "doctor"})
"""Commands of the tool itself, which no plugin may take."""

_WORDS = r"[a-z0-9]+(-[a-z0-9]+)*"
_TASK = re.compile(_WORDS)
_COMMAND = re.compile(f"{_WORDS}( {_WORDS})?")
_OTHER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")


def naming_fault(kind: Kind, name: object) -> str:
    """Why ``name`` cannot be registered as one of ``kind``; empty if it can."""
    if not isinstance(name, str):
        return f"a name is a string, not {name!r}"
    if kind == "tasks":
        return "" if _TASK.fullmatch(name) else f"{name!r} is no task name: lower case, words joined by hyphens"
    if kind == "commands":
        if not _COMMAND.fullmatch(name):
            return f"{name!r} is no command name: one or two words in lower case, joined by one space"
        first = name.partition(" ")[0]
        return f"{first!r} is a command of restore itself" if first in CORE_COMMANDS else ""
    return "" if _OTHER.fullmatch(name) else f"{name!r} is no name: letters, digits and . _ + - only"


def reference_fault(reference: object) -> str:
    """Why ``reference`` is no ``"module:attribute"``; empty if it is."""
    if isinstance(reference, str) and reference.count(":") == 1:
        module, _, attribute = reference.partition(":")
        if is_dotted(module) and is_dotted(attribute):
            return ""
    return f'{reference!r} is no "module:attribute" string'


def is_dotted(text: str) -> bool:
    """Whether ``text`` is identifiers joined by dots."""
    return all(part.isidentifier() for part in text.split("."))


def as_plugin(name: str) -> str:
    """A typed plugin name as plugins are called: ``inpaint-gan`` and ``inpaint_gan`` are one."""
    return name.replace("-", "_")


def as_registered(kind: Kind, name: str) -> str:
    """A typed short name as it was registered: a task's underscores are hyphens, spaces in a command are one."""
    if kind == "tasks":
        return name.replace("_", "-")
    return " ".join(name.split()) if kind == "commands" else name


def canonical(distribution: str | None) -> str:
    """A distribution's name as package indexes compare it: ``Restore.Demo`` and ``restore-demo`` are one."""
    return re.sub(r"[-_.]+", "-", distribution or "").lower()


def close_to(name: str, known: Iterable[str]) -> list[str]:
    """Up to three of ``known`` that look like ``name``, best first."""
    from difflib import get_close_matches

    spelling = {candidate.lower(): candidate for candidate in known}
    return [spelling[match] for match in get_close_matches(name.lower(), list(spelling), n=3)]


def did_you_mean(close: Iterable[str]) -> str:
    """``; did you mean 'a' or 'b'?``, or nothing where nothing is close."""
    listed = " or ".join(repr(name) for name in close)
    return f"; did you mean {listed}?" if listed else ""


def one_line(text: str, limit: int = 300) -> str:
    """``text`` on one line, without control characters, cut at ``limit`` characters."""
    printable = "".join(character if character.isprintable() else " " for character in text)
    line = " ".join(printable.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"
