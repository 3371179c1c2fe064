"""The checks of a plugin in their order: distribution, name, start, registrations, then what each of them does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from restore import registry
from restore.cli.model_ref import needs_training, resolve_model
from restore.cli.plugin_check.target import Target
from restore.registry.naming import one_line


@dataclass(frozen=True)
class Check:
    """One line of the report."""

    name: str
    run: Callable[[], None]
    """Raises an error if the plugin fails the check, or NotApplicable."""


def list_checks(target: Target, folder: Path, data: Path | None) -> Iterator[Check]:
    """Yield all checks of a plugin.

    Args:
        target: the plugin.
        folder: an empty folder for runs.
        data: folder for ``--data``, if the user gave one.
    """
    yield Check("metadata: description and license", partial(_check_metadata, target))
    yield Check("plugin: loads, and no other one has its name", partial(_check_state, target))
    yield Check("start: imports no torch", partial(_check_imports, target))
    for entry in target.entries:
        label = f"{registry.SINGULAR[entry.kind]} {entry.name}"
        yield Check(f"{label}: no other plugin has this name", partial(_check_name, entry))
        yield Check(f"{label}: everything it refers to exists", partial(_check_references, entry))
        if entry.kind != "tasks":  # whose own checks include the settings
            yield Check(f"{label}: settings have help and defaults", partial(_check_settings, entry))
    for entry in target.entries:
        yield from _list_component_checks(entry, folder)
    for entry in target.entries:
        if entry.kind == "tasks":
            yield from _list_task_checks(entry, folder, data)


def _check_metadata(target: Target) -> None:
    from restore.core.testing import ContractBroken, NotApplicable

    if target.metadata is None:
        raise NotApplicable("a local module has no distribution")
    missing = [name for name in ("description", "license") if not getattr(target.metadata, name)]
    if missing:
        raise ContractBroken(f"pyproject.toml states no {' and no '.join(missing)}")


def _check_state(target: Target) -> None:
    from restore.core.testing import ContractBroken

    plugin = target.plugin
    if plugin.state not in ("ready", "local"):
        raise ContractBroken(f"the plugin is {plugin.state}: {plugin.reason}")
    if not any(plugin.provides.values()):
        raise ContractBroken(plugin.reason or "it provides nothing")


def _check_imports(target: Target) -> None:
    from restore.core.testing import check_imports

    if target.plugin.path is not None:
        from restore.core.testing import NotApplicable

        raise NotApplicable("a module in one file may import torch")
    settings = {
        reference.partition(":")[0]
        for entry in target.entries
        for detail, reference in entry.references.items()
        if detail != "imports"
    }
    check_imports(target.module, *sorted(settings))


def _check_name(entry: registry.Entry) -> None:
    from restore.core.testing import ContractBroken

    role = getattr(entry.spec, "role", None)
    others = [
        other.full_name
        for other in registry.entries(entry.kind)
        if other.name == entry.name and other.plugin != entry.plugin and getattr(other.spec, "role", None) == role
    ]
    if others:
        raise ContractBroken(f"{', '.join(others)} has it too, so both need their full names; choose another name")


def _check_references(entry: registry.Entry) -> None:
    entry.load()
    for detail in entry.references:
        entry.locate(detail)


def _check_settings(entry: registry.Entry) -> None:
    from restore.core.testing import NotApplicable, check_settings

    if "settings" not in entry.references:
        raise NotApplicable("no settings")
    check_settings(entry)


def _open_weights(entry: registry.Entry) -> None:
    resolve_model(entry.full_name).open()


def _list_component_checks(entry: registry.Entry, folder: Path) -> Iterator[Check]:
    from restore.core.testing import check_component, check_listener

    if entry.kind == "listeners":
        own = folder / f"listener {entry.name}"
        own.mkdir()
        yield Check(f"listener {entry.name}: keeps the contract of listeners", partial(check_listener, entry, own))
    elif entry.kind == "weights":
        yield Check(f"weights {entry.name}: the card says what they are", partial(check_component, entry))
        yield Check(f"weights {entry.name}: open and fit their task", partial(_open_weights, entry))
    elif entry.kind not in ("tasks", "commands"):
        role = getattr(entry.spec, "role", "")
        contract = f"the role {role}" if role else f"its kind, {entry.kind}"
        name = f"{registry.SINGULAR[entry.kind]} {entry.name}: keeps the contract of {contract}"
        yield Check(name, partial(check_component, entry))


def _list_task_checks(entry: registry.Entry, folder: Path, data: Path | None) -> Iterator[Check]:
    """Yield the checks of a task; they share one run."""
    from restore.core.testing import CHECKS, LONGER_CHECKS, ContractBroken, TaskUnderTest

    made: list[TaskUnderTest] = []

    def make() -> None:
        own = folder / entry.name
        own.mkdir()
        made.append(TaskUnderTest(entry, own, data))
        if needs_training(entry):
            try:
                made[0].settings  # noqa: B018 - computed on first access
            except Exception as error:
                raise ContractBroken(f"tiny_settings(): {type(error).__name__}: {one_line(str(error))}") from error

    def call(check: Callable[[TaskUnderTest], None]) -> None:
        check(made[0])

    yield Check(f"task {entry.name}: can be made", make)
    if made:
        for check in (*CHECKS, *(LONGER_CHECKS if needs_training(entry) else ())):
            yield Check(f"task {entry.name}: {check.__name__.replace('_', ' ')}", partial(call, check))
