"""``restore show``: names, runs, weights files."""

from __future__ import annotations

import json
import math
import struct

import pytest
import torch

from restore.core.weights.files import save_weights


def test_a_task_is_shown_with_its_settings_and_ways_of_measuring(restore):
    result = restore("show", "grow-flowers")
    assert result.exit_code == 0
    assert "garden/grow-flowers: task of restore-garden" in result.stdout
    assert "Grows flowers." in result.stdout
    assert "--protocol plain: mse (mean over pixels)" in result.stdout
    rows = {line.split()[0]: line.split()[-1] for line in result.stdout.splitlines() if line.strip().startswith("--")}
    assert rows["--model.scale"] == "4"
    assert rows["--optimizer.lr"] == "0.01"
    assert rows["--basket"] == "none"


def test_a_plugin_is_shown_with_all_that_it_provides(restore):
    result = restore("show", "garden")
    assert "garden: plugin of restore-garden 1.2, ready" in result.stdout
    assert "grow-flowers, water, rain" in result.stdout


def test_a_broken_plugin_is_shown_with_its_reason(restore):
    result = restore("show", "weeds")
    assert "broken" in result.stdout
    assert "No module named 'no_such_module'" in result.stdout


def test_a_function_is_shown_with_its_signature(restore):
    result = restore("show", "garden/wilting")
    assert "garden/wilting: loss of restore-garden" in result.stdout
    assert "restore_garden.task:wilting(amount: float = 1.0) -> float" in result.stdout


def test_a_group_of_commands_is_shown_with_their_settings(restore):
    result = restore("show", "bed")
    assert "garden/bed dig: command of restore-garden" in result.stdout
    assert "--to INT" in result.stdout


def test_what_cannot_be_used_is_shown_with_its_problem(restore):
    result = restore("show", "no-reference")
    assert result.exit_code == 0
    assert "error: " in result.stdout
    assert "AbsentSettings" in result.stdout


def test_json_holds_the_same(restore):
    result = restore("show", "garden/grow-flowers", "--json")
    (entry,) = json.loads(result.stdout)["entries"]
    settings = {setting["name"]: setting for setting in entry["settings"]}
    assert settings["model.scale"]["flags"] == ["--model.scale", "--scale"]
    assert settings["model.scale"]["default"] == 4
    assert settings["soil"]["type"] == "clay|sand|PATH"
    assert settings["rows"]["default"] == [1, 2]
    assert entry["protocols"] == {"plain": ["mse (mean over pixels)"]}


def test_the_schema_of_a_tasks_settings_is_json_schema(restore):
    schema = json.loads(restore("show", "demanding", "--schema").stdout)
    assert schema["required"] == ["gardener"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["shade"]["description"] == "Share of the day in shade."


@pytest.fixture
def weights(in_garden):
    number = {"name": "mse", "convention": "mean over pixels", "of": "only", "value": 0.25}
    return save_weights(
        in_garden / "w.safetensors", task="garden/grow-flowers", model={"scale": 2},
        networks={"net": {"weight": torch.ones(1)}}, phase="only", numbers=[number],
    )  # fmt: skip


def test_a_weights_file_is_shown_with_its_numbers_and_their_convention(restore, weights):
    result = restore("show", "w.safetensors")
    assert result.exit_code == 0
    assert "w.safetensors: weights of garden/grow-flowers, phase only" in result.stdout
    assert "scale: 2" in result.stdout
    assert "mse (mean over pixels)" in result.stdout
    assert "0.2500" in result.stdout
    described = json.loads(restore("show", "w.safetensors", "--json").stdout)
    assert described["task"] == "garden/grow-flowers"
    assert described["installed"] is True


def test_numbers_that_json_has_no_word_for_are_null_in_it(restore, in_garden, weights):
    numbers = [
        {"name": name, "convention": "Y", "of": "only", "value": value}
        for name, value in (("psnr", math.inf), ("ssim", math.nan), ("mse", 0.5))
    ]
    save_weights(
        in_garden / "w.safetensors", task="garden/grow-flowers", model={}, networks={"net": {"w": torch.ones(1)}},
        numbers=numbers,
    )  # fmt: skip
    (in_garden / "run").mkdir()
    (in_garden / "w.safetensors").rename(in_garden / "run" / "best.safetensors")
    in_file = restore("show", "run", "--json")
    summary = {"metrics": [{**number, "value": None} for number in numbers], "seconds": 1.0}
    (in_garden / "run" / "summary.json").write_text(json.dumps(summary))
    of_run = restore("show", "run", "--json")
    for result, values in ((in_file, [None, None, 0.5]), (of_run, [None] * 3)):
        shown = json.loads(result.stdout, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
        assert [number["value"] for number in shown["numbers"]] == values
    text = restore("show", "run")
    assert text.exit_code == 0
    assert "nan" in text.stdout
    (in_garden / "run" / "summary.json").write_text('{"metrics": [1], "seconds": 1}')
    assert "inf" in restore("show", "run").stdout  # as the weights themselves say


@pytest.mark.parametrize(
    "numbers", [[1], [{"name": "mse"}], [{"name": "a", "convention": "b", "of": "c", "value": "d"}]]
)
def test_numbers_that_are_none_are_refused(restore, in_garden, numbers):
    about = {"task": "garden/grow-flowers", "model": {}, "versions": {}, "numbers": numbers}
    header = json.dumps({"__metadata__": {"restore": json.dumps(about)}}).encode()
    (in_garden / "odd.safetensors").write_bytes(struct.pack("<Q", len(header)) + header)
    result = restore("show", "odd.safetensors")
    assert result.exit_code == 1
    assert "this version of restore does not understand its 'restore' entry" in result.stderr


def test_weights_of_a_task_that_is_not_installed_are_shown_all_the_same(restore, in_garden):
    save_weights(in_garden / "x.safetensors", task="moon/dust", model={}, networks={"net": {"w": torch.ones(1)}})
    result = restore("show", "x.safetensors")
    assert result.exit_code == 0
    assert "weights of moon/dust (not installed;" in result.stdout


def test_a_damaged_weights_file_fails(restore, weights):
    weights.write_bytes(weights.read_bytes()[:-1])
    result = restore("show", "w.safetensors")
    assert result.exit_code == 1
    assert "truncated" in result.stderr
