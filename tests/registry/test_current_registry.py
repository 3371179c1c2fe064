"""The functions of the package work on one registry of the process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from restore import registry


@pytest.fixture(autouse=True)
def afresh(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    registry.reset()
    yield
    registry.reset()


def test_it_is_made_on_first_use_and_kept() -> None:
    assert registry.current() is registry.current()


def test_reset_looks_everything_up_anew(tmp_path: Any) -> None:
    before = registry.current()
    (tmp_path / "plugins.toml").write_text('disabled = ["srgan"]')
    assert registry.current() is before
    registry.reset()
    assert registry.project().path == tmp_path / "plugins.toml"
    assert {plugin.name: plugin.state for plugin in registry.plugins()}["srgan"] == "disabled"


def test_another_registry_may_stand_in(offer: Any, build: Any) -> None:
    registry.reset(build.registry(offer("demo", build.task("one")), defaults={"demo": {"epochs": 3}}))
    assert registry.get("tasks", "demo/one") is Counter
    assert registry.entry("tasks", "one").full_name == "demo/one"
    assert [entry.name for entry in registry.entries("tasks")] == ["one"]
    assert [plugin.name for plugin in registry.plugins()] == ["demo"]
    assert registry.plugin_defaults("demo") == {"epochs": 3}
    assert registry.unmet_requirements() == []
