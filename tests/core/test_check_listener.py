"""The contract of listeners notices what it is for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from restore.core import events
from restore.core.events import Event
from restore.core.settings import Settings
from restore.core.testing import ContractBroken, check_listener


class Loud(Settings):
    level: int = 3
    """How loud."""


class Unexplained(Settings):
    level: int = 3


def entry(factory: Callable[..., Any], settings: object = None) -> SimpleNamespace:
    references = {} if settings is None else {"settings": "module:Settings"}
    return SimpleNamespace(
        full_name="toy/ear", references=references, load=lambda: factory, locate=lambda field: settings
    )


def test_a_listener_is_told_every_kind_of_event_of_runs_that_end_in_every_way(tmp_path: Path) -> None:
    told: list[Event] = []
    check_listener(entry(lambda: told.append), tmp_path)
    kinds = {kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, Event)} - {Event}
    assert {type(event) for event in told} == kinds
    (sheet,) = {event.path for event in told if isinstance(event, events.SamplesWritten) and "run-0" in str(event.path)}
    assert sheet.is_file()


def test_a_listener_is_built_with_its_settings(tmp_path: Path) -> None:
    built: list[Loud] = []

    def factory(settings: Loud) -> Callable[[Event], None]:
        built.append(settings)
        return lambda event: None

    check_listener(entry(factory, Loud), tmp_path / "a")
    check_listener(entry(factory, Loud), tmp_path / "b", Loud(level=5))
    assert {settings.level for settings in built} == {3, 5}


@pytest.mark.parametrize(
    ("factory", "settings", "message"),
    [
        (lambda: None, None, "toy/ear: the factory returned None, which cannot be called"),
        (lambda settings: print, dict, "which is no subclass of Settings"),
        (lambda settings: print, Unexplained, "toy/ear: settings: level has no help"),
    ],
)
def test_a_broken_listener_is_told_why(
    factory: Callable[..., Any], settings: object, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ContractBroken, match=message):
        check_listener(entry(factory, settings), tmp_path)


def test_what_a_listener_raises_is_raised(tmp_path: Path) -> None:
    def listener(event: Event) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        check_listener(entry(lambda: listener), tmp_path)
