"""``restore train --listener``: what a plugin provides is told what happens, if it is asked for."""

from __future__ import annotations

import json

import pytest
import yaml

START = ["train", "grow-flowers", "--name", "first"]


def read_config(folder, name="first"):
    return yaml.safe_load((folder / "runs" / name / "config.yaml").read_text())


@pytest.mark.parametrize("flags", [[], ["--name", "first"]])
def test_a_run_that_names_no_listener_has_none(restore, in_garden, flags):
    result = restore("train", "grow-flowers", *flags)
    assert result.exit_code == 0, result.output
    (run,) = (in_garden / "runs").iterdir()
    assert (run / "summary.json").is_file()
    assert not (run / "diary.txt").exists()


def test_a_listener_is_told_the_whole_run_and_named_in_its_config_alone(restore, in_garden):
    from restore.core.weights.header import read_header

    result = restore(*START, "--listener", "garden/diary", "--damage", "wilting")
    assert result.exit_code == 0, result.output
    lines = (in_garden / "runs/first/diary.txt").read_text().splitlines()
    assert lines[0] == "RunStarted"
    assert lines[-1] == "RunFinished"
    assert {"PhaseStarted", "StepDone", "Logged", "Evaluated", "CheckpointSaved", "PhaseFinished"} <= set(lines)
    config = read_config(in_garden)
    assert config["listener"] == ["garden/diary"]
    assert config["run"]["plugins"] == {"garden": "restore-garden==1.2"}
    plain = restore("train", "grow-flowers", "--name", "second")
    assert plain.exit_code == 0
    weights = [in_garden / "runs" / name / "best.safetensors" for name in ("first", "second")]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    assert read_header(weights[0]).plugins == {"garden": "restore-garden==1.2"}


def test_settings_of_a_listener_are_flags_once_it_is_named(restore, in_garden, flat):
    assert "--listener.diary" not in restore("train", "grow-flowers", "--help").stdout
    shown = flat(restore("train", "grow-flowers", "--listener=diary", "--help").stdout)
    assert "Settings of listener garden/diary" in shown
    assert "--listener.diary.lines" in shown
    flags = ["--listener", "diary", "--listener.diary.file", "notes.txt", "--listener.diary.lines", "2"]
    result = restore(*START, *flags)
    assert result.exit_code == 0, result.output
    assert len((in_garden / "runs/first/notes.txt").read_text().splitlines()) == 2
    assert read_config(in_garden)["listener_settings"] == {"garden/diary": {"file": "notes.txt", "lines": 2}}


def test_a_file_names_listeners_and_the_command_line_changes_their_settings(restore, in_garden):
    settings = {"listener": ["diary"], "listener_settings": {"diary": {"file": "notes.txt", "lines": 1}}}
    (in_garden / "settings.yaml").write_text(json.dumps(settings))
    more = ["--listener", "diary", "--listener.diary.lines", "3"]
    for name, flags, written in (("first", [], 1), ("second", more, 3)):
        result = restore("train", "grow-flowers", "--config", "settings.yaml", "--name", name, *flags)
        assert result.exit_code == 0, result.output
        assert len((in_garden / "runs" / name / "notes.txt").read_text().splitlines()) == written


def test_plugins_toml_gives_a_family_its_listeners(restore, in_garden):
    with (in_garden / "plugins.toml").open("a") as file:
        file.write('[plugin.garden]\nlistener = ["diary"]\nlistener_settings.diary.lines = 1\n')
    result = restore(*START)
    assert result.exit_code == 0, result.output
    assert (in_garden / "runs/first/diary.txt").read_text() == "RunStarted\n"
    assert "--listener.diary.file" in restore("train", "grow-flowers", "--help").stdout
    assert restore("train", "grow-flowers", "--name", "second", "--listener", "none").exit_code == 0
    assert not (in_garden / "runs/second/diary.txt").exists()


def test_a_resumed_run_keeps_its_listeners_until_it_is_told_otherwise(restore, in_garden):
    first = restore(*START, "--listener", "diary", "--listener.diary.file", "notes.txt")
    assert first.exit_code == 0, first.output
    notes = in_garden / "runs/first/notes.txt"
    before = len(notes.read_text().splitlines())
    resume = ["train", "grow-flowers", "--resume", "runs/first", "--epochs"]
    assert restore(*resume, "3").exit_code == 0
    after = len(notes.read_text().splitlines())
    assert after > before
    without = restore(*resume, "4", "--listener", "none")
    assert without.exit_code == 0, without.output
    assert len(notes.read_text().splitlines()) == after
    assert read_config(in_garden)["listener"] == []


def test_a_run_whose_listener_is_gone_can_be_resumed_without_it(restore, in_garden):
    assert restore(*START, "--listener", "diary").exit_code == 0
    config = in_garden / "runs/first/config.yaml"
    config.write_text(config.read_text().replace("- diary", "- moon/diary"))
    resume = ["train", "grow-flowers", "--resume", "runs/first", "--epochs", "3"]
    refused = restore(*resume)
    assert refused.exit_code == 2
    assert "--listener: no plugin is called 'moon'" in refused.stderr
    assert refused.stderr.endswith("To train without listeners: --listener none\n")
    assert restore(*resume, "--listener", "none").exit_code == 0


def test_a_listener_that_fails_is_named_once_and_the_run_goes_on(restore, in_garden):
    result = restore(*START, "--listener", "bee", "--listener", "diary", "--listener", "garden/bee")
    assert result.exit_code == 0, result.output
    (line,) = [line for line in result.stderr.splitlines() if "bee" in line]
    assert line == (
        "Warning: The listener garden/bee of plugin garden (restore-garden==1.2) failed at RunStarted and is not "
        "called again in this run: RuntimeError: stung (listeners.py, line 21)"
    )
    assert "Finished" in result.stdout
    assert "RunFinished" in (in_garden / "runs/first/diary.txt").read_text()


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (
            ["--listener", "diry"],
            2,
            "--listener: no listener is called 'diry'; did you mean 'diary'?",
        ),
        (["--listener", "moon/dust"], 2, "--listener: no plugin is called 'moon'"),
        (["--listener", "ghost"], 1, "it refers to 'restore_garden.listeners:Ghost', but module"),
        (
            ["--listener", "mole"],
            1,
            "listener garden/mole cannot be made: ZeroDivisionError: division by zero. This is a bug in the plugin "
            "garden (distribution restore-garden).",
        ),
        (["--listener", "scarecrow"], 1, "returned a Scarecrow, which cannot be called"),
        (
            ["--listener", "diary", "--listener.diary.lines", "0"],
            2,
            "--listener.diary.lines: should be greater than or equal to 1 (got 0, from the command line)",
        ),
        (
            ["--listener", "diary", "--listener-settings", '{"diary": {"lies": 1}}'],
            2,
            "listener_settings of garden/diary, from the command line: no such setting: 'lies'; did you mean 'lines'?",
        ),
        (
            ["--listener", "bee", "--listener-settings", '{"bee": {"lines": 1}}'],
            2,
            "listener_settings (from the command line): garden/bee has no settings",
        ),
        (
            ["--listener-settings", '{"diary": {"lines": 1}}'],
            2,
            "the run has no listener 'diary'; choose it with --listener diary",
        ),
    ],
)
def test_what_is_wrong_with_a_listener_is_said_before_a_folder_is_made(
    restore, in_garden, flat, arguments, status, message
):
    result = restore(*START, *arguments)
    assert result.exit_code == status
    assert message in flat(result.stderr)
    assert "Traceback" not in result.stderr
    assert not (in_garden / "runs").exists()


def test_listeners_are_listed_and_shown(restore):
    assert "listeners: diary, bee" in restore("list-plugins").stdout
    shown = restore("show", "garden/diary").stdout
    assert "garden/diary: listener of restore-garden" in shown
    assert "Writes." in shown
    assert "lines" in shown
