"""Every task of every installed family keeps the contract of tasks; a new family is held to it by being installed."""

from __future__ import annotations

from importlib.metadata import entry_points

import pytest
import torch

from restore import registry
from restore.core.testing import CHECKS, Check, NotApplicable, TaskUnderTest, check_imports

TASKS = {entry.full_name: entry for entry in registry.entries("tasks")}
ENTRIES = [entry for kind in registry.KINDS for entry in registry.entries(kind)]


@pytest.fixture(scope="module", params=sorted(TASKS))
def tested(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TaskUnderTest:
    torch.set_num_threads(1)  # networks this small only lose time by sharing their work
    return TaskUnderTest(TASKS[request.param], tmp_path_factory.mktemp("contract"))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_contract_is_kept(check: Check, tested: TaskUnderTest) -> None:
    try:
        check(tested)
    except NotApplicable as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.kind}-{entry.full_name}")
def test_whatever_is_registered_exists(entry: registry.Entry) -> None:
    found = entry.load()
    assert found.is_file() if entry.kind in ("weights", "recipes") else callable(found)
    for detail in ("settings", "predict", "evaluate", "imports"):
        if detail in entry.references:
            assert entry.locate(detail) is not None


def test_plugins_and_their_settings_import_nothing_heavy() -> None:
    plugins = [point.value for point in entry_points(group="restore.plugins")]
    references = [
        entry.references[detail]
        for entry in ENTRIES
        for detail in ("settings", "predict", "evaluate")
        if detail in entry.references
    ]
    assert plugins
    assert references
    check_imports("restore.core", "restore.registry", *plugins, *sorted({ref.partition(":")[0] for ref in references}))


def test_every_built_in_plugin_is_ready() -> None:
    assert {plugin.name: plugin.reason for plugin in registry.plugins() if plugin.state != "ready"} == {}
