"""Send events to several listeners, so that one that fails ends neither the run nor the others."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from restore.core.events import Event, Listener

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PluginListener:
    """A listener that a plugin provides. The config of the run names the plugin."""

    name: str
    """Full name: ``bells/ring``."""
    listener: Listener
    plugin: str
    """Name of the plugin."""
    requirement: str | None
    """What to install for the plugin, as ``restore-bells==1.0.0``; None: a local module."""

    def __call__(self, event: Event) -> None:
        """Pass on one event."""
        self.listener(event)

    @property
    def label(self) -> str:
        """What warnings call it."""
        return f"The listener {self.name} of plugin {self.plugin} ({self.requirement or 'a local module'})"


class Listeners:
    """A listener that passes events on to others.

    One that raises is dropped, with one warning in the log that names it and its plugin; a run of days must not end
    because a message could not be sent. KeyboardInterrupt passes through.
    """

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self._listeners = list(listeners)

    def join(self, others: Sequence[Listener]) -> Listeners:
        """Return the listeners that are left, and others after them."""
        return Listeners([*self._listeners, *others])

    def __call__(self, event: Event) -> None:
        """Pass on one event."""
        for listener in list(self._listeners):
            try:
                listener(event)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - a listener may raise anything
                self._listeners.remove(listener)
                _log.warning(
                    "%s failed at %s and is not called again in this run: %s",
                    _describe(listener), type(event).__name__, _explain(error),
                )  # fmt: skip


def _describe(listener: Listener) -> str:
    """Return the label of a listener, if it has one, else the name of its function or class."""
    if isinstance(label := getattr(listener, "label", None), str):
        return label
    named = listener if hasattr(listener, "__qualname__") else type(listener)
    name = ".".join(filter(None, [named.__module__, named.__qualname__]))  # a builtin has no module
    return f"The listener {name}"


def _explain(error: BaseException) -> str:
    """Return class and message of an error, and the line that raised it."""
    *_, line = traceback.format_exception_only(error)
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{' '.join(line.split())} ({Path(place.filename).name}, line {place.lineno})"
