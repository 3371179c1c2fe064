"""Collect and check what one plugin registers; either all of it is used or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from restore.registry.discovery import Candidate
from restore.registry.hooks import SINGULAR, Kind, Register
from restore.registry.naming import check_name, check_reference, did_you_mean, one_line
from restore.registry.references import Entry

_REQUIRED: Final = object()


class RegistrationError(Exception):
    """A plugin registered something invalid; the message is the reason that the user sees."""


@dataclass(frozen=True)
class Detail:
    """One detail that a kind knows."""

    error: Callable[[object], str]
    """Returns what is wrong with a value; empty if nothing is."""
    default: object = None
    """Used if nothing was registered; ``None``: the detail is left out."""


def _one_of(*allowed: object) -> Callable[[object], str]:
    listed = " or ".join(repr(value) for value in allowed)

    def error(value: object) -> str:
        # Types must match too, because 1 equals True.
        known = any(type(value) is type(choice) and value == choice for choice in allowed)
        return "" if known else f"{value!r} is not {listed}"

    return error


DETAILS: Final[Mapping[Kind, Mapping[str, Detail]]] = {
    "tasks": {
        "settings": Detail(check_reference, _REQUIRED),
        "predict": Detail(check_reference),
        "evaluate": Detail(check_reference),
        "imports": Detail(check_reference),
        "weights": Detail(_one_of(True, False), default=True),
    },
    "architectures": {},
    "datasets": {},
    "losses": {},
    "metrics": {},
    "commands": {
        "settings": Detail(check_reference, _REQUIRED),
        "needs": Detail(_one_of("weights", "nothing"), _REQUIRED),
    },
}


class Registration:
    """What one plugin has registered so far; :attr:`entries` is complete when every hook has returned."""

    def __init__(self, candidate: Candidate) -> None:
        self._candidate = candidate
        self._open = True
        self.entries: list[Entry] = []

    def register(self, kind: Kind) -> Register:
        """Return the function that a hook of this kind is called with."""

        def register(name: str, reference: str, *, summary: str = "", **details: Any) -> None:
            self._add(kind, name, reference, summary, details)

        return register

    def close(self) -> None:
        """Reject later registrations: the plugin is taken as it is now."""
        self._open = False

    def _add(self, kind: Kind, name: str, reference: str, summary: str, details: dict[str, Any]) -> None:
        if not self._open:
            raise RegistrationError(f"{SINGULAR[kind]} {name!r} was registered after its hook had returned")
        error = check_name(kind, name)
        if error:
            raise RegistrationError(f"{SINGULAR[kind]}: {error}")
        what = f"{SINGULAR[kind]} {name!r}"
        error = check_reference(reference)
        if not error and not isinstance(summary, str):
            error = f"summary must be a string, not {summary!r}"
        if error:
            raise RegistrationError(f"{what}: {error}")
        self._refuse_twice(kind, name, what)
        self.entries.append(
            Entry(
                kind=kind,
                plugin=self._candidate.name,
                name=name,
                reference=reference,
                summary=one_line(summary),
                details=MappingProxyType(_check_details(kind, what, details)),
                distribution=self._candidate.distribution,
            )
        )

    def _refuse_twice(self, kind: Kind, name: str, what: str) -> None:
        others = [entry.name for entry in self.entries if entry.kind == kind]
        if name in others:
            raise RegistrationError(f"{what} is registered twice")
        if kind == "commands":
            for other in others:
                if f"{other} ".startswith(f"{name} ") or f"{name} ".startswith(f"{other} "):
                    raise RegistrationError(f"{what} and {other!r}: a name is either a command or a group of commands")


def _check_details(kind: Kind, what: str, details: dict[str, Any]) -> dict[str, Any]:
    """Return the details with their defaults. Raises :class:`RegistrationError` if one is unknown, missing or wrong."""
    known = DETAILS[kind]
    for key in details:
        if key not in known:
            raise RegistrationError(f"{what}: unknown detail {key!r}{did_you_mean(key, known)}")
    complete = {}
    for key, detail in known.items():
        value = details.get(key, detail.default)
        if value is _REQUIRED:
            raise RegistrationError(f"{what}: {key}= is missing")
        if value is None and key not in details:
            continue
        error = detail.error(value)
        if error:
            raise RegistrationError(f"{what}: {key}: {error}")
        complete[key] = value
    return complete
