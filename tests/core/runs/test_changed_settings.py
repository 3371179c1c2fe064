"""The settings that a run changed are enough to make it again, from the command line too."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import Field

from restore import registry
from restore.cli.commands.train import train_command
from restore.core.command_words import type_setting
from restore.core.runs.changed_settings import describe_changed, describe_resumed, list_changed
from restore.core.settings import RunSettings, Settings

TRAINABLE = [entry for entry in registry.entries("tasks") if entry.spec.trains and entry.distribution == "restorekit"]


class Inner(Settings):
    rate: float = 0.5
    size: tuple[int, int] = (8, 8)
    weights: dict[str, float] = Field(default={"a": 1.0})


class Outer(RunSettings):
    inner: Inner = Inner(rate=0.25)
    chosen: Annotated[int | None, Field(ge=1)] = None


def test_nothing_is_changed_in_the_defaults() -> None:
    assert list_changed(Outer()) == []


def test_a_change_has_its_path_its_default_and_the_words_that_make_it() -> None:
    settings = Outer(inner=Inner(rate=0.1, size=(4, 6), weights={"b": 2.0}), deterministic=True, track=(), name="run")
    words = {".".join(each.path): each.words for each in list_changed(settings)}
    assert words == {
        "deterministic": ["--deterministic"],
        "track": ["--track", "none"],
        "inner.rate": ["--inner.rate", "0.1"],
        "inner.size": ["--inner.size", "4", "6"],
        "inner.weights": ["--inner.weights", '{"b": 2.0}'],
    }
    assert next(each.default for each in list_changed(settings) if each.path == ("inner", "rate")) == 0.25


@pytest.mark.parametrize(
    ("value", "annotation", "words"),
    [
        (None, int | None, ["--x", "none"]),
        (False, bool, ["--no-x"]),
        (("a", "b"), tuple[str, ...], ["--x", "a", "--x", "b"]),
        (Path("some where"), Path | None, ["--x", "some where"]),
    ],
)
def test_values_are_typed_by_their_type(value: Any, annotation: Any, words: list[str]) -> None:
    assert type_setting(("x",), value, annotation) == words


def test_values_that_were_decided_at_the_start_are_told_apart() -> None:
    given = Outer(epochs=3)
    told = {
        each["name"]: each["given"] for each in describe_changed(given.model_copy(update={"precision": "bf16"}), given)
    }
    assert told == {"epochs": True, "precision": False}


def test_a_resume_is_described_by_what_it_changed() -> None:
    (change,) = describe_resumed(Outer(epochs=3), Outer(epochs=5))
    assert (change["name"], change["default"], change["value"]) == ("epochs", 3, 5)


@pytest.mark.parametrize("entry", TRAINABLE, ids=lambda entry: entry.name)
def test_the_words_of_every_family_make_the_same_settings_again(
    entry: registry.Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = entry.load().tiny_settings()
    words = [word for each in list_changed(wanted) for word in each.words]
    assert words
    made: list[Any] = []
    monkeypatch.setattr("restore.cli.commands.train.train", lambda _, settings, *rest: made.append(settings))
    train_command(entry, words).main(words, standalone_mode=False)
    left_out = {"name", "out", "report"}
    assert made[0].model_dump(exclude=left_out) == wanted.model_dump(exclude=left_out)
