"""Settings of a plugin's command that are typed in their place, without a flag."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pytest

from restore.cli.settings.flags import Flags
from restore.cli.settings.sources import validate
from restore.cli.typer_groups import make_command
from restore.core.errors import UsageError
from restore.core.settings import Positional, Settings


class Walk(Settings):
    ends: Annotated[tuple[Path, Path], Positional("A B")]
    """Where to begin and to end."""
    steps: int = 3


FLAGS = Flags(Walk)


def typed(*arguments: str) -> Walk:
    """The settings that a command makes of its arguments."""
    made: list[Walk] = []

    def run(**given: object) -> None:
        made.append(validate(Walk, [FLAGS.source(given, arguments)]))

    make_command("walk", run, FLAGS.parameters(), help_text="", usage="").main(list(arguments), standalone_mode=False)
    return made[0]


@pytest.mark.parametrize("arguments", [("a", "b", "--steps", "5"), ("--steps", "5", "a", "b")])
def test_values_are_taken_in_order_wherever_options_stand(arguments: tuple[str, ...]) -> None:
    assert typed(*arguments) == Walk(ends=(Path("a"), Path("b")), steps=5)


def test_the_usage_line_names_them() -> None:
    assert FLAGS.places() == ["A B"]


def test_what_is_missing_is_called_by_its_place() -> None:
    with pytest.raises(UsageError, match=r"^A B is required"):
        typed("--steps", "5")
    with pytest.raises(UsageError, match=r"^A B is required"):
        typed("a")
    with pytest.raises(UsageError, match=r"^A B: .* at most 2 items"):
        typed("a", "b", "c")


def test_there_is_no_flag_beside_the_place() -> None:
    parameters = {parameter.name: parameter.annotation.__metadata__[0] for parameter in FLAGS.parameters()}
    assert type(parameters["setting_ends"]).__name__ == "ArgumentInfo"
    assert type(parameters["setting_steps"]).__name__ == "OptionInfo"
