"""Command line over file over plugins.toml over defaults: one merge, one validation."""

from __future__ import annotations

import pytest
import yaml

from restore.cli.settings.sources import Source, make_source, merge, validate
from restore.core.errors import UsageError
from restore.core.optimizer_settings import OptimizerSettings
from restore.core.settings import Settings


class Schedule(Settings):
    name: str = "constant"
    warmup: float = 0.0


class Tending(Settings):
    lr: float = 1.0
    name: str = "adam"
    schedule: Schedule = Schedule()


class Garden(Settings):
    tending: Tending = Tending(lr=0.5, schedule=Schedule(warmup=0.25))
    other: OptimizerSettings | None = None
    table: dict[str, int] = {}  # noqa: RUF012 - pydantic copies it
    size: int = 1


def test_a_later_layer_wins_setting_by_setting():
    low = make_source({"tending": {"lr": 0.1, "name": "sgd"}, "size": 2}, Garden, "low")
    high = Source("high", {("tending", "lr"): "1e-3"})
    settings = validate(Garden, [low, high])
    assert (settings.tending.lr, settings.tending.name, settings.size) == (1e-3, "sgd", 2)


def test_setting_one_value_of_a_group_keeps_the_others_of_the_groups_default():
    settings = validate(Garden, [Source("typed", {("tending", "schedule", "name"): "cosine"})])
    assert settings.tending.lr == 0.5  # not 1.0, which is the default of its class
    assert settings.tending.schedule == Schedule(name="cosine", warmup=0.25)


def test_what_nobody_asked_for_can_be_told_from_what_somebody_did():
    settings = validate(Garden, [Source("typed", {("tending", "lr"): "0.5"})])
    assert "lr" in settings.tending.model_fields_set
    assert "name" not in settings.tending.model_fields_set


def test_untouched_settings_stay_unset():
    assert validate(Garden, []).model_fields_set == set()
    assert validate(Garden, [Source("typed", {("size",): 3})]).model_fields_set == {"size"}


def test_an_optional_group_can_be_switched_off_and_on_by_later_layers():
    on = make_source({"other": {"lr": 0.1}}, Garden, "file")
    off = make_source({"other": None}, Garden, "file")
    assert validate(Garden, [on]).other.lr == 0.1
    assert validate(Garden, [on, off]).other is None
    assert validate(Garden, [off, Source("typed", {("other", "lr"): 0.2})]).other.lr == 0.2


class Either(Settings):
    number: int | float = 1


def test_a_value_that_is_none_of_several_types_is_told_all_of_them():
    with pytest.raises(UsageError) as raised:
        validate(Either, [Source("the command line", {("number",): "a"})])
    expected = "--number: should be a valid integer or a valid number (got a, from the command line)"
    assert str(raised.value) == expected


def test_a_table_is_one_value():
    assert validate(
        Garden, [make_source({"table": {"a": 1}}, Garden, "low"), make_source({"table": {"b": 2}}, Garden, "high")]
    ).table == {"b": 2}


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"sise": 1}, "f.yaml: no such setting: 'sise'; did you mean 'size'?"),
        ({"tending": {"nmae": 1}}, "f.yaml: no such setting: 'tending.nmae'; did you mean 'tending.name'?"),
        ({"tending": 3}, "f.yaml: 'tending' is a group of settings (lr, name, schedule), not a single value (got 3)"),
        (
            {"tending": None},
            "f.yaml: 'tending' is a group of settings (lr, name, schedule), not a single value (got none)",
        ),
        ({1: 2}, "f.yaml: no such setting: '1'"),
    ],
)
def test_a_file_that_names_what_is_not_there_is_refused(tree, message):
    with pytest.raises(UsageError) as refused:
        make_source(tree, Garden, "f.yaml")
    assert str(refused.value) == message


def test_nested_values_hold_only_what_the_layers_say():
    assert merge([Source("typed", {("tending", "lr"): 1, ("size",): 2})]) == {"tending": {"lr": 1}, "size": 2}


def test_the_layers_of_a_command_come_in_this_order(restore, in_garden):
    (in_garden / "plugins.toml").write_text(
        'enabled = ["garden"]\n[plugin.garden]\nseed = 1\nepochs = 11\noptimizer.lr = 0.1\noptimizer.name = "sgd"\n'
    )
    (in_garden / "mine.toml").write_text("epochs = 12\nseed = 2\n[optimizer]\nlr = 0.2\n")
    result = restore("train", "grow-flowers", "--config", "mine.toml", "--seed", "3", "--print-config")
    assert result.exit_code == 0
    lines = {line.strip() for line in result.stdout.splitlines()}
    assert "seed: 3  # from the command line" in lines
    assert "epochs: 12  # from mine.toml" in lines
    assert "lr: 0.2  # from mine.toml" in lines
    assert "name: sgd  # from plugins.toml" in lines
    assert "batch_size: 4" in lines  # the default says nothing about its origin


def test_the_help_shows_defaults_of_plugins_toml(restore, in_garden, flat):
    (in_garden / "plugins.toml").write_text('enabled = ["garden"]\n[plugin.garden]\nepochs = 11\n')
    assert "[default: 11, from plugins.toml" in flat(restore("train", "grow-flowers", "--help").stdout)


def test_plugins_toml_may_hold_settings_that_only_another_task_of_the_plugin_has(restore, in_garden):
    (in_garden / "plugins.toml").write_text('enabled = ["garden"]\n[plugin.garden]\ngardener = "Karl"\nepochs = 5\n')
    assert "epochs: 5" in restore("train", "grow-flowers", "--print-config").stdout
    assert "gardener: Karl" in restore("train", "demanding", "--print-config").stdout
    (in_garden / "plugins.toml").write_text('enabled = ["garden"]\n[plugin.garden]\ngardner = "Karl"\n')
    from restore import registry

    registry.reset()
    refused = restore("train", "grow-flowers", "--print-config")
    assert refused.exit_code == 2
    assert "[plugin.garden] in plugins.toml: no such setting: 'gardner'" in refused.stderr


def test_a_group_of_plugins_toml_may_hold_settings_that_only_another_task_has(restore, in_garden):
    text = 'enabled = ["garden"]\n[plugin.garden]\noptimizer.lr = 0.5\nmodel.width = 8\n'
    (in_garden / "plugins.toml").write_text(text + "model.scale = 8\nnotes = { a = 1 }\n")
    assert "scale: 8" in restore("train", "grow-flowers", "--print-config").stdout
    narrow = restore("train", "water", "--print-config")
    assert narrow.exit_code == 0, narrow.stderr
    config = yaml.safe_load(narrow.stdout)
    assert config["model"] == {"width": 8}
    assert config["optimizer"]["lr"] == 0.5


@pytest.mark.parametrize(
    "arguments",
    [["train", "water", "--print-config"], ["predict", "rain", "x.png", "--output", "o"], ["evaluate", "rain"]],
)
def test_what_no_task_of_a_plugin_has_is_refused_by_every_command_that_uses_one(restore, in_garden, arguments):
    (in_garden / "plugins.toml").write_text('enabled = ["garden"]\n[plugin.garden]\nmodel.sacle = 8\n')
    refused = restore(*arguments)
    assert refused.exit_code == 2
    assert "[plugin.garden] in plugins.toml: no such setting: 'model.sacle'" in refused.stderr


def test_a_printed_configuration_comes_with_the_warnings_of_plugins_toml(restore, in_garden):
    (in_garden / "plugins.toml").write_text('enabled = ["garden"]\n[plugin.gardn]\nepochs = 11\n')
    result = restore("train", "grow-flowers", "--print-config")
    assert result.exit_code == 0
    assert "no plugin is called 'gardn'; did you mean 'garden'" in result.stderr


def test_a_printed_configuration_can_be_used_again(restore, in_garden):
    first = restore(
        "train", "grow-flowers", "--print-config", "--scale", "8", "--notes", '{"a": 1}', "--rows", "5",
        "--shade", "0.5", "--soil", "some/folder", "--color", "blue", "--optimizer.betas", "0.5", "0.9",
    )  # fmt: skip
    assert first.exit_code == 0
    (in_garden / "again.yaml").write_text("run:\n  task: garden/grow-flowers\n" + first.stdout)
    again = restore("train", "grow-flowers", "--print-config", "--config", "again.yaml")
    assert again.exit_code == 0
    assert yaml.safe_load(again.stdout) == yaml.safe_load(first.stdout)
    assert yaml.safe_load(again.stdout)["model"]["scale"] == 8


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.yaml", "seed: [1\n", "a.yaml, line 2: invalid YAML"),
        ("a.yaml", "seed: 1\nepochs: 2\nseed: 3\n", "a.yaml, line 3: 'seed' is set twice"),
        ("a.yaml", "- seed\n", "a.yaml: expected 'name: value' lines, found list"),
        ("a.toml", "seed = \n", "a.toml: invalid TOML"),
        ("a.yaml", "sed: 1\n", "a.yaml: no such setting: 'sed'; did you mean 'seed'?"),
        ("a.yaml", "name: 2024-13-45\n", "a.yaml: a value looks like a date or a number, but month must be in 1..12"),
        ("a.yaml", "data: ''\n", "a.yaml: 'data': expected a file or a folder"),
        ("a.yaml", "seed: yes\n", "--seed: should be a whole number (got yes, from a.yaml)"),
        ("a.yaml", "precision: no\n", "--precision: should be 'auto', 'fp32', 'bf16' or 'fp16' (got no, from a.yaml)"),
        ("a.yaml", "batch_size: 5\naccumulate: 2\n", "batch_size (5) is not a multiple of accumulate (2)"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_by_name(restore, in_garden, name, text, message):
    (in_garden / name).write_text(text)
    result = restore("train", "grow-flowers", "--config", name)
    assert result.exit_code == 2
    assert message in result.stderr


def test_yaml_numbers_in_scientific_notation_are_numbers(restore, in_garden):
    (in_garden / "a.yaml").write_text("optimizer:\n  lr: 1e-4\n")  # which PyYAML reads as text
    result = restore("train", "grow-flowers", "--config", "a.yaml", "--print-config")
    assert "lr: 0.0001  # from a.yaml" in result.stdout


def test_a_folder_or_an_image_is_no_configuration(restore, in_garden):
    (in_garden / "x.yaml").write_bytes(b"\x89PNG\xff\xfe")
    assert "x.yaml: is not a UTF-8 text file" in restore("train", "grow-flowers", "--config", "x.yaml").stderr
    assert "is a folder; give a file" in restore("train", "grow-flowers", "--config", str(in_garden)).stderr


def test_defaults_of_a_plugin_that_trains_nothing_are_refused(restore, in_garden):
    (in_garden / "still.py").write_text(
        "from restore.registry import TaskSpec, hookimpl\n\n\n@hookimpl\ndef restore_tasks():\n"
        '    place = "restore_garden"\n    settings = f"{place}.settings:GrowSettings"\n'
        '    return [TaskSpec("hail", f"{place}.task:Rain", settings=settings, trains=False)]\n'
    )
    (in_garden / "plugins.toml").write_text('enabled = ["garden"]\npaths = ["still.py"]\n[plugin.still]\nseed = 1\n')
    refused = restore("evaluate", "hail")
    assert refused.exit_code == 2
    assert "[plugin.still] in plugins.toml: these are defaults of 'restore train', and still has no task" in (
        refused.stderr
    )
    assert restore("train", "grow-flowers", "--print-config").exit_code == 0
