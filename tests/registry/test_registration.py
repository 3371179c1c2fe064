"""What may be registered, and what is said of the rest."""

from __future__ import annotations

from typing import Any

import pytest

from restore.registry import CORE_COMMANDS

SETTINGS = 'settings="a.b:C"'
VERB = f'{SETTINGS}, needs="nothing"'

REFUSED = [
    ("tasks", f'register("u", "a:b", {SETTINGS}, summry="x")', "task 'u': unknown detail 'summry'"),
    ("tasks", 'register("u", "a:b", setting="a:b")', "unknown detail 'setting'; did you mean 'settings'?"),
    ("tasks", 'register("u", "a:b")', "task 'u': settings= is missing"),
    ("tasks", 'register("u", "a:b", settings=None)', 'settings: None must be a "module:attribute" string'),
    ("tasks", 'register("u", "a:b", settings="a.b")', "settings: 'a.b' must be a \"module:attribute\" string"),
    ("tasks", f'register("u", "a:b", {SETTINGS}, predict="a")', "predict: 'a' must be"),
    ("tasks", f'register("u", "a:b", {SETTINGS}, weights=1)', "weights: 1 is not True or False"),
    ("tasks", f'register("u", "a.b", {SETTINGS})', "task 'u': 'a.b' must be a \"module:attribute\" string"),
    ("tasks", f'register("u", "a:b c", {SETTINGS})', "'a:b c' must be"),
    ("tasks", f'register("u", dict, {SETTINGS})', "<class 'dict'> must be a \"module:attribute\" string"),
    ("tasks", f'register("U-Net", "a:b", {SETTINGS})', "invalid task name 'U-Net': use lower-case"),
    ("tasks", f'register("u_net", "a:b", {SETTINGS})', "invalid task name 'u_net'"),
    ("tasks", f'register(7, "a:b", {SETTINGS})', "a name must be a string, not 7"),
    ("tasks", f'register("u", "a:b", {SETTINGS}, summary=3)', "summary must be a string, not 3"),
    ("losses", 'register("my loss", "a:b")', "loss: invalid name 'my loss'"),
    ("losses", 'register("demo/l1", "a:b")', "invalid name 'demo/l1'"),
    ("losses", 'register("", "a:b")', "invalid name ''"),
    ("metrics", 'register("m", "a:b", settings="a:b")', "metric 'm': unknown detail 'settings'"),
    ("losses", 'register("l", "a:b"); register("l", "c:d")', "loss 'l' is registered twice"),
    ("commands", 'register("sample", "a:b", needs="weights")', "command 'sample': settings= is missing"),
    ("commands", f'register("sample", "a:b", {SETTINGS})', "command 'sample': needs= is missing"),
    ("commands", f'register("s", "a:b", {SETTINGS}, needs="all")', "needs: 'all' is not 'weights' or 'nothing'"),
    ("commands", f'register("one two three", "a:b", {VERB})', "invalid command name"),
    ("commands", f'register("train faces", "a:b", {VERB})', "'train' is a command of restore itself"),
    ("commands", f'register("d", "a:b", {VERB}); register("d a", "a:b", {VERB})', "either a command or a group"),
    ("commands", f'register("d a", "a:b", {VERB}); register("d", "a:b", {VERB})', "either a command or a group"),
    *(
        ("commands", f'register("{name}", "a:b", {VERB})', f"'{name}' is a command of restore itself")
        for name in sorted(CORE_COMMANDS)
    ),
]


@pytest.mark.parametrize(("kind", "call", "reason"), REFUSED)
def test_a_wrong_registration_breaks_its_plugin_with_a_reason(
    kind: str, call: str, reason: str, offer: Any, build: Any
) -> None:
    (plugin,) = build.registry(offer("demo", build.hook(kind, call))).plugins()
    assert plugin.state == "broken"
    assert reason in plugin.reason


def test_a_task_keeps_its_details(offer: Any, build: Any) -> None:
    more = 'predict="p:P", evaluate="e:E", imports="i:I", summary=" Two\\nlines"'
    call = f'register("u-net", "a.b:C.d", {SETTINGS}, {more})'
    entry = build.registry(offer("demo", build.hook("tasks", call))).entry("tasks", "u-net")
    assert entry.reference == "a.b:C.d"
    assert dict(entry.details) == {
        "settings": "a.b:C",
        "predict": "p:P",
        "evaluate": "e:E",
        "imports": "i:I",
        "weights": True,
    }
    assert entry.summary == "Two lines"
    assert entry.full_name == "demo/u-net"
    assert entry.distribution == "restore-demo"


def test_a_fixed_method_says_that_it_has_no_weights(offer: Any, build: Any) -> None:
    call = f'register("mean", "a:b", {SETTINGS}, weights=False)'
    entry = build.registry(offer("demo", build.hook("tasks", call))).entry("tasks", "mean")
    assert entry.details == {"settings": "a.b:C", "weights": False}


def test_commands_may_share_a_group(offer: Any, build: Any) -> None:
    call = f'register("data align", "a:b", {VERB}); register("data check", "a:b", {SETTINGS}, needs="weights")'
    entries = build.registry(offer("demo", build.hook("commands", call))).entries("commands")
    assert {entry.name: entry.details["needs"] for entry in entries} == {
        "data align": "nothing",
        "data check": "weights",
    }


def test_two_kinds_may_use_one_name(offer: Any, build: Any) -> None:
    source = build.hook("losses", 'register("psnr", "math:pi")') + build.hook("metrics", 'register("psnr", "math:e")')
    registry = build.registry(offer("demo", source))
    assert registry.get("losses", "psnr") != registry.get("metrics", "psnr")


def test_details_cannot_be_changed_afterwards(offer: Any, build: Any) -> None:
    entry = build.registry(offer("demo", build.task("one"))).entry("tasks", "one")
    with pytest.raises(TypeError):
        entry.details["weights"] = False
