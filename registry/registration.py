"""Collect and check what one plugin registers; all of it counts, or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from restore.registry.discovery import Candidate
from restore.registry.hooks import SINGULAR, Kind, Register
from restore.registry.naming import close_to, did_you_mean, naming_fault, one_line, reference_fault
from restore.registry.references import Entry

_REQUIRED: Final = object()


class Refused(Exception):
    """A plugin did what no plugin may; the message is the reason that a person is shown."""


@dataclass(frozen=True)
class Detail:
    """One detail that a kind knows."""

    fault: Callable[[object], str]
    """Says what is wrong with a value; empty if nothing is."""
    default: object = None
    """Used when nothing was registered; ``None``: the detail is left out then."""


def _one_of(*allowed: object) -> Callable[[object], str]:
    listed = " or ".join(repr(value) for value in allowed)

    def fault(value: object) -> str:
        # By type as well: 1 equals True, but somebody who writes 1 means something else.
        known = any(type(value) is type(choice) and value == choice for choice in allowed)
        return "" if known else f"{value!r} is not {listed}"

    return fault


DETAILS: Final[Mapping[Kind, Mapping[str, Detail]]] = {
    "tasks": {
        "settings": Detail(reference_fault, _REQUIRED),
        "predict": Detail(reference_fault),
        "evaluate": Detail(reference_fault),
        "imports": Detail(reference_fault),
        "weights": Detail(_one_of(True, False), default=True),
    },
    "architectures": {},
    "datasets": {},
    "losses": {},
    "metrics": {},
    "commands": {
        "settings": Detail(reference_fault, _REQUIRED),
        "needs": Detail(_one_of("weights", "nothing"), _REQUIRED),
    },
}


class Registration:
    """What one plugin has registered so far; :attr:`entries` counts only once every hook has returned."""

    def __init__(self, candidate: Candidate) -> None:
        self._candidate = candidate
        self._open = True
        self.entries: list[Entry] = []

    def register(self, kind: Kind) -> Register:
        """The function that a hook of this kind is called with."""

        def register(name: str, reference: str, *, summary: str = "", **details: Any) -> None:
            self._add(kind, name, reference, summary, details)

        return register

    def close(self) -> None:
        """Refuse whatever comes later: it would be half a plugin."""
        self._open = False

    def _add(self, kind: Kind, name: str, reference: str, summary: str, details: dict[str, Any]) -> None:
        if not self._open:
            raise Refused(f"{SINGULAR[kind]} {name!r} was registered after its hook had returned")
        fault = naming_fault(kind, name)
        if fault:
            raise Refused(f"{SINGULAR[kind]}: {fault}")
        what = f"{SINGULAR[kind]} {name!r}"
        fault = reference_fault(reference)
        if not fault and not isinstance(summary, str):
            fault = f"summary is a string, not {summary!r}"
        if fault:
            raise Refused(f"{what}: {fault}")
        self._refuse_twice(kind, name, what)
        self.entries.append(
            Entry(
                kind=kind,
                plugin=self._candidate.name,
                name=name,
                reference=reference,
                summary=one_line(summary),
                details=MappingProxyType(_checked(kind, what, details)),
                distribution=self._candidate.distribution,
            )
        )

    def _refuse_twice(self, kind: Kind, name: str, what: str) -> None:
        others = [entry.name for entry in self.entries if entry.kind == kind]
        if name in others:
            raise Refused(f"{what} is registered twice")
        if kind == "commands":
            for other in others:
                if f"{other} ".startswith(f"{name} ") or f"{name} ".startswith(f"{other} "):
                    raise Refused(f"{what} and {other!r}: a name is either a command or a group of commands")


def _checked(kind: Kind, what: str, details: dict[str, Any]) -> dict[str, Any]:
    """The details with their defaults. Raises :class:`Refused` for one that is unknown, missing or wrong."""
    known = DETAILS[kind]
    for key in details:
        if key not in known:
            raise Refused(f"{what}: unknown detail {key!r}{did_you_mean(close_to(key, known))}")
    complete = {}
    for key, detail in known.items():
        value = details.get(key, detail.default)
        if value is _REQUIRED:
            raise Refused(f"{what}: {key}= is missing")
        if value is None and key not in details:
            continue
        fault = detail.fault(value)
        if fault:
            raise Refused(f"{what}: {key}: {fault}")
        complete[key] = value
    return complete
