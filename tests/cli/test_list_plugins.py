"""``restore list-plugins``: every plugin, usable or not."""

from __future__ import annotations

import json


def test_every_plugin_has_a_state_and_a_reason(restore):
    result = restore("list-plugins")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    garden = next(line for line in lines if line.startswith("garden "))
    assert garden.split() == ["garden", "ready", "restore-garden", "1.2"]
    weeds = next(index for index, line in enumerate(lines) if line.startswith("weeds "))
    assert lines[weeds].split() == ["weeds", "broken", "restore-weeds", "1.0"]
    assert lines[weeds + 1].strip() == "ModuleNotFoundError: No module named 'no_such_module'"
    assert "tasks: grow-flowers, water, rain" in result.stdout


def test_json_is_a_list_of_objects_and_nothing_else_is_printed(restore):
    result = restore("list-plugins", "--json")
    plugins = {plugin["name"]: plugin for plugin in json.loads(result.stdout)}
    garden = plugins["garden"]
    assert set(garden) == {"name", "distribution", "version", "state", "reason", "summary", "provides", "load_ms"}
    assert (garden["distribution"], garden["version"], garden["state"]) == ("restore-garden", "1.2", "ready")
    assert garden["reason"] == ""
    assert garden["summary"] == "A family for tests."
    assert garden["provides"]["losses"] == ["wilting", "rot"]
    assert garden["provides"]["commands"] == ["count", "smell", "bed dig"]
    assert garden["load_ms"] >= 0
    assert plugins["weeds"]["state"] == "broken"
    assert plugins["weeds"]["provides"]["tasks"] == []


def test_strict_fails_for_a_broken_plugin_but_not_for_a_disabled_one(restore, in_garden):
    assert restore("list-plugins", "--strict").exit_code == 1
    (in_garden / "plugins.toml").write_text('enabled = ["garden"]\n')
    from restore import registry

    registry.reset()
    result = restore("list-plugins", "--strict")
    assert result.exit_code == 0
    assert "disabled" in result.stdout


def test_a_plugin_that_plugins_toml_misspells_is_warned_about_on_standard_error(restore, in_garden):
    (in_garden / "plugins.toml").write_text('enabled = ["gardn", "garden"]\n')
    result = restore("list-plugins", "--json")
    assert json.loads(result.stdout)
    assert "Warning: " in result.stderr
    assert "gardn" in result.stderr
