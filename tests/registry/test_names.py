"""From a name to a thing: full names, short ones, and what is said when neither leads anywhere."""

from __future__ import annotations

from collections import Counter, OrderedDict
from typing import Any

import pytest

from restore.registry import (
    AmbiguousName,
    MissingReference,
    PluginNotReady,
    RegistryError,
    UnknownName,
)


def losses(*names: str) -> str:
    specs = ", ".join(f'LossSpec("{name}", "math:pi", role="pixel")' for name in names)
    return f"@hookimpl\ndef restore_losses():\n    return [{specs}]\n"


@pytest.fixture
def registry(offer: Any, build: Any) -> Any:
    return build.registry(
        offer("srgan", losses("content", "shared") + build.task("srgan"), "restorekit"),
        offer("inpaint_gan", losses("shared") + build.task("inpaint-gan") + '"""x"""\n', "restorekit"),
        offer("broken", "import no_such_library"),
        version="0.1.0",
    )


def test_a_full_name_is_never_ambiguous(registry: Any) -> None:
    assert registry.entry("losses", "srgan/shared").plugin == "srgan"
    assert registry.entry("losses", "inpaint_gan/shared").plugin == "inpaint_gan"
    assert registry.entry("losses", "inpaint-gan/shared").plugin == "inpaint_gan"


def test_a_short_name_works_while_one_plugin_has_it(registry: Any) -> None:
    assert registry.entry("losses", "content").full_name == "srgan/content"


def test_a_short_name_of_several_lists_them(registry: Any) -> None:
    with pytest.raises(AmbiguousName, match="use inpaint_gan/shared or srgan/shared") as caught:
        registry.get("losses", "shared")
    assert caught.value.candidates == ("inpaint_gan/shared", "srgan/shared")
    assert caught.value.exit_status == 2


def test_an_underscore_in_a_task_is_a_hyphen(registry: Any) -> None:
    assert registry.entry("tasks", "inpaint_gan").name == "inpaint-gan"
    assert registry.entry("tasks", "inpaint_gan/inpaint_gan").name == "inpaint-gan"


def test_a_task_is_looked_for_in_the_plugin_of_its_name_first(offer: Any, build: Any) -> None:
    registry = build.registry(
        offer("unet", build.task("unet") + '"""x"""\n'), offer("other", build.task("unet"), "restore-other")
    )
    assert registry.entry("tasks", "unet").plugin == "unet"
    assert registry.entry("tasks", "other/unet").plugin == "other"


def test_a_task_is_then_looked_for_everywhere(offer: Any, build: Any) -> None:
    registry = build.registry(offer("unet", build.task("nested-unet")), offer("nested_unet", "1 / 0", "restore-bad"))
    assert registry.entry("tasks", "nested_unet").plugin == "unet"


def test_spaces_in_a_command_are_one(offer: Any, build: Any) -> None:
    call = 'CommandSpec("data align", "math:pi", settings="a:b", needs="nothing")'
    registry = build.registry(offer("faces", build.hook("commands", call)))
    assert registry.entry("commands", " data   align").full_name == "faces/data align"


@pytest.mark.parametrize(
    ("kind", "name", "message", "close"),
    [
        ("tasks", "srgn", "no task is called 'srgn'; did you mean 'srgan'?", ("srgan",)),
        ("losses", "contnt", "no loss is called 'contnt'; did you mean 'content'?", ("content",)),
        (
            "losses",
            "srgan/contnt",
            "plugin 'srgan' has no loss 'contnt'; did you mean 'srgan/content'?",
            ("srgan/content",),
        ),
        ("losses", "srgan/zzz", "plugin 'srgan' has no loss 'zzz'; available: srgan/content, srgan/shared", ()),
        ("losses", "srgn/content", "no plugin is called 'srgn'; did you mean 'srgan'?", ("srgan",)),
        ("metrics", "psnr", "no metric is called 'psnr'; available: none", ()),
        ("task", "srgan", "no such kind: 'task'; available: tasks, architectures", ("tasks",)),
    ],
)
def test_an_unknown_name_says_what_may_have_been_meant(
    kind: str, name: str, message: str, close: tuple[str, ...], registry: Any
) -> None:
    with pytest.raises(UnknownName) as caught:
        registry.get(kind, name)
    assert message in str(caught.value)
    assert caught.value.close == close
    assert caught.value.exit_status == 2


def test_an_unknown_name_points_at_plugins_that_might_have_had_it(registry: Any) -> None:
    with pytest.raises(
        UnknownName,
        match=r"\nA plugin that is installed cannot be used: broken \(restore-demo\) is broken: ModuleNotFoundError",
    ):
        registry.get("losses", "zzz")


def test_a_long_list_of_names_is_cut(offer: Any, build: Any) -> None:
    registry = build.registry(offer("demo", losses(*(f"loss{number}" for number in range(30)))))
    with pytest.raises(UnknownName, match="loss19 and 10 more"):
        registry.get("losses", "zzz")


@pytest.mark.parametrize(("kind", "name"), [("tasks", "broken"), ("losses", "broken/l1"), ("tasks", "broken/broken")])
def test_a_broken_plugin_is_told_from_an_unknown_name(kind: str, name: str, registry: Any) -> None:
    with pytest.raises(PluginNotReady) as caught:
        registry.get(kind, name)
    assert "plugin 'broken' (restore-demo 1.0) is broken: ModuleNotFoundError" in str(caught.value)
    assert caught.value.exit_status == 1


def test_a_disabled_plugin_is_told_from_an_unknown_name(offer: Any, build: Any) -> None:
    registry = build.registry(offer("demo", build.task("demo")), disabled=("demo",))
    with pytest.raises(PluginNotReady, match=r"is disabled: listed in `disabled` of /project/plugins\.toml"):
        registry.get("tasks", "demo")


def test_a_plugin_in_conflict_says_so(offer: Any, build: Any) -> None:
    registry = build.registry(offer("demo", "", "restore-one"), offer("demo", "", "restore-two"))
    with pytest.raises(PluginNotReady, match="is in conflict: restore-two provides a plugin of the same name"):
        registry.get("tasks", "demo")


def test_an_entry_is_the_object_it_refers_to(registry: Any) -> None:
    assert registry.get("tasks", "srgan") is Counter
    assert registry.entry("tasks", "srgan").locate("settings") is OrderedDict


def test_every_error_is_a_lookup_error() -> None:
    assert issubclass(RegistryError, LookupError)
    assert issubclass(MissingReference, RegistryError)
