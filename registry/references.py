"""Turn ``"module:attribute"`` into the object it names."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Any

from restore.registry.errors import MissingReference
from restore.registry.kinds import SINGULAR, Kind
from restore.registry.naming import one_line
from restore.registry.specs import Spec


def resolve_reference(reference: str) -> Any:
    """Import the module before the colon and return the attribute after it; without a colon, the module itself.

    Raises what the import raises, and :class:`AttributeError` for a missing attribute.
    """
    # Without a colon resolve_name hides an import that fails inside the module behind an AttributeError.
    return resolve_name(reference if ":" in reference else f"{reference}:")


def is_missing_module(module: str, error: BaseException) -> bool:
    """Whether ``error`` says that ``module`` itself is missing, and not something that it imports."""
    return isinstance(error, ModuleNotFoundError) and bool(error.name) and f"{module}.".startswith(f"{error.name}.")


@dataclass(frozen=True)
class Entry:
    """One thing that a plugin provides. It is imported by :meth:`load` and :meth:`locate` only."""

    plugin: str
    spec: Spec
    """What the plugin says of it."""
    distribution: str | None = None
    """Distribution that contains it; ``None`` for a local module."""
    version: str | None = None
    """Version of the distribution."""

    @property
    def kind(self) -> Kind:
        """What it is one of."""
        return self.spec.kind

    @property
    def name(self) -> str:
        """Name within the plugin: ``msrresnet``."""
        return self.spec.name

    @property
    def reference(self) -> str:
        """Where the object is: ``module:attribute``."""
        return self.spec.reference

    @property
    def summary(self) -> str:
        """One sentence."""
        return self.spec.summary

    @property
    def references(self) -> dict[str, str]:
        """What the specification refers to besides the object, such as ``settings``: ``module:attribute`` by field."""
        return self.spec.references

    @property
    def full_name(self) -> str:
        """Name that is never ambiguous: ``srgan/msrresnet``."""
        return f"{self.plugin}/{self.name}"

    @property
    def requirement(self) -> str | None:
        """What to install for it, as ``restorekit==0.1.0``; ``None`` for a local module."""
        return "==".join(filter(None, [self.distribution, self.version])) if self.distribution else None

    def load(self) -> Any:
        """Import and return the object itself. Raises :class:`MissingReference` if it cannot be imported."""
        return self._import(self.reference)

    def locate(self, field: str) -> Any:
        """Import and return the object that a field of the specification refers to, such as ``locate("settings")``.

        Raises :class:`MissingReference` if it cannot be imported, or if the field refers to nothing.
        """
        if field not in self.references:
            raise MissingReference(f"{self._describe()} registers no {field!r}")
        return self._import(self.references[field])

    def _import(self, reference: str) -> Any:
        try:
            # What a module prints while it is imported must not end up in machine-readable output.
            with redirect_stdout(sys.stderr):
                return resolve_reference(reference)
        except (Exception, SystemExit) as error:
            raise MissingReference(f"{self._describe()} cannot be used: {_explain(reference, error)}") from error

    def _describe(self) -> str:
        source = f"distribution {self.distribution}" if self.distribution else "a local module"
        return f"{SINGULAR[self.kind]} {self.full_name!r} of plugin {self.plugin!r} ({source})"


def _explain(reference: str, error: BaseException) -> str:
    module, _, attribute = reference.partition(":")
    if is_missing_module(module, error):
        return f"it refers to {reference!r}, but there is no module {error.name!r}"  # type: ignore[attr-defined]
    if isinstance(error, AttributeError) and module in sys.modules and not _follows(module, attribute):
        return f"it refers to {reference!r}, but module {module!r} has no {attribute!r}"
    return f"importing {reference!r} failed with {describe_error(error)}"


def _follows(module: str, attributes: str) -> bool:
    found: Any = sys.modules[module]
    for attribute in attributes.split("."):
        if not hasattr(found, attribute):
            return False
        found = getattr(found, attribute)
    return True


def describe_error(error: BaseException) -> str:
    """Return type and message of an exception as one line. Never raises, whatever the exception does."""
    try:
        said = one_line(str(error))
    except Exception:  # noqa: BLE001 - an exception of a plugin may fail to print itself
        said = "(its message cannot be printed)"
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
