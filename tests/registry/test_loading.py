"""One plugin at a time: whatever it does wrong is its own problem, told in one line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from restore.registry import Plugin

WORDS = {
    "import error": ("import no_such_library", "ModuleNotFoundError: No module named 'no_such_library'"),
    "missing name": ("from json import no_such_name", "ImportError: cannot import name 'no_such_name'"),
    "syntax error": ("def restore_tasks(:\n", "SyntaxError: invalid syntax"),
    "division": ("1 / 0", "ZeroDivisionError: division by zero"),
    "exit": ("raise SystemExit(3)", "SystemExit: 3"),
    "plain exit": ("import sys\nsys.exit()", "SystemExit"),
    "interrupt": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "many lines": ("raise ValueError('first\\n\\x1b[31msecond')", "ValueError: first [31msecond"),
    "speechless": (
        "class Odd(Exception):\n    def __str__(self):\n        raise RuntimeError\nraise Odd",
        "Odd: (its message cannot be printed)",
    ),
    "misspelled hook": (
        "@hookimpl\ndef restore_task(): ...",
        "no such hook: 'restore_task'; did you mean 'restore_tasks'?",
    ),
    "wrong argument": (
        "@hookimpl\ndef restore_tasks(registre): ...",
        "restore_tasks(registre): a hook takes no argument and returns a list of TaskSpec",
    ),
    "older interface": (
        "@hookimpl\ndef restore_losses(register):\n    register('l1', 'math:pi')",
        "written for an older restorekit: restore_losses(register): a hook takes no argument and returns a list",
    ),
    "half a wrapper": ("@hookimpl(wrapper=True)\ndef restore_tasks(): ...", "is not a generator function"),
    "unmarked hook": ("def restore_tasks(): ...", "restore_tasks is not marked with @hookimpl"),
    "exit in a hook": (
        "@hookimpl\ndef restore_tasks():\n    raise SystemExit('bye')",
        "restore_tasks: SystemExit: bye",
    ),
    "nothing returned": (
        "@hookimpl\ndef restore_tasks():\n    LossSpec('l1', 'math:pi', role='pixel')",
        "restore_tasks returned nothing; it must return a list of TaskSpec",
    ),
    "no list": (
        "@hookimpl\ndef restore_tasks():\n    return 'unet'",
        "restore_tasks returned 'unet'; it must return a list",
    ),
    "generator": (
        "@hookimpl\ndef restore_tasks():\n    yield 1",
        "restore_tasks returned of type generator; it must return",
    ),
    "wrong item": (
        "@hookimpl\ndef restore_tasks():\n    return [LossSpec('l1', 'math:pi', role='pixel')]",
        "restore_tasks: item 1 is the LossSpec 'l1', not a TaskSpec",
    ),
    "wrong call": ("@hookimpl\ndef restore_tasks():\n    return [TaskSpec('u')]", "restore_tasks: TypeError: TaskSpec"),
}


@pytest.mark.parametrize(("source", "reason"), WORDS.values(), ids=WORDS)
def test_a_plugin_that_fails_is_broken_with_one_line(source: str, reason: str, offer: Any, build: Any) -> None:
    registry = build.registry(offer("demo", source), offer("fine", build.task("works"), "restore-fine"))
    broken, fine = registry.plugins()
    assert (broken.state, fine.state) == ("broken", "ready")
    assert reason in broken.reason
    assert broken.reason.isprintable()
    assert not any(broken.provides.values())
    assert registry.entry("tasks", "works").plugin == "fine"


def only(registry: Any) -> Plugin:
    (plugin,) = registry.plugins()
    return plugin


def test_a_ready_plugin_says_what_it_provides(offer: Any, build: Any) -> None:
    source = '"""What it is for.\n\nMore."""\n' + build.task("one") + build.hook("losses", build.loss("l1"))
    plugin = only(build.registry(offer("demo", source)))
    assert plugin.state == "ready"
    assert plugin.reason == ""
    assert (plugin.name, plugin.distribution, plugin.version) == ("demo", "restore-demo", "1.0")
    assert plugin.provides["tasks"] == ["one"]
    assert plugin.provides["losses"] == ["l1"]
    kinds = "tasks architectures datasets losses metrics protocols commands listeners converters weights recipes"
    assert set(plugin.provides) == set(kinds.split())


def test_the_summary_is_the_first_line_of_the_docstring(tmp_path: Path, build: Any, monkeypatch: Any) -> None:
    from restore.registry import Candidate

    (tmp_path / "with_a_docstring.py").write_text('"""\nMakes images better.\n\nAt length."""\n')
    monkeypatch.syspath_prepend(tmp_path)
    assert only(build.registry(Candidate("demo", "with_a_docstring"))).summary == "Makes images better."


def test_how_long_loading_took_is_measured(offer: Any, build: Any) -> None:
    slow = only(build.registry(offer("demo", "import time\ntime.sleep(0.05)")))
    assert slow.load_ms is not None
    assert 50 <= slow.load_ms < 5000


def test_a_plugin_is_imported_once(offer: Any, build: Any) -> None:
    candidate = offer(
        "demo", "import sys\nsys.times_loaded = getattr(sys, 'times_loaded', 0) + 1\n" + build.task("one")
    )
    registry = build.registry(candidate)
    registry.plugins()
    sys.modules.pop(candidate.value)
    registry.get("tasks", "one")
    registry.plugins()
    assert vars(sys).pop("times_loaded") == 1


def test_only_the_plugin_that_is_needed_is_loaded(offer: Any, build: Any) -> None:
    needed, other = offer("demo", build.task("demo")), offer("other", build.task("other"))
    registry = build.registry(needed, other)
    registry.get("tasks", "demo")
    registry.get("tasks", "demo/demo")
    assert needed.value in sys.modules
    assert other.value not in sys.modules


def test_a_removed_module_is_told_from_a_missing_library(offer: Any, build: Any) -> None:
    gone = build.registry(offer("demo", "", value="restore_gone.plugin"))
    assert "names the module 'restore_gone.plugin', which does not exist: reinstall" in only(gone).reason
    assert "restore-demo" in only(gone).reason


@pytest.mark.parametrize("value", ["no module", "a:b:c", "", "a..b", "1st"])
def test_an_entry_point_that_names_no_module_is_broken(value: str, offer: Any, build: Any) -> None:
    assert "is not a module" in only(build.registry(offer("demo", "", value=value))).reason


def test_an_entry_point_may_name_an_object_and_extras(offer: Any, build: Any) -> None:
    source = (
        "class Hooks:\n    @hookimpl\n    def restore_losses(self):\n        "
        f"return [{build.loss('l1')}]\nhooks = Hooks()\n"
    )
    candidate = offer("demo", source)
    offered = type(candidate)("demo", f"{candidate.value}:hooks [extra]")
    assert only(build.registry(offered)).provides["losses"] == ["l1"]


def test_what_a_plugin_prints_is_kept_off_the_screen_and_remarked(offer: Any, build: Any, capfd: Any) -> None:
    noise = "import os, sys\nprint('hello')\nprint('there', file=sys.stderr)\nos.write(1, b'low level')\n"
    plugin = only(build.registry(offer("demo", noise + build.task("one"))))
    assert capfd.readouterr() == ("", "")
    assert plugin.state == "ready"
    assert plugin.reason == "printed while it was loaded: hello there"


def test_a_plugin_that_provides_nothing_is_remarked(offer: Any, build: Any) -> None:
    plugin = only(build.registry(offer("demo", "")))
    assert plugin.state == "ready"
    assert "provides nothing" in plugin.reason


def test_registration_is_all_or_nothing(offer: Any, build: Any) -> None:
    source = build.hook("losses", build.loss("l1")) + build.hook("metrics", "1 / 0")
    registry = build.registry(offer("demo", source))
    assert only(registry).state == "broken"
    assert registry.entries("losses") == []


def test_a_hook_that_a_newer_tool_may_know_can_be_optional(offer: Any, build: Any) -> None:
    source = "@hookimpl(optionalhook=True)\ndef restore_dreams(): ...\n" + build.task("one")
    assert only(build.registry(offer("demo", source))).state == "ready"


def test_a_plugin_may_ask_for_another_while_it_is_loaded(offer: Any, build: Any) -> None:
    import restore.registry

    asking = 'restore.registry.get("losses", "second/l1")'
    first = offer(
        "first",
        "import restore.registry\n"
        + build.hook("tasks", f"*([] if {asking} else [])")
        + build.hook("losses", build.loss("l2", "math:e")),
    )
    second = offer("second", build.hook("losses", build.loss("l1")))
    registry = build.registry(first, second)
    restore.registry.reset(registry)
    try:
        states = {plugin.name: (plugin.state, plugin.provides["losses"]) for plugin in registry.plugins()}
    finally:
        restore.registry.reset()
    assert states == {"first": ("ready", ["l2"]), "second": ("ready", ["l1"])}


def test_a_plugin_that_asks_for_itself_while_it_is_loaded_is_broken(offer: Any, build: Any) -> None:
    import restore.registry

    registry = build.registry(offer("demo", 'import restore.registry\nrestore.registry.get("losses", "demo/l1")\n'))
    restore.registry.reset(registry)
    try:
        assert only(registry).state == "broken"
    finally:
        restore.registry.reset()
