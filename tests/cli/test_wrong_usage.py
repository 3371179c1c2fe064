"""What a person reads after a mistake: one message on standard error, and exit status 2."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trian"], "No such command: 'trian'; did you mean 'train'?\nSee: restore --help"),
        (["coun"], "No such command: 'coun'; did you mean 'count'?"),
        (["bed", "dug"], "'restore bed' has no command 'dug'; did you mean 'dig'?"),
        (["train", "grow-flower"], "no task 'grow-flower' to train; did you mean 'grow-flowers'?"),
        (["train", "no-such"], "available: grow-flowers, water, no-reference, no-settings, demanding, clashing\n"),
        (["train", "--epochs", "3", "grow-flowers"], "expected a name before --epochs: restore train TASK"),
        (["train", "rain"], "rain is a classical method (nothing to train). Apply it with: restore predict rain"),
        (["train", "grow-flowers", "--lr", "1"], "No such option: --lr. Did you mean --optimizer.lr?"),
        (["train", "grow-flowers", "--optimzer.lr", "1"], "Did you mean --optimizer.lr"),
        (["train", "grow-flowers", "--epochs"], "Option '--epochs' requires an argument."),
        (["train", "grow-flowers", "--optimizer.betas", "1"], "Option '--optimizer.betas' requires 2 arguments."),
        (["train", "grow-flowers", "surplus"], "surplus"),
        (["train", "demanding"], "--gardener is required"),
        (["train", "grow-flowers", "--config", "absent.yaml"], "--config absent.yaml: no such file"),
        (["train", "grow-flowers", "--resume", "absent"], "absent is not a run folder: it contains no config.yaml"),
        (["predict", "rian", "x.png", "--output", "o"], "called 'rian'; did you mean 'rain'?"),
        (["predict", "absent.safetensors"], "absent.safetensors: no such file or folder"),
        (["predict", "runs/absent"], "runs/absent: no such file or folder"),
        (["predict", "grow-flowers"], "grow-flowers needs trained weights"),
        (["predict", "rain"], "Missing argument 'INPUT'."),
        (["predict", "rain", "x.png"], "--output is required"),
        (["predict", "rain", "x.png", "--output", "o", "--tile", "3"], "--tile: should be"),
        (["predict", "--output", "o", "rain"], "expected a name before --output"),
        (["evaluate", "rain", "--protocol"], "Option '--protocol' requires an argument."),
        (["evaluate", "rain", "snow", "--scale", "2"], "--scale is an option of rain, but not of everything"),
        (["evaluate", "rain", "--json", "snow"], "unexpected snow after an option"),
        (["smell", "rain"], "restore smell needs a run folder or a weights file"),
        (["count", "--to", "0"], "--to: should be greater than or equal to 1 (got 0, from the command line)"),
        (["show", "rian"], "called 'rian'; did you mean 'rain'"),
        (["show", "rain", "--sch"], "No such option: --sch. Did you mean --schema"),
        (["show", "wilting", "--schema"], "'wilting' is not a task or command, so it has no settings"),
        (["export", "x", "--output", "x.onnx", "--format", "onx"], "Invalid value for '--format': 'onx' is not one of"),
        (["import", "x.pth"], "x.pth: no installed plugin imports checkpoints"),
        (["list-plugins", "surplus"], "surplus"),
    ],
)
def test_a_mistake_gets_one_message_that_helps(restore, arguments, message):
    result = restore(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert f"\n{result.stderr}".count("\nError: ") == 1
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_every_wrong_value_is_named_with_its_flag_and_where_it_came_from(restore, in_garden):
    (in_garden / "garden.yaml").write_text("shade: 2\noptimizer:\n  lr: fast\n")
    result = restore(
        "train", "grow-flowers", "--config", "garden.yaml", "--epochs", "0", "--scale", "3", "--rows", "0",
        "--rows", "x", "--color", "green", "--notes", "{", "--batch-size", "2.5",
    )  # fmt: skip
    assert result.exit_code == 2
    lines = [line.strip() for line in result.stderr.splitlines()]
    assert lines[0] == "Error: 9 settings are invalid:"
    assert set(lines[1:]) == {
        "--epochs: should be greater than or equal to 1 (got 0, from the command line)",
        "--scale: should be 2, 4 or 8 (got 3, from the command line)",  # the flag that was typed, not --model.scale
        "--rows: should be greater than or equal to 1 (got 0, from the command line)",
        "--rows: should be a valid integer (got x, from the command line)",
        "--color: should be 'red' or 'blue' (got green, from the command line)",
        "--notes: should be a valid dictionary, written as JSON (got {, from the command line)",
        "--batch-size: should be a valid integer (got 2.5, from the command line)",
        "--shade: should be less than 1 (got 2, from garden.yaml)",
        "--optimizer.lr: should be a valid number (got fast, from garden.yaml)",
    }


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ("no-reference", "module 'restore_garden.settings' has no 'AbsentSettings'"),
        ("no-settings", "is of type dict, not a subclass of restore.core.settings.RunSettings"),
        ("clashing", "the setting 'resume' has the same name as an option of the command"),
        ("weeds", "is broken: ModuleNotFoundError: No module named 'no_such_module'"),
    ],
)
def test_a_fault_of_a_plugin_fails_and_names_the_plugin(restore, task, message):
    result = restore("train", task)
    assert result.exit_code == 1
    assert message in result.stderr
    assert "restore-garden" in result.stderr or "restore-weeds" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_wrong_plugins_toml_is_named_but_help_still_comes(restore, in_garden):
    (in_garden / "plugins.toml").write_text("enabledd = []\n")
    wrong = restore("train", "grow-flowers")
    assert wrong.exit_code == 2
    assert "plugins.toml: unknown key 'enabledd'; did you mean 'enabled' or 'disabled'?" in wrong.stderr
    helped = restore("--help")
    assert helped.exit_code == 0
    assert "Getting started:" in helped.stdout
    assert "unknown key" in helped.stderr
