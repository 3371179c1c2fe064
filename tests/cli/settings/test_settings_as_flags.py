"""How the fields of a settings class become flags, and typed words become values."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated, Literal, Optional

import pytest
from pydantic import Field
from pydantic_core import PydanticUndefined

from restore.cli.settings.flags import Flags
from restore.cli.settings.setting import list_settings
from restore.cli.settings.sources import Source
from restore.core.errors import UsageError
from restore.core.settings import Flag, RunSettings, Settings


class Inner(Settings):
    lr: float = 1.0
    size: Annotated[int, Flag("--size")] = 3


class Depth(enum.Enum):
    shallow = 1
    deep = 2


class Outer(Settings):
    inner: Inner = Inner(lr=0.5)
    """The inner group."""
    maybe: Inner | None = None
    """An optional group."""
    size: int = 1
    """As long as the short flag of another setting."""
    number: Optional[Annotated[int, Field(gt=0)]] = None  # noqa: UP045 - both spellings are in use
    """A number."""
    choice: Literal[2, 3, "four"] = 2
    depth: Depth = Depth.shallow
    switch: bool | None = None
    pair: tuple[int, Literal["x", "y"]] = (1, "x")
    levels: list[Depth] = []  # noqa: RUF012 - pydantic copies it
    either: Literal["auto"] | int = "auto"
    text: str | None = None
    named: Literal["none", "some"] | None = "some"
    table: dict[str, list[int]] = {}  # noqa: RUF012 - pydantic copies it
    grid: list[list[int]] = []  # noqa: RUF012 - pydantic copies it
    loose: tuple[int, ...] = (1,)
    made: list[int] = Field(default_factory=lambda: [7])
    needed: int


FLAGS = Flags(Outer)


def given(**values):
    """Parameters of a command as Typer hands them over."""
    return {f"setting_{name}": value for name, value in values.items()}


def one(**values):
    """The decoded value of the only setting that is typed."""
    (value,) = FLAGS.source(given(**values), []).values.values()
    return value


def test_groups_become_dotted_flags_and_short_flags_stand_beside_them():
    assert FLAGS.flags(("inner", "lr")) == ["--inner.lr"]
    assert FLAGS.flags(("maybe", "lr")) == ["--maybe.lr"]
    assert Flags(Inner).flags(("size",)) == ["--size"]


def test_a_short_flag_gives_way_to_a_setting_of_that_name():
    assert FLAGS.flags(("size",)) == ["--size"]
    assert FLAGS.flags(("inner", "size")) == ["--inner.size"]


def test_the_default_of_a_group_beats_the_default_of_its_class():
    defaults = {setting.name: setting.default for setting in list_settings(Outer)}
    assert defaults["inner.lr"] == 0.5
    assert defaults["maybe.lr"] == 1.0
    assert defaults["made"] == [7]
    assert defaults["needed"] is PydanticUndefined


def test_what_was_not_typed_is_not_a_value():
    assert FLAGS.source(given(number=None, levels=None, made=[], pair=()), []).values == {}


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ({"choice": "3"}, 3),  # a choice that is no text
        ({"choice": "four"}, "four"),
        ({"choice": "5"}, "5"),  # pydantic's to refuse
        ({"depth": "2"}, Depth.deep),
        ({"levels": ["1", "2"]}, [Depth.shallow, Depth.deep]),
        ({"pair": ("4", "y")}, ["4", "y"]),
        ({"switch": False}, False),
        ({"number": "none"}, None),
        ({"size": "none"}, "none"),  # no value of this setting: pydantic's to refuse
        ({"text": "none"}, None),
        ({"named": "none"}, "none"),  # a choice of this name goes before
        ({"table": '{"a": [1]}'}, {"a": [1]}),
        ({"table": "{"}, "{"),
        ({"grid": "[[1], [2]]"}, [[1], [2]]),
        ({"loose": ["1", "2", "3"]}, ["1", "2", "3"]),
        ({"either": "auto"}, "auto"),
        ({"either": "64"}, "64"),
    ],
)
def test_words_become_what_validation_wants(typed, value):
    assert one(**typed) == value


def test_every_word_that_is_decoded_is_accepted_by_pydantic():
    words = given(
        choice="3", depth="2", pair=("4", "y"), levels=["2"], either="64", table="{}", needed="1", number="none",
        inner__lr="1e-4", loose=["2"],
    )  # fmt: skip
    tree = {path[0]: value for path, value in FLAGS.source(words, []).values.items() if len(path) == 1}
    settings = Outer(**tree, inner={"lr": FLAGS.source(words, []).values["inner", "lr"]})
    assert (settings.choice, settings.depth, settings.pair, settings.either) == (3, Depth.deep, (4, "y"), 64)
    assert settings.inner.lr == 1e-4
    assert settings.loose == (2,)


def test_help_marks_what_is_required_and_what_may_be_repeated():
    options = {parameter.name: parameter.annotation.__metadata__[0] for parameter in FLAGS.parameters()}
    assert options["setting_needed"].help == "[required]"
    assert "repeat for several" in options["setting_levels"].help
    assert "repeat for several" in options["setting_loose"].help
    assert options["setting_loose"].metavar == "INT"
    assert options["setting_table"].metavar == "JSON"
    assert options["setting_either"].metavar == "auto|INT"
    assert options["setting_pair"].metavar == "INT [x|y]"
    assert options["setting_inner__lr"].rich_help_panel == "inner - The inner group"


def test_a_preset_is_shown_as_the_default_with_its_origin():
    flags = Flags(Outer, presets=Source("plugins.toml", {("inner", "lr"): 3e-4}))
    options = {parameter.name: parameter.annotation.__metadata__[0] for parameter in flags.parameters()}
    assert options["setting_inner__lr"].help == "[default: 0.0003, from plugins.toml]"


def test_defaults_that_hold_on_the_sample_alone_are_shown_beside_the_others():
    class Family(RunSettings):
        inner: Inner = Inner(lr=0.5)

        @classmethod
        def sample_defaults(cls, given):
            return {"inner": {"lr": 0.1}, "ema": 0.9}

    options = {parameter.name: parameter.annotation.__metadata__[0] for parameter in Flags(Family).parameters()}
    assert options["setting_inner__lr"].help == "[default: 0.5; on the sample: 0.1]"
    assert "[on the sample: 0.9; " in options["setting_ema"].help
    assert "sample:" not in options["setting_inner__size"].help


def test_the_flag_that_was_typed_is_found_in_any_spelling():
    class Net(Settings):
        scale: Annotated[int, Flag("--scale")] = 1

    class Whole(Settings):
        net: Net = Net()
        fast: bool = False

    flags = Flags(Whole)
    given = {"setting_net__scale": "3", "setting_fast": False}
    for typed in ("--scale 3 --no-fast", "--scale=3 --no-fast"):
        assert flags.source(given, typed.split()).typed_as == {("net", "scale"): "--scale", ("fast",): "--no-fast"}
    assert flags.source(given, ["--net.scale", "3"]).typed_as["net", "scale"] == "--net.scale"
    assert flags.source(given, []).typed_as["net", "scale"] == "--net.scale"


def test_a_setting_may_not_take_the_name_of_a_flag_of_the_command():
    with pytest.raises(ValueError, match="'size' has the same name as an option"):
        Flags(Outer, reserved=["--size"])


class Where(Settings):
    folder: Path | None = None
    files: list[Path] = []  # noqa: RUF012 - pydantic copies it
    note: Path | str = ""


def test_none_clears_an_optional_path_and_a_file_of_that_name_has_another_spelling():
    assert Flags(Where).source({"setting_folder": "none"}, []).values == {("folder",): None}
    assert Flags(Where).source({"setting_folder": "./none"}, []).values == {("folder",): "./none"}


@pytest.mark.parametrize("typed", [{"setting_folder": ""}, {"setting_files": ["a", ""]}])
def test_an_empty_word_is_no_path(typed):
    with pytest.raises(
        UsageError, match=r"expected a file or a folder, got an empty string \('.' is the working directory\)"
    ):
        Flags(Where).source(typed, [])


def test_an_empty_word_may_be_a_text():
    assert Flags(Where).source({"setting_note": ""}, []).values == {("note",): ""}
