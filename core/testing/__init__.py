"""What every task must do, as checks that a family's own tests can run.

Families that come with the tool are held to the same checks. In a test of yours, with pytest or without::

    from restore import registry
    from restore.core.testing import check_imports, check_task


    def test_the_task_keeps_its_contract(tmp_path):
        check_task(registry.entry("tasks", "denoise"), tmp_path)


    def test_the_plugin_is_cheap_to_load():
        check_imports("restore_denoise", "restore_denoise.settings")

To see one test for each check, parametrize over :data:`CHECKS` and call each with one :class:`TaskUnderTest`. What is
trained are the settings of ``Task.tiny_settings()``: override it where the default networks are large.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from restore.core.testing import measuring, registering, training, using
from restore.core.testing.registering import check_imports
from restore.core.testing.under_test import ContractBroken, TaskEntry, TaskUnderTest

__all__ = ["CHECKS", "Check", "ContractBroken", "TaskEntry", "TaskUnderTest", "check_imports", "check_task"]

Check = Callable[[TaskUnderTest], None]

CHECKS: tuple[Check, ...] = (*registering.CHECKS, *training.CHECKS, *using.CHECKS, *measuring.CHECKS)
"""Every check; each raises :class:`ContractBroken` that says what is wrong, or whatever the task itself raises."""


def check_task(entry: TaskEntry, folder: Path) -> None:
    """Run every check on one task; takes seconds if a run of its tiny settings does.

    What breaks the run that many checks look at is reported once, under the names of all of them.

    Args:
        entry: what ``registry.entry("tasks", name)`` gives.
        folder: an empty folder for runs.

    Raises:
        ExceptionGroup: of everything that went wrong, with the check's name as a note.
    """
    tested, broken = TaskUnderTest(entry, folder), list[Exception]()
    for check in CHECKS:
        try:
            check(tested)
        except Exception as error:  # noqa: BLE001  whatever a stranger's task raises is what this is for
            error.add_note(f"check: {check.__name__}")
            if not any(error is known for known in broken):
                broken.append(error)
    if broken:
        raise ExceptionGroup(f"{entry.full_name} breaks the contract of tasks", broken)
