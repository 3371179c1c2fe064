"""The plugin keeps the contract that every command of restore relies on."""

from __future__ import annotations

from pathlib import Path

from restore import registry
from restore.core.testing import check_component, check_imports, check_task


def test_the_task_keeps_its_contract(tmp_path: Path) -> None:
    check_task(registry.entry("tasks", "your-net"), tmp_path)


def test_everything_else_keeps_the_contract_of_its_role() -> None:
    for kind in ("architectures", "datasets", "losses", "metrics", "protocols"):
        for entry in registry.entries(kind):
            if entry.plugin == "your_net":
                check_component(entry)


def test_the_plugin_is_cheap_to_load() -> None:
    check_imports("restore_your_net", "restore_your_net.settings")
