"""Check what the hooks of one plugin return; either all of it is used or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from restore.registry.kinds import SINGULAR, Kind
from restore.registry.specs import SPECS, Spec


class RegistrationError(Exception):
    """A plugin provides something invalid; the message is the reason that the user sees."""


def check_specs(kind: Kind, returned: object) -> Iterator[Spec]:
    """Yield what a hook of this kind returned. Raises :class:`RegistrationError` if it is no list of specifications."""
    wanted = SPECS[kind]
    if not isinstance(returned, list | tuple):
        what = "nothing" if returned is None else _describe(returned)
        raise RegistrationError(f"restore_{kind} returned {what}; it must return a list of {wanted.__name__}")
    for place, spec in enumerate(returned, 1):
        if not isinstance(spec, wanted):
            raise RegistrationError(f"restore_{kind}: item {place} is {_describe(spec)}, not a {wanted.__name__}")
        yield spec


def check_collisions(specs: Iterable[Spec]) -> None:
    """Raise :class:`RegistrationError` if one plugin uses a name twice, or for a command and for a group."""
    seen: dict[Kind, list[str]] = {}
    for spec in specs:
        others = seen.setdefault(spec.kind, [])
        what = f"restore_{spec.kind}: {SINGULAR[spec.kind]} {spec.name!r}"
        if spec.name in others:
            raise RegistrationError(f"{what} is listed twice; each name may appear once")
        if spec.kind == "commands":
            for other in others:
                if f"{other} ".startswith(f"{spec.name} ") or f"{spec.name} ".startswith(f"{other} "):
                    raise RegistrationError(f"{what} and {other!r}: a name is either a command or a group of commands")
        others.append(spec.name)


def _describe(value: object) -> str:
    """Return what a value is, for messages; its own text could be anything."""
    if isinstance(value, Spec):
        return f"the {type(value).__name__} {value.name!r}"
    return repr(value) if isinstance(value, str | int | float) else f"of type {type(value).__name__}"
