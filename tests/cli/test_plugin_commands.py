"""The verbs of plugins: names that several of them have, and words that are both a verb and a group."""

from __future__ import annotations

import sys

import pytest

from restore import registry

RIVAL = '''
from restore.core.settings import Settings
from restore.registry import CommandSpec, hookimpl


class Nothing(Settings):
    """Nothing to set."""


def tell(settings):
    print("the rival")


@hookimpl
def restore_commands():
    return [
        CommandSpec(name, f"{__name__}:tell", settings=f"{__name__}:Nothing", needs="nothing", summary="A rival.")
        for name in ("count", "smell sweet", "bed dig", "bed make")
    ]
'''


@pytest.fixture
def rival(restore, in_garden, monkeypatch):
    """The command line, with another plugin whose verbs are called as those of the garden."""
    (in_garden / "rival.py").write_text(RIVAL)
    (in_garden / "plugins.toml").write_text('enabled = ["garden"]\npaths = ["rival.py"]\n')
    monkeypatch.setattr(sys, "path", [*sys.path])
    registry.reset()
    yield restore
    sys.modules.pop("rival", None)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["rival/count"], "the rival\n"),
        (["garden/count", "--to", "2"], "1 2\n"),
        (["rival/bed", "dig"], "the rival\n"),
        (["garden/bed", "dig"], "1 2 3\n"),
        (["bed", "make"], "the rival\n"),
        (["smell", "sweet"], "the rival\n"),
    ],
)
def test_a_verb_is_found_by_its_plugin_and_its_name(rival, words, said):
    result = rival(*words)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["count"], "command 'count' is ambiguous: use garden/count or rival/count"),
        (["bed", "dig"], "command 'bed dig' is ambiguous: use garden/bed dig or rival/bed dig"),
        (
            ["smell", "absent"],
            "no run, weights or classical method",
        ),  # a run that is not there, of the verb that is called so
        (["rival/cuont"], "No such command: 'rival/cuont'; did you mean 'rival/count'?"),
        (["garden/bed", "make"], "'restore garden/bed' has no command 'make'"),
    ],
)
def test_what_several_plugins_have_is_told_apart(rival, words, said):
    result = rival(*words)
    assert result.exit_code == 2
    assert said in result.stderr


def test_the_help_shows_names_that_can_be_typed(rival, flat):
    listed = flat(rival("--help").stdout)
    assert "garden/count Counts flowers." in listed
    assert "rival/count A rival." in listed
    assert "bed Group of commands: dig, make." in listed
