"""``restore plugin check``: what is wrong with a plugin is a line of the report, never a traceback."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from restore import registry
from restore.cli.app import app
from restore.cli.plugin_check.checks import Check
from restore.cli.plugin_check.report import run_checks

PROJECT = """
[project]
name = "restore-{name}"
version = "1.0"
{more}
[project.entry-points."restore.plugins"]
{name} = "restore_{name}"
"""
STATED = 'description = "For tests."\nlicense = "MIT"'


@pytest.fixture(autouse=True)
def _leave_this_process_as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("PYTHONPATH", "")
    torch.set_num_threads(1)
    yield
    registry.reset()
    for module in [name for name in sys.modules if name.startswith("restore_broken")]:
        del sys.modules[module]


def run(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, ["plugin", *map(str, arguments)])


def checkout(folder: Path, name: str, hooks: str, more: str = STATED, **modules: str) -> Path:
    """Write a plugin that is not installed."""
    package = folder / "src" / f"restore_{name}"
    package.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(PROJECT.format(name=name, more=more))
    (package / "__init__.py").write_text(f"from restore.registry import *\n{hooks}\n")
    for module, text in modules.items():
        (package / f"{module}.py").write_text(text)
    return folder


def results(folder: Path, status: int = 1) -> dict[str, tuple[str, str]]:
    """Check a plugin; state and reason by the name of the check."""
    done = run("check", folder, "--json")
    assert done.exit_code == status, done.output
    assert "Traceback" not in done.output
    report = json.loads(done.stdout)
    assert report["passed"] == (status == 0)
    return {check["name"]: (check["state"], check["reason"]) for check in report["checks"]}


LOADS = "plugin: loads, and no other one has its name"


@pytest.mark.parametrize(
    ("hooks", "reason"),
    [
        ("import nowhere_to_be_found", "ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("@hookimpl\ndef restore_tasks():\n    raise ValueError('no luck')", "restore_tasks: ValueError: no luck"),
        ("@hookimpl\ndef restore_losses():\n    return {}", "it must return a list of LossSpec"),
        ("@hookimpl\ndef restore_losses():\n    return [LossSpec('a', 'b:c', role='x')]", "'x' is no role of losses"),
        ("", "provides nothing"),
    ],
)
def test_a_plugin_that_does_not_load_is_reported(hooks: str, reason: str, tmp_path: Path) -> None:
    state, said = results(checkout(tmp_path, "broken_start", hooks))[LOADS]
    assert state == "FAIL"
    assert reason in said


COMPONENTS = """
@hookimpl
def restore_architectures():
    place, settings = "restore_broken_parts.parts", "restore_broken_parts.settings"
    return [
        ArchitectureSpec("good", f"{place}:Good", role="super-resolution", settings=f"{settings}:Documented"),
        ArchitectureSpec("small", f"{place}:Small", role="super-resolution"),
        ArchitectureSpec("demanding", f"{place}:Demanding", role="restoration"),
        ArchitectureSpec("absent", f"{place}:Absent", role="restoration"),
        ArchitectureSpec("leaves", f"{place}:Leaves", role="restoration"),
        ArchitectureSpec("silent", f"{place}:Good", role="super-resolution", settings=f"{settings}:Silent"),
        ArchitectureSpec("compact", f"{place}:Good", role="super-resolution"),
    ]


@hookimpl
def restore_losses():
    place = "restore_broken_parts.parts"
    return [
        LossSpec("good-loss", f"{place}:GoodLoss", role="pixel"),
        LossSpec("nameless", f"{place}:Nameless", role="pixel"),
        LossSpec("detached", f"{place}:Detached", role="pixel"),
    ]


@hookimpl
def restore_metrics():
    return [MetricSpec("unsaid", "restore_broken_parts.parts:Unsaid", role="image")]


@hookimpl
def restore_datasets():
    return [DatasetSpec("untold", "restore_broken_parts.parts:untold", role="restoration")]
"""
SETTINGS = '''
from restore.core import Settings
class Documented(Settings):
    channels: int = 4
    """Channels."""
class Silent(Settings):
    channels: int = 4
'''
PARTS = """
import torch
from torch import nn
class Good(nn.Module):
    def __init__(self, scale, channels=4):
        super().__init__()
        self.layer = nn.Sequential(nn.Conv2d(3, 3 * scale**2, channels - 1, padding=1), nn.PixelShuffle(scale))
    def forward(self, x):
        return self.layer(x)
class Small(Good):
    def forward(self, x):
        return x
class Demanding(nn.Module):
    def __init__(self, width):
        super().__init__()
class Leaves(nn.Module):
    def forward(self, x):
        raise SystemExit(5)
class GoodLoss:
    def __call__(self, prediction, batch):
        return {"l2": (prediction - batch["target"]).square().mean()}
class Nameless(GoodLoss):
    def __call__(self, prediction, batch):
        return (prediction - batch["target"]).mean()
class Detached(GoodLoss):
    def __call__(self, prediction, batch):
        return {"l2": torch.tensor(1.0)}
class Unsaid:
    name, convention, better = "unsaid", "", "higher"
def untold(split, folder, val_fraction, seed, crop_size):
    return [{"input": torch.zeros(3, 8, 8)}]
"""


def test_each_component_is_held_to_the_contract_of_its_role(tmp_path: Path) -> None:
    found = results(checkout(tmp_path, "broken_parts", COMPONENTS, parts=PARTS, settings=SETTINGS))
    failed = {name: reason for name, (state, reason) in found.items() if state == "FAIL"}
    expected = {
        "architecture small: keeps the contract of the role super-resolution": "not (1, 3, 96, 128)",
        "architecture demanding: keeps the contract of the role restoration": "missing a required argument: 'width'",
        "architecture absent: everything it refers to exists": "has no 'Absent'",
        "architecture absent: keeps the contract of the role restoration": "has no 'Absent'",
        "architecture leaves: keeps the contract of the role restoration": "SystemExit: 5",
        "architecture silent: settings have help and defaults": "settings: channels has no help",
        "architecture compact: no other plugin has this name": "srgan/compact has it too",
        "loss nameless: keeps the contract of the role pixel": "returns a tensor of shape (), not a dictionary",
        "loss detached: keeps the contract of the role pixel": "no gradient flows back",
        "metric unsaid: keeps the contract of the role image": "has '' as its convention",
        "dataset untold: keeps the contract of the role restoration": "sample 0 has no target",
    }
    assert set(failed) == set(expected)
    for name, reason in expected.items():
        assert reason in failed[name]


def test_a_distribution_says_what_it_is_and_under_which_license(tmp_path: Path) -> None:
    found = results(checkout(tmp_path, "broken_words", "", more=""))
    assert found["metadata: description and license"] == (
        "FAIL",
        "pyproject.toml states no description and no license",
    )


def test_a_slow_start_is_reported(tmp_path: Path) -> None:
    found = results(checkout(tmp_path, "broken_speed", "import torch"))
    state, reason = found["start: imports no torch"]
    assert state == "FAIL"
    assert "also imports torch" in reason


TASK = """
@hookimpl
def restore_tasks():
    place = "restore_broken_task.task"
    return [TaskSpec("dim", f"{place}:Dim", settings="restore.core:Settings", trains=False)]
"""
DIM = """
from restore.core import Method, Settings, as_dataset
from restore.plugins.common.images.samples import photographs
from restore.plugins.common.metrics import PSNR
class Dim(Method[Settings]):
    def predict(self, batch, networks):
        return {"output": batch["input"][..., ::2]}
    def protocols(self):
        return {"rgb": {"psnr": PSNR()}}
    def evaluation_data(self, folder):
        return as_dataset(photographs("validation", 16), transform=lambda x: (x / 255, x / 255))
"""


def test_a_method_of_the_wrong_size_that_ignores_data_is_reported(tmp_path: Path) -> None:
    found = results(checkout(tmp_path, "broken_task", TASK, task=DIM))
    state, reason = found["task dim: images of any size work"]
    assert state == "FAIL"
    assert "27" in reason  # columns of what it returns
    assert found["task dim: a folder that does not exist is refused"][0] == "FAIL"
    assert found["task dim: can be made"][0] == "PASS"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["check", "srgam"], "no plugin is called 'srgam'; did you mean 'srgan'?"),
        (["check", "./nowhere"], "./nowhere: no such file or folder"),
        (["check", "."], "expected a folder with a pyproject.toml"),
        (["check", "common", "--data", "nowhere"], "--data nowhere: no such folder"),
        (["chek", "common"], "did you mean 'check'?"),
        (["check"], "name a plugin, or run this in the folder of one, with a pyproject.toml; installed: classic, "),
    ],
)
def test_a_wrong_command_line_is_wrong_usage(
    arguments: list[str], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run(*arguments)
    assert done.exit_code == 2
    assert reason in done.stderr


def test_an_installed_plugin_is_checked_with_one_line_for_each_check() -> None:
    done = run("check", "common")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Checking plugin common (restorekit ")
    assert any(line.startswith("PASS ") and line.endswith("loss l1: everything it refers to exists") for line in lines)
    assert lines[-1].startswith("common: the plugin keeps its contract (")


def test_an_error_that_several_checks_share_is_reported_once() -> None:
    error = ValueError("the run broke")

    def fail() -> None:
        print("noise of a plugin")
        raise error

    first, second = run_checks([Check("one", fail), Check("other", fail)])
    assert (first.state, first.reason) == ("FAIL", "ValueError: the run broke")
    assert (second.state, second.reason) == ("SKIP", "the run that it needs failed, see above")
