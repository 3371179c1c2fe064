"""The contracts of plugins, as checks that a family's own tests can run.

The built-in families pass the same checks, and ``restore plugin check`` runs them for any plugin. In your own test,
with or without pytest::

    from restore import registry
    from restore.core.testing import check_component, check_imports, check_listener, check_task


    def test_the_task_keeps_its_contract(tmp_path):
        check_task(registry.entry("tasks", "denoise"), tmp_path)


    def test_the_network_keeps_the_contract_of_its_role():
        check_component(registry.entry("architectures", "denoise"))


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

from restore.core.testing import displaying, folders, measuring, registering, training, using, variations
from restore.core.testing.components import check_component
from restore.core.testing.listening import check_listener
from restore.core.testing.registering import check_imports, check_settings
from restore.core.testing.under_test import ContractBroken, NotApplicable, RegisteredEntry, TaskUnderTest

__all__ = [
    "CHECKS",
    "LONGER_CHECKS",
    "Check",
    "ContractBroken",
    "NotApplicable",
    "RegisteredEntry",
    "TaskUnderTest",
    "check_component",
    "check_imports",
    "check_listener",
    "check_settings",
    "check_task",
]

Check = Callable[[TaskUnderTest], None]
"""A check of a task; it raises an error if the task fails it."""

CHECKS: tuple[Check, ...] = (
    *registering.CHECKS,
    *training.CHECKS,
    *using.CHECKS,
    *displaying.CHECKS,
    *measuring.CHECKS,
    *folders.CHECKS,
)
"""The checks of a task. Each raises :class:`ContractBroken` with the reason, or the error that the task raises, or
:class:`NotApplicable`."""

LONGER_CHECKS: tuple[Check, ...] = variations.CHECKS
"""Further checks, which train a dozen times: with other settings, and in two processes."""


def check_task(entry: RegisteredEntry, folder: Path, *, data: Path | None = None, longer: bool = False) -> None:
    """Run every check on one task; takes seconds if a run of its tiny settings does.

    Many checks share one run. An error of that run is reported once, with the names of all these checks.

    Args:
        entry: result of ``registry.entry("tasks", name)``.
        folder: an empty folder for runs.
        data: a folder for ``--data`` in the layout that the task reads; None: one with plain images is made.
        longer: whether to run the longer checks too.

    Raises:
        ExceptionGroup: all errors, each with the names of its checks as notes.
    """
    tested, broken = TaskUnderTest(entry, folder, data), list[Exception]()
    for check in (*CHECKS, *(LONGER_CHECKS if longer else ())):
        try:
            check(tested)
        except NotApplicable:
            continue
        except Exception as error:  # noqa: BLE001  a task under test may raise anything
            error.add_note(f"check: {check.__name__}")
            if not any(error is known for known in broken):
                broken.append(error)
    if broken:
        raise ExceptionGroup(f"{entry.full_name} breaks the contract of tasks", broken)
