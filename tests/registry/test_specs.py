"""What may be registered, and what is said of the rest."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any, get_args, get_type_hints

import pytest

from restore import registry
from restore.registry import CORE_COMMANDS, KINDS, ROLES, CommandSpec, InvalidSpec, LossSpec, Spec, TaskSpec
from restore.registry.hooks import HookSpecifications
from restore.registry.specs import SPECS

SETTINGS = 'settings="a.b:C"'
VERB = f'{SETTINGS}, needs="nothing"'

REFUSED = [
    ("tasks", 'TaskSpec("u", "a:b", settings=None)', "task 'u': settings: None must be a \"module:attribute\" string"),
    ("tasks", 'TaskSpec("u", "a:b", settings="a.b")', "settings: 'a.b' must be a \"module:attribute\" string"),
    ("tasks", f'TaskSpec("u", "a:b", {SETTINGS}, predict="a")', "task 'u': predict: 'a' must be"),
    ("tasks", f'TaskSpec("u", "a:b", {SETTINGS}, trains=1)', "task 'u': trains: must be True or False, not 1"),
    ("tasks", f'TaskSpec("u", "a.b", {SETTINGS})', "task 'u': reference: 'a.b' must be a \"module:attribute\" string"),
    ("tasks", f'TaskSpec("u", "a:b c", {SETTINGS})', "'a:b c' must be"),
    ("tasks", f'TaskSpec("u", dict, {SETTINGS})', "<class 'dict'> must be a \"module:attribute\" string"),
    ("tasks", f'TaskSpec("U-Net", "a:b", {SETTINGS})', "invalid task name 'U-Net': use lower-case"),
    ("tasks", f'TaskSpec("u_net", "a:b", {SETTINGS})', "invalid task name 'u_net'"),
    ("tasks", f'TaskSpec(7, "a:b", {SETTINGS})', "a name must be a string, not 7"),
    ("tasks", f'TaskSpec("u", "a:b", {SETTINGS}, summary=3)', "task 'u': summary: must be a string, not 3"),
    ("losses", 'LossSpec("my loss", "a:b", role="pixel")', "loss: invalid name 'my loss'"),
    ("losses", 'LossSpec("demo/l1", "a:b", role="pixel")', "invalid name 'demo/l1'"),
    ("losses", 'LossSpec("", "a:b", role="pixel")', "invalid name ''"),
    (
        "losses",
        'LossSpec("l", "a:b", role="pixels")',
        "loss 'l': role: 'pixels' is no role of losses; did you mean 'pixel'?",
    ),
    (
        "metrics",
        'MetricSpec("m", "a:b", role="zzz")',
        "role: 'zzz' is no role of metrics; there are image, super-resolution, ",
    ),
    ("losses", 'LossSpec("l", "a:b", role=["pixel"])', "role: ['pixel'] is no role of losses"),
    ("datasets", 'DatasetSpec("d", "a:b", role="images", settings="a")', "dataset 'd': settings: 'a' must be"),
    ("losses", '*2 * [LossSpec("l", "a:b", role="pixel")]', "loss 'l' is listed twice; each name may appear once"),
    ("commands", f'CommandSpec("s", "a:b", {SETTINGS}, needs="all")', "needs: 'all' is not 'weights' or 'nothing'"),
    ("commands", f'CommandSpec("s", "a:b", {VERB}, weights_of=("u",))', "weights_of: the command needs no weights"),
    ("commands", f'CommandSpec("s", "a:b", {VERB}, weights_of=["u"])', "weights_of: must be a tuple of names"),
    ("commands", f'CommandSpec("s", "a:b", {VERB}, weights_of=("U",))', "weights_of: invalid task name 'U'"),
    ("commands", f'CommandSpec("one two three", "a:b", {VERB})', "invalid command name"),
    ("commands", f'CommandSpec("train faces", "a:b", {VERB})', "'train' is a command of restore itself"),
    ("commands", f'CommandSpec("d", "a:b", {VERB}), CommandSpec("d a", "a:b", {VERB})', "either a command or a group"),
    ("commands", f'CommandSpec("d a", "a:b", {VERB}), CommandSpec("d", "a:b", {VERB})', "either a command or a group"),
    *(
        ("commands", f'CommandSpec("{name}", "a:b", {VERB})', f"'{name}' is a command of restore itself")
        for name in sorted(CORE_COMMANDS)
    ),
]


@pytest.mark.parametrize(("kind", "specs", "reason"), REFUSED)
def test_a_wrong_specification_breaks_its_plugin_with_a_reason(
    kind: str, specs: str, reason: str, offer: Any, build: Any
) -> None:
    (plugin,) = build.registry(offer("demo", build.hook(kind, specs))).plugins()
    assert plugin.state == "broken"
    assert plugin.reason.startswith(f"restore_{kind}: ")
    assert reason in plugin.reason


@pytest.mark.parametrize(
    ("specs", "argument"),
    [
        (f'TaskSpec("u", "a:b", {SETTINGS}, summry="x")', "'summry'"),
        ('TaskSpec("u", "a:b")', "'settings'"),
        ('CommandSpec("sample", "a:b", needs="weights")', "'settings'"),
        (f'CommandSpec("sample", "a:b", {SETTINGS})', "'needs'"),
        ('ArchitectureSpec("a", "a:b")', "'role'"),
    ],
)
def test_an_argument_that_is_missing_or_unknown_is_named(specs: str, argument: str, offer: Any, build: Any) -> None:
    (plugin,) = build.registry(offer("demo", build.hook("tasks", specs))).plugins()
    assert plugin.state == "broken"
    assert f"restore_tasks: TypeError: {specs.partition('(')[0]}" in plugin.reason
    assert argument in plugin.reason


def test_a_task_keeps_its_specification(offer: Any, build: Any) -> None:
    more = 'predict="p:P", evaluate="e:E", imports="i:I", summary=" Two\\nlines"'
    source = build.hook("tasks", f'TaskSpec("u-net", "a.b:C.d", {SETTINGS}, {more})')
    entry = build.registry(offer("demo", source)).entry("tasks", "u-net")
    assert entry.spec == TaskSpec(
        "u-net", "a.b:C.d", settings="a.b:C", predict="p:P", evaluate="e:E", imports="i:I", summary="Two lines"
    )
    assert entry.references == {"settings": "a.b:C", "predict": "p:P", "evaluate": "e:E", "imports": "i:I"}
    assert (entry.reference, entry.summary) == ("a.b:C.d", "Two lines")
    assert entry.full_name == "demo/u-net"
    assert (entry.distribution, entry.version) == ("restore-demo", "1.0")


def test_what_a_specification_does_not_refer_to_is_no_reference() -> None:
    assert TaskSpec("mean", "a:b", settings="a.b:C", trains=False).references == {"settings": "a.b:C"}
    assert LossSpec("l1", "a:b", role="pixel").references == {}


def test_commands_may_share_a_group(offer: Any, build: Any) -> None:
    specs = f'CommandSpec("data align", "a:b", {VERB}), CommandSpec("data check", "a:b", {SETTINGS}, needs="weights")'
    entries = build.registry(offer("demo", build.hook("commands", specs))).entries("commands")
    assert {entry.name: entry.spec.needs for entry in entries} == {"data align": "nothing", "data check": "weights"}


def test_two_kinds_may_use_one_name(offer: Any, build: Any) -> None:
    metric = 'MetricSpec("psnr", "math:e", role="image")'
    source = build.hook("losses", build.loss("psnr")) + build.hook("metrics", metric)
    found = build.registry(offer("demo", source))
    assert found.get("losses", "psnr") != found.get("metrics", "psnr")


def test_a_specification_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        LossSpec("l1", "a:b", role="pixel").name = "l2"  # type: ignore[misc]


def test_a_constructor_checks_by_itself() -> None:
    with pytest.raises(InvalidSpec, match="command 'sample': needs: 'all' is not"):
        CommandSpec("sample", "a:b", settings="a:b", needs="all")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="use one of its subclasses"):
        Spec("l1", "a:b")


def test_every_kind_has_a_hook_that_returns_its_specifications() -> None:
    for kind in KINDS:
        hints = get_type_hints(getattr(HookSpecifications, f"restore_{kind}"))
        assert hints == {"return": list[SPECS[kind]]}  # type: ignore[misc]
        assert SPECS[kind].kind == kind


def test_every_role_that_a_type_checker_allows_has_a_contract() -> None:
    for kind, contracts in ROLES.items():
        assert get_args(get_type_hints(SPECS[kind])["role"]) == tuple(contracts)
        assert all(text.endswith(".") for text in contracts.values())


def test_every_role_of_an_architecture_that_is_registered_has_more_than_a_name() -> None:
    for kind in ROLES:
        for entry in registry.entries(kind):
            assert entry.spec.role in ROLES[kind]  # type: ignore[attr-defined]
