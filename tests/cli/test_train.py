"""``restore train``: from a command line to a finished run, and on from an interrupted one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
import yaml

from restore.core.errors import DataError


@pytest.fixture
def run_folder(restore, in_garden):
    """A finished run of two epochs."""
    result = restore("train", "grow-flowers", "--name", "first", "--optimizer.lr", "0.02")
    assert result.exit_code == 0, result.output
    return in_garden / "runs" / "first"


def test_a_run_says_what_it_does_and_ends_with_what_to_type_next(restore, in_garden):
    result = restore("train", "grow-flowers", "--name", "first")
    assert result.exit_code == 0
    text = result.stdout
    assert "Training garden/grow-flowers on cpu in fp32" in text
    assert "epoch 1/2 (only): " in text
    assert "epoch 2/2 (only): " in text
    assert "validation mse (mean over pixels) 0." in text
    end = text[text.index("\nvalidation") :]
    assert "only" in end
    assert "runs/first/best.safetensors" in end
    assert "restore predict runs/first photo.jpg --output out/" in end
    assert (in_garden / "runs/first/best.safetensors").is_file()


def test_what_was_typed_reaches_the_runs_config_as_decided(run_folder):
    config = yaml.safe_load((run_folder / "config.yaml").read_text())
    assert config["run"]["task"] == "garden/grow-flowers"
    assert config["optimizer"]["lr"] == 0.02
    assert config["model"] == {"scale": 4, "width": 4}


def test_the_config_of_a_run_makes_the_same_run_again(restore, run_folder):
    result = restore("train", "grow-flowers", "--config", str(run_folder / "config.yaml"), "--name", "second")
    assert result.exit_code == 0, result.output
    second = run_folder.with_name("second")
    assert (second / "best.safetensors").read_bytes()[-200:] == (run_folder / "best.safetensors").read_bytes()[-200:]


def test_a_finished_run_goes_on_for_more_epochs(restore, run_folder):
    result = restore("train", "grow-flowers", "--resume", str(run_folder), "--epochs", "3")
    assert result.exit_code == 0, result.output
    assert "resumed   after step 4" in result.stdout
    assert "epoch 3/3 (only)" in result.stdout
    assert "epoch 2/3" not in result.stdout
    assert yaml.safe_load((run_folder / "config.yaml").read_text())["optimizer"]["lr"] == 0.02


def test_a_run_begins_with_parts_of_another(restore, run_folder):
    parts = ["--init-filter", "net.0.*", "--init-filter", "net.2.bias"]
    result = restore("train", "grow-flowers", "--init-from", "runs/first", *parts, "--name", "second")
    assert result.exit_code == 0, result.output
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("  weights   initialized")]
    assert line.startswith("  weights   initialized from 3 of 4 tensors of net, from ")
    assert line.endswith("runs/first/best.safetensors (garden/grow-flowers)")
    config = yaml.safe_load((run_folder.with_name("second") / "config.yaml").read_text())
    assert config["init_filter"] == ["net.0.*", "net.2.bias"]
    assert config["init_from"] == str(run_folder / "best.safetensors")
    refused = restore("train", "grow-flowers", "--init-filter", "net.*")
    assert refused.exit_code == 2
    assert "init_filter and init_sha256 need init_from" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["grow-flowers", "--seed", "5"], "seed: 0 -> 5"),
        (["grow-flowers", "--epochs", "0"], "--epochs: should be greater than or equal to 1 (got 0, from the command"),
        (["grow-flowers", "--config", "x.yaml"], "--config and --resume exclude each other"),
        (["water"], "is a run of garden/grow-flowers, not of garden/water: restore train grow-flowers --resume"),
    ],
)
def test_a_resumed_run_cannot_become_another(restore, run_folder, arguments, message):
    result = restore("train", *arguments, "--resume", str(run_folder))
    assert result.exit_code == 2
    assert message in result.stderr


def test_print_config_of_a_resumed_run_shows_its_own_settings(restore, run_folder):
    result = restore("train", "grow-flowers", "--resume", str(run_folder), "--epochs", "9", "--print-config")
    assert result.exit_code == 0
    settings = yaml.safe_load(result.stdout)
    assert (settings["epochs"], settings["optimizer"]["lr"]) == (9, 0.02)
    assert "epochs: 9  # from the command line" in result.stdout


def test_a_run_folder_that_exists_is_not_written_into(restore, run_folder):
    result = restore("train", "grow-flowers", "--name", "first")
    assert result.exit_code == 2
    assert "already exists; continue it with --resume" in result.stderr


def test_an_output_that_cannot_be_written_is_named(restore, in_garden):
    (in_garden / "file").touch()
    result = restore("train", "grow-flowers", "--out", "file")
    assert result.exit_code in (1, 2)
    assert "file" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.skipif(os.name == "nt", reason="signals are sent otherwise there")
def test_ctrl_c_saves_and_says_how_to_go_on(garden, tmp_path):
    program = [sys.executable, "-m", "restore.cli"]
    environment = garden.environment(XDG_CONFIG_HOME=str(tmp_path / "home"), XDG_CACHE_HOME=str(tmp_path / "home"))
    running = subprocess.Popen(
        [*program, "train", "grow-flowers", "--epochs", "100000", "--name", "my run", "--workers", "2"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environment,
        process_group=0,
    )  # fmt: skip
    assert running.stdout is not None
    for line in running.stdout:
        if line.startswith("epoch 2/"):
            os.killpg(running.pid, signal.SIGINT)  # as a terminal sends it: to the workers too
            break
    _, errors = running.communicate(timeout=120)
    assert running.returncode == 130
    assert "Traceback" not in errors
    *_, stopped, go_on = errors.splitlines()  # a warning about the waiting may stand before
    assert stopped.startswith("Interrupted: stopped after step")
    assert go_on == "Resume with: restore train grow-flowers --resume 'runs/my run'"
    again = subprocess.run(
        [*program, "train", "grow-flowers", "--resume", "runs/my run", "--print-config"],
        capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=120,
    )  # fmt: skip
    assert again.returncode == 0
    assert "epochs: 100000" in again.stdout


@pytest.mark.parametrize(
    ("end", "status", "message"),
    [
        (DataError("photo.png: is damaged"), 1, "Error: photo.png: is damaged\n"),
        (KeyboardInterrupt(), 130, "Interrupted.\n"),
        (ZeroDivisionError("division by zero"), 1, "Error: "),
    ],
)
def test_a_run_that_ends_too_early_says_what_is_saved(restore, in_garden, monkeypatch, end, status, message):
    def fail(run):
        raise end

    monkeypatch.setattr("restore.core.training.loop.TrainingLoop._end_epoch", fail)
    result = restore("train", "grow-flowers", "--name", "first")
    assert result.exit_code == status
    assert result.stderr.startswith(message)
    last = result.stderr.splitlines()[-1]
    assert last == "Everything up to step 0 is saved. Resume with: restore train grow-flowers --resume runs/first"


def test_a_verb_that_needs_weights_gets_the_task_and_its_networks(restore, run_folder):
    result = restore("smell", str(run_folder), "--to", "2")
    assert result.exit_code == 0, result.output
    assert result.stdout == "Grow ['net'] 2\n"


def test_a_verb_that_needs_nothing_gets_its_settings(restore):
    assert restore("count", "--to", "4").stdout == "1 2 3 4\n"
    assert restore("bed", "dig").stdout == "1 2 3\n"


def test_a_verb_refuses_weights_of_another_family(restore, in_garden):
    import torch

    from restore.core.weights.files import save_weights

    save_weights(in_garden / "x.safetensors", task="moon/dust", model={}, networks={"net": {"w": torch.ones(1)}})
    result = restore("smell", "x.safetensors")
    assert result.exit_code == 2
    assert "no plugin is called 'moon'" in result.stderr


def test_a_run_a_method_and_json_are_measured_together(restore, run_folder):
    result = restore("evaluate", str(run_folder), "rain", "--json")
    assert result.exit_code == 0, result.output
    measured = json.loads(result.stdout)
    assert [metric["of"] for metric in measured["metrics"]] == [str(run_folder), "rain"]
    assert measured["metrics"][1]["value"] == 0.0  # the method inverts, as the targets do


def test_a_run_can_be_shown_with_the_numbers_of_its_summary(restore, run_folder):
    result = restore("show", str(run_folder))
    assert result.exit_code == 0
    assert "weights of garden/grow-flowers, phase only" in result.stdout
    assert "mse (mean over pixels)" in result.stdout


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("moon/dust", "--damage: no plugin is called 'moon'; "),
        (
            "garden/wilt",
            "--damage: plugin 'garden' has no loss 'wilt'; did you mean 'garden/wilting'? (got garden/wilt,",
        ),
        (
            "rot",
            "--damage: loss garden/rot is registered for inpainting, not for pixel; available: garden/wilting ",
        ),
    ],
)
def test_a_name_that_nothing_is_registered_under_is_refused_before_a_folder_is_made(restore, in_garden, name, said):
    result = restore("train", "grow-flowers", "--name", "first", "--damage", name)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())
    assert not (in_garden / "runs").exists()


def test_a_run_and_its_weights_name_the_plugins_that_they_need(run_folder):
    from restore.core.weights.header import read_header

    needed = {"garden": "restore-garden==1.2"}
    assert yaml.safe_load((run_folder / "config.yaml").read_text())["run"]["plugins"] == needed
    assert read_header(run_folder / "best.safetensors").plugins == needed


def test_what_was_made_with_a_plugin_that_is_missing_says_what_to_install(restore, in_garden, run_folder):
    from restore.core.weights.files import save_weights

    plugins = {"garden": "restore-garden==1.0", "moon": "restore-moon==2.1"}
    save_weights(in_garden / "x.safetensors", task="moon/dust", model={}, networks={}, plugins=plugins)
    for command in ("evaluate", "smell"):
        result = restore(command, "x.safetensors")
        assert result.exit_code == 1
        assert result.stderr.endswith("It needs what is not installed here: pip install restore-moon==2.1\n")
    config = yaml.safe_load((run_folder / "config.yaml").read_text())
    config["run"] |= {"task": "moon/dust", "plugins": plugins}
    (run_folder / "config.yaml").write_text(yaml.safe_dump(config))
    result = restore("train", "dust", "--resume", str(run_folder))
    assert "pip install restore-moon==2.1" in result.stderr


def test_equal_runs_of_different_processes_write_equal_weights_files(restore_process, tmp_path):
    for seed in ("1", "2"):  # of the order of sets
        done = restore_process("train", "grow-flowers", "--name", seed, PYTHONHASHSEED=seed)
        assert done.returncode == 0, done.stderr
    one, two = ((tmp_path / "runs" / seed / "best.safetensors").read_bytes() for seed in ("1", "2"))
    assert one == two
