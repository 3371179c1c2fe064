"""Turn ``"module:attribute"`` into the object it names."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from importlib import import_module
from types import MappingProxyType
from typing import Any

from restore.registry.errors import MissingReference
from restore.registry.hooks import SINGULAR, Kind
from restore.registry.naming import one_line


def locate(reference: str) -> Any:
    """Import the module before the colon and follow the attributes behind it; without a colon, the module itself.

    Raises what the import raises, and :class:`AttributeError` for a missing attribute.
    """
    module, _, attributes = reference.partition(":")
    found: Any = import_module(module)
    for attribute in attributes.split(".") if attributes else ():
        found = getattr(found, attribute)
    return found


def is_absent(module: str, error: BaseException) -> bool:
    """Whether ``error`` says that ``module`` itself is not there, and not something that it imports."""
    return isinstance(error, ModuleNotFoundError) and bool(error.name) and f"{module}.".startswith(f"{error.name}.")


@dataclass(frozen=True)
class Entry:
    """One thing that a plugin provides. Nothing of it is imported before :meth:`load` or :meth:`locate`."""

    kind: Kind
    plugin: str
    name: str
    """Name within the plugin: ``msrresnet``."""
    reference: str
    """Where the object is: ``module:attribute``."""
    summary: str = ""
    details: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), hash=False)
    """What was registered beside the reference, checked against what the kind knows."""
    distribution: str | None = None
    """Distribution that brought it; ``None`` for a local module."""

    @property
    def full_name(self) -> str:
        """Name that is never ambiguous: ``srgan/msrresnet``."""
        return f"{self.plugin}/{self.name}"

    def load(self) -> Any:
        """The object itself. Raises :class:`MissingReference` if it cannot be imported."""
        return self._import(self.reference)

    def locate(self, detail: str) -> Any:
        """The object that a detail refers to, as ``locate("settings")``.

        Raises :class:`MissingReference` if it cannot be imported, or if the plugin registered no such detail.
        """
        if detail not in self.details:
            raise MissingReference(f"{self._described()} registers no {detail!r}")
        return self._import(self.details[detail])

    def _import(self, reference: str) -> Any:
        try:
            # What a module prints while it is imported must not end up in the middle of machine-readable output.
            with redirect_stdout(sys.stderr):
                return locate(reference)
        except (Exception, SystemExit) as error:
            raise MissingReference(f"{self._described()} cannot be used: {_explain(reference, error)}") from error

    def _described(self) -> str:
        source = f"distribution {self.distribution}" if self.distribution else "a local module"
        return f"{SINGULAR[self.kind]} {self.full_name!r} of plugin {self.plugin!r} ({source})"


def _explain(reference: str, error: BaseException) -> str:
    module, _, attribute = reference.partition(":")
    if is_absent(module, error):
        return f"it refers to {reference!r}, but there is no module {error.name!r}"  # type: ignore[attr-defined]
    if isinstance(error, AttributeError) and module in sys.modules and not _follows(module, attribute):
        return f"it refers to {reference!r}, but module {module!r} has no {attribute!r}"
    return f"importing {reference!r} failed with {describe(error)}"


def _follows(module: str, attributes: str) -> bool:
    found: Any = sys.modules[module]
    for attribute in attributes.split("."):
        if not hasattr(found, attribute):
            return False
        found = getattr(found, attribute)
    return True


def describe(error: BaseException) -> str:
    """An exception on one line: its type and what it says. Never raises, whatever the exception does."""
    try:
        said = one_line(str(error))
    except Exception:  # noqa: BLE001  an exception of a stranger's may fail to print itself
        said = "(its message cannot be printed)"
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
