"""``restore doctor``: facts, and what is wrong."""

from __future__ import annotations

import re
import shutil
from importlib.metadata import version
from types import SimpleNamespace

import pytest
import torch

from restore.cli import bf16_speed
from restore.cli.commands import doctor as doctor_module
from restore.core.runtime import precision


@pytest.fixture(autouse=True)
def quick(monkeypatch, tmp_path):
    """No measuring of speed, and an empty cache of downloaded weights."""
    monkeypatch.setattr(precision, "cpu_features", lambda: frozenset({"avx512_bf16"}))
    monkeypatch.setattr(bf16_speed, "bf16_speedup", lambda device: 1.5)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))


def facts(text):
    """The table as a dictionary."""
    table = text.partition("\n\n")[0]
    return dict(re.split(r"  +", line, maxsplit=1) for line in table.splitlines())


def test_versions_devices_precision_plugins_and_disk_are_told(restore, in_garden):
    result = restore("doctor")
    assert result.exit_code == 0
    found = facts(result.stdout)
    assert found["torch"] == torch.__version__.partition("+")[0]
    assert found["precision on cpu"] == "bf16 (training in bf16 is 1.50 times as fast as in fp32)"
    assert found["VGG19 weights"].startswith("not downloaded")
    assert "garden" in found["plugins ready"]
    assert found["plugins broken"] == "weeds"
    assert found["plugins.toml"] == str(in_garden / "plugins.toml")
    assert re.match(r"[\d.]+ GiB in ", found["free disk"])


def test_broken_plugins_and_tasks_are_warnings_and_no_errors(restore, flat):
    result = restore("doctor")
    text = flat(result.stdout)
    assert "Errors" not in text
    assert "- plugin weeds is broken: ModuleNotFoundError: No module named 'no_such_module'" in text
    assert "garden/no-settings cannot be used" in text
    assert "garden/clashing cannot be used: the setting 'resume'" in text


def test_settings_in_plugins_toml_that_nobody_has_are_told_once(restore, in_garden, flat):
    (in_garden / "plugins.toml").write_text('enabled = ["garden"]\n[plugin.garden]\nsede = 3\n')
    text = flat(restore("doctor").stdout)
    assert text.count("[plugin.garden] in plugins.toml: no such setting: 'sede'") == 1


def test_a_full_disk_prevents_work(restore, monkeypatch, flat):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=5 * 2**20, total=2**40))
    result = restore("doctor")
    assert result.exit_code == 1
    assert "has only 5 MiB free" in flat(result.stdout)


def test_nothing_to_train_prevents_work(restore, in_garden):
    (in_garden / "plugins.toml").write_text('enabled = ["weeds"]\n')
    result = restore("doctor")
    assert result.exit_code == 1
    assert "no task to train" in result.stdout


def test_an_unmet_requirement_prevents_work(restore, in_garden):
    (in_garden / "plugins.toml").write_text('enabled = ["garden"]\nrequired = ["restore-garden>=9"]\n')
    result = restore("doctor")
    assert result.exit_code == 1
    assert "restore-garden" in result.stdout.partition("Errors:")[2]


def test_a_wrong_plugins_toml_is_told_beside_everything_else(restore, in_garden):
    (in_garden / "plugins.toml").write_text("nonsense = 1\n")
    result = restore("doctor")
    assert result.exit_code == 1
    assert "unknown key 'nonsense'" in result.stdout
    assert "free disk" in facts(result.stdout)


def test_a_library_that_is_missing_or_too_old_is_named(restore, monkeypatch, flat):
    needed = ["torch>=99", "no-such-library", "numpy", 'pytest; extra == "dev"']
    monkeypatch.setattr(doctor_module, "requires", lambda name: needed)
    result = restore("doctor")
    assert result.exit_code == 1
    text = flat(result.stdout)
    assert f"torch>=99 is required, but {version('torch')} is installed." in text
    assert "no-such-library is not installed." in text
    assert "pytest is" not in text  # needed only by an extra


def test_a_part_that_cannot_be_examined_hides_no_other(restore, monkeypatch):
    def broken(device):
        raise RuntimeError("driver too old")

    monkeypatch.setattr(bf16_speed, "bf16_speedup", broken)
    result = restore("doctor")
    assert result.exit_code == 1
    assert "checking devices failed: RuntimeError: driver too old" in result.stdout
    assert "free disk" in facts(result.stdout)


@pytest.mark.parametrize(
    ("features", "speedup", "advised"),
    [("avx512_bf16", 1.5, None), ("avx512_bf16", 0.4, "fp32"), ("avx2", 1.5, "bf16"), ("avx2", 1.1, None)],
)
def test_a_precision_that_the_stopwatch_contradicts_is_told(restore, monkeypatch, flat, features, speedup, advised):
    monkeypatch.setattr(precision, "cpu_features", lambda: frozenset({features}))
    monkeypatch.setattr(bf16_speed, "bf16_speedup", lambda device: speedup)
    text = flat(restore("doctor").stdout)
    assert ("--precision auto selects" in text) == (advised is not None)
    if advised:
        assert f"try --precision {advised}" in text


def test_a_damaged_download_is_noticed(restore, tmp_path, flat):
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    (folder / "vgg19-dcbb9e9d.pth").write_bytes(b"cut off")
    result = restore("doctor")
    assert result.exit_code == 0
    assert "vgg19-dcbb9e9d.pth is damaged" in flat(result.stdout)
