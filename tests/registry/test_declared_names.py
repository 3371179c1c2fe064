"""Short names that distributions declare are found without loading every plugin; those of others as before."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from restore.registry import AmbiguousName, Candidate, Registry, UnknownName, discover

NAMES = {("tasks", "grow"), ("weights", "tall")}


def loaded(registry: Registry) -> set[str]:
    return {plugin.candidate.name for plugin in registry._loaded}


def weights(name: str) -> str:
    return f'@hookimpl\ndef restore_weights():\n    return [WeightsSpec("{name}", "math:pi", summary="Weights.")]\n'


@pytest.fixture
def declared(offer: Any, build: Any) -> list[Candidate]:
    """Two plugins whose names are declared; the second cannot be loaded."""
    return [
        offer("garden", build.task("grow") + weights("tall"), names=frozenset(NAMES)),
        offer("shed", "raise SystemError('loaded')", names=frozenset({("tasks", "dig")})),
    ]


@pytest.mark.parametrize(("kind", "name"), sorted(NAMES))
def test_only_the_plugin_that_declares_a_name_is_loaded(
    build: Any, declared: list[Candidate], kind: str, name: str
) -> None:
    registry = build.registry(*declared)
    assert registry.entry(kind, name).full_name == f"garden/{name}"
    assert registry.first_entry(["weights", "tasks"], name).kind == kind
    assert loaded(registry) == {"garden"}


def test_the_first_kind_that_has_a_name_wins(offer: Any, build: Any, declared: list[Candidate]) -> None:
    other = offer("other", build.task("tall"), "restore-other", names=frozenset({("tasks", "tall")}))
    registry = build.registry(*declared, other)
    assert registry.first_entry(["weights", "tasks"], "tall").full_name == "garden/tall"
    assert registry.first_entry(["tasks", "weights"], "tall").full_name == "other/tall"


def test_a_plugin_that_declares_nothing_is_asked_and_may_have_the_name_too(
    offer: Any, build: Any, declared: list[Candidate]
) -> None:
    registry = build.registry(*declared, offer("silent", build.task("grow"), "restore-silent"))
    with pytest.raises(AmbiguousName, match="'grow' is ambiguous: use garden/grow or silent/grow"):
        registry.entry("tasks", "grow")
    assert loaded(registry) == {"garden", "silent"}


def test_a_name_that_metadata_lack_or_promise_in_vain_is_still_found_and_reported(offer: Any, build: Any) -> None:
    registry = build.registry(
        offer("old", build.task("new-name"), names=frozenset({("tasks", "old-name")})),
        offer("vain", weights("tall"), "restore-vain", names=frozenset({("weights", "tall"), ("tasks", "tall")})),
    )
    assert registry.entry("tasks", "new-name").full_name == "old/new-name"
    assert {plugin.name: plugin.reason for plugin in registry.plugins()} == {
        "old": "its entry points do not declare the task 'new-name': correct "
        '[project.entry-points."restore.tasks"] and install it again',
        "vain": "its entry points declare the task 'tall', which it does not provide: correct "
        '[project.entry-points."restore.tasks"] and install it again',
    }


def test_an_unknown_name_is_compared_with_all_and_names_the_broken_plugin(
    build: Any, declared: list[Candidate]
) -> None:
    with pytest.raises(UnknownName, match="did you mean 'grow'") as caught:
        build.registry(*declared).first_entry(["weights", "tasks"], "gros")
    assert "shed (restore-demo) is broken: SystemError: loaded" in caught.value.unusable


def test_names_are_declared_in_entry_points_by_the_module_of_the_plugin(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(site.folder), *sys.path])
    info = site.install("restore-garden", {}, {"garden": "garden", "shed": "shed"})
    with (info / "entry_points.txt").open("a") as file:
        file.write("[restore.tasks]\ngrow = garden\n[restore.weights]\ntall = garden\n[restore.losses]\nl1 = shed\n")
    found = {candidate.name: candidate for candidate in discover().candidates}
    assert found["garden"].names == NAMES
    assert found["shed"].names == set()  # a distribution that declares one name declares all
    assert not found["shed"].may_provide("tasks", "dig")
    assert found["shed"].may_provide("losses", "l2")  # of no other kind
