"""What a person reads before anything is done."""

from __future__ import annotations

import re

import pytest


def test_restore_alone_tells_what_to_type_first(restore):
    result = restore()
    assert result.exit_code == 0
    first = result.stdout.split("Getting started:")[1]
    # The first thing offered is a task that can be trained, by its real name.
    assert re.match(r"\s+restore train [a-z-]+ ", first)
    assert "restore predict RUN photo.jpg --output out/" in first
    assert result.stdout.index("Getting started:") < result.stdout.index("Commands:")


def test_help_lists_the_tools_commands_and_the_verbs_of_plugins(restore):
    text = restore("--help").stdout
    own, verbs = text.split("Commands:")[1].split("Commands of plugins:")
    assert re.findall(r"^  ([a-z-]+) ", own, re.M) == [
        "train", "predict", "evaluate", "benchmark", "serve", "runs", "report", "recipes", "import", "export",
        "weights", "pack", "list-plugins", "show", "doctor", "new-plugin", "plugin",
    ]  # fmt: skip
    assert re.search(r"^  count +Counts flowers\.$", verbs, re.M)
    assert re.search(r"^  bed +Group of commands: dig\.$", verbs, re.M)


@pytest.mark.parametrize("words", [[], ["train"], ["train", "water"], ["bed"], ["bed", "dig"], ["show"]])
def test_the_short_flag_shows_the_same_help(restore, words):
    short, long = (restore(*words, flag) for flag in ("-h", "--help"))
    assert short.exit_code == 0
    assert short.stdout == long.stdout
    assert "-h, --help" in short.stdout


def test_train_alone_lists_what_can_be_trained_and_is_wrong_usage(restore):
    result = restore("train")
    assert result.exit_code == 2
    assert "grow-flowers" in result.stderr
    assert "Grows flowers." in result.stderr
    assert not re.search(r"^  rain ", result.stderr, re.M)  # a fixed method


def test_the_help_of_a_task_shows_every_flag_whole(restore, flat):
    result = restore("train", "grow_flowers", "--help")
    assert result.exit_code == 0
    for flag in ("--data", "--optimizer.lr", "--optimizer.schedule.milestones", "--early-stopping.min-delta"):
        assert re.search(rf"^  {re.escape(flag)} ", result.stdout, re.M), flag
    assert "--model.scale, --scale [2|4|8]" in result.stdout
    assert "--optimizer.nesterov / --no-optimizer.nesterov" in result.stdout
    assert "…" not in result.stdout
    assert "[a sample]" in flat(result.stdout)  # brackets are text, not markup


def test_the_help_of_a_task_shows_defaults_bounds_and_choices(restore, flat):
    text = flat(restore("train", "grow-flowers", "--help").stdout)
    assert "Channels. [default: 4; >=1, <=64]" in text
    assert "Share of the day in shade. [>=0, <1]" in text  # bounds inside a union with None
    assert "--soil clay|sand|PATH Kind of soil, or a folder of it. [default: clay]" in text
    assert "--rows INT Flowers of each row. [default: 1 2; repeat for several]" in text
    assert (
        "--optimizer.lr FLOAT Peak learning rate. [default: 0.01; >0]" in text
    )  # the group's default, not its class's


def test_the_help_of_a_task_groups_flags_under_headings(restore):
    text = restore("train", "grow-flowers", "--help").stdout
    headings = re.findall(r"^(\S.*):$", text, re.M)
    assert headings[0] == "Run"
    assert "model - The plot" in headings
    assert "optimizer.schedule - Learning-rate schedule" in headings
    assert "Settings of grow-flowers" in headings
    assert headings[-1] == "Options"


def test_predict_of_a_method_shows_its_own_options_beside_the_common_ones(restore, flat):
    result = restore("predict", "rain", "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith("Usage: restore predict rain INPUT… --output DIR [OPTIONS]")
    for flag in ("--output PATH", "--tile auto|off|INT", "--overwrite / --no-overwrite"):
        assert flag in flat(result.stdout)


def test_the_version_is_that_of_the_distribution(restore):
    from importlib.metadata import version

    assert restore("--version").stdout == f"restore {version('restorekit')}\n"
