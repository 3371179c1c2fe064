"""Really installed distributions, in a process of their own: every way to be broken, at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HEAD = "from restore.registry import *\n@hookimpl\n"
GOOD = f'"""It works."""\n{HEAD}def restore_tasks():\n    return [TaskSpec("NAME", "m:T", settings="m:S")]\n'

# name of the plugin: source of its module, state, a part of its reason
KINDS: dict[str, tuple[str, str, str]] = {
    "import_error": ("import no_such_library", "broken", "No module named 'no_such_library'"),
    "syntax_error": ("def (", "broken", "SyntaxError"),
    "misspelled_hook": (f"{HEAD}def restore_task(): ...", "broken", "did you mean 'restore_tasks'?"),
    "wrong_argument": (f"{HEAD}def restore_tasks(plugin): ...", "broken", "restore_tasks(plugin)"),
    "duplicate_name": (
        f"{HEAD}def restore_losses():\n    return 2 * [LossSpec('l', 'm:L', role='pixel')]\n",
        "broken",
        "loss 'l' is listed twice; each name may appear once",
    ),
    "missing_reference": (GOOD.replace("NAME", "missing-reference"), "ready", ""),
    "needs_newer": ("raise SystemError('imported')", "incompatible", "needs restorekit>=99, but "),
    "exits": ("raise SystemExit(0)", "broken", "SystemExit: 0"),
    "interrupts": ("raise KeyboardInterrupt", "broken", "KeyboardInterrupt"),
    "prints": (f"print('hello')\n{GOOD.replace('NAME', 'prints')}", "ready", "printed while it was loaded: hello"),
    "srgan": (GOOD.replace("NAME", "srgan"), "conflict", 'srgan = "restore-srgan"'),
    "takes_train": (
        f"{HEAD}def restore_commands():\n    return [CommandSpec('train', 'm:t', settings='m:S', needs='nothing')]\n",
        "broken",
        "'train' is a command of restore itself",
    ),
    "good": (GOOD.replace("NAME", "good"), "ready", ""),
}

REPORT = """
import dataclasses, json, sys
from restore import registry
plugins = [dataclasses.asdict(plugin) | {"path": None} for plugin in registry.plugins()]
try:
    registry.get("tasks", "missing-reference")
except registry.MissingReference as error:
    missing = str(error)
heavy = sorted({"torch", "torchvision", "accelerate", "numpy", "pydantic", "typer"} & set(sys.modules))
print(json.dumps({"plugins": plugins, "missing": missing, "heavy": heavy}))
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, fake_site: Any) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("machine")
    site = fake_site(folder / "site-packages")
    for name, (source, _, _) in KINDS.items():
        module = f"restore_{name}_plugin"
        requires = ["restorekit>=99"] if name == "needs_newer" else ["restorekit"]
        site.install(f"restore-{name.replace('_', '-')}", {f"{module}.py": source}, {name: module}, requires=requires)
    site.install("restore-removed", {}, {"removed": "restore_removed"})
    for rival in ("one", "two"):
        site.install(f"restore-{rival}", {f"restore_{rival}.py": GOOD}, {"claimed": f"restore_{rival}"})
    done = subprocess.run(
        [sys.executable, "-c", REPORT],
        env=site.environment(XDG_CONFIG_HOME=str(folder), RESTORE_PLUGINS_TOML=""),
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return dict(json.loads(done.stdout))


def standing(report: dict[str, Any], distribution: str, name: str) -> tuple[str, str]:
    ((state, reason),) = [
        (plugin["state"], plugin["reason"])
        for plugin in report["plugins"]
        if (plugin["distribution"], plugin["name"]) == (distribution, name)
    ]
    return state, reason


@pytest.mark.parametrize("name", KINDS)
def test_each_has_its_state_and_a_reason_of_one_line(name: str, report: dict[str, Any]) -> None:
    _, expected, words = KINDS[name]
    state, reason = standing(report, f"restore-{name.replace('_', '-')}", name)
    assert state == expected
    assert words in reason
    assert reason.isprintable()


def test_an_entry_point_to_a_removed_module_says_what_to_do(report: dict[str, Any]) -> None:
    state, reason = standing(report, "restore-removed", "removed")
    assert state == "broken"
    assert reason.endswith("reinstall or uninstall restore-removed")


@pytest.mark.parametrize("rival", ["one", "two"])
def test_two_distributions_that_claim_one_name_are_both_in_conflict(rival: str, report: dict[str, Any]) -> None:
    state, reason = standing(report, f"restore-{rival}", "claimed")
    assert state == "conflict"
    assert reason.endswith(f'claimed = "restore-{rival}"')


def test_the_built_in_families_are_all_ready(report: dict[str, Any]) -> None:
    states = {plugin["name"]: plugin["state"] for plugin in report["plugins"] if plugin["distribution"] == "restorekit"}
    assert {"classic", "common", "srgan"} <= set(states)
    assert set(states.values()) == {"ready"}


def test_a_missing_module_is_told_on_use_with_whose_it_is(report: dict[str, Any]) -> None:
    assert report["missing"] == (
        "task 'missing_reference/missing-reference' of plugin 'missing_reference' (distribution "
        "restore-missing-reference) cannot be used: it refers to 'm:T', but there is no module 'm'"
    )


def test_nothing_heavy_was_imported(report: dict[str, Any]) -> None:
    assert report["heavy"] == []


def test_importing_the_registry_imports_nothing_that_is_needed_later_only() -> None:
    late = {"torch", "numpy", "pydantic", "typer", "rich", "packaging", "yaml", "restore.core"}
    code = f"import restore.registry, sys; print(sorted({late!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_metadata_of_many_plugins_are_each_read_once(site: Any, tmp_path: Path) -> None:
    for number in range(20):
        name = f"many{number}"
        site.install(f"restore-{name}", {f"restore_{name}.py": GOOD.replace("NAME", name)}, {name: f"restore_{name}"})
    code = (
        "import sys, collections\n"
        "opened = collections.Counter()\n"
        "sys.addaudithook(lambda event, args: opened.update([str(args[0])]) if event == 'open' else None)\n"
        "from restore import registry\n"
        "assert len([p for p in registry.plugins() if p.name.startswith('many')]) == 20\n"
        "registry.entries('tasks'); registry.plugins(); registry.project()\n"
        "print(max(count for path, count in opened.items() if 'restore_many' in path and 'METADATA' in path))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=site.environment(), cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "1\n"
