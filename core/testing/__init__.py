"""The contracts of tasks and of listeners, as checks that a family's own tests can run.

The built-in families pass the same checks. In your own test, with or without pytest::

    from restore import registry
    from restore.core.testing import check_imports, check_task


    def test_the_task_keeps_its_contract(tmp_path):
        check_task(registry.entry("tasks", "denoise"), tmp_path)


    def test_the_plugin_is_cheap_to_load():
        check_imports("restore_denoise", "restore_denoise.settings")


    def test_the_listener_keeps_its_contract(tmp_path):
        check_listener(registry.entry("listeners", "scores"), tmp_path)

For one test per check, parametrize over :data:`CHECKS` and call each with a :class:`TaskUnderTest`. The checks train
with ``Task.tiny_settings()``; override it if the default networks are large.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from restore.core.testing import measuring, registering, training, using
from restore.core.testing.listening import ListenerEntry, check_listener
from restore.core.testing.registering import check_imports
from restore.core.testing.under_test import ContractBroken, TaskEntry, TaskUnderTest

__all__ = [
    "CHECKS",
    "Check",
    "ContractBroken",
    "ListenerEntry",
    "TaskEntry",
    "TaskUnderTest",
    "check_imports",
    "check_listener",
    "check_task",
]

Check = Callable[[TaskUnderTest], None]

CHECKS: tuple[Check, ...] = (*registering.CHECKS, *training.CHECKS, *using.CHECKS, *measuring.CHECKS)
"""All checks. Each raises :class:`ContractBroken` with the reason, or the error that the task raises."""


def check_task(entry: TaskEntry, folder: Path) -> None:
    """Run every check on one task; takes seconds if a run of its tiny settings does.

    Many checks share one run. An error of that run is reported once, with the names of all these checks.

    Args:
        entry: result of ``registry.entry("tasks", name)``.
        folder: an empty folder for runs.

    Raises:
        ExceptionGroup: all errors, each with the names of its checks as notes.
    """
    tested, broken = TaskUnderTest(entry, folder), list[Exception]()
    for check in CHECKS:
        try:
            check(tested)
        except Exception as error:  # noqa: BLE001  a task under test may raise anything
            error.add_note(f"check: {check.__name__}")
            if not any(error is known for known in broken):
                broken.append(error)
    if broken:
        raise ExceptionGroup(f"{entry.full_name} breaks the contract of tasks", broken)
