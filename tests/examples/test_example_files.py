"""The other examples: a family in one file, settings in a file, and a script without the command line."""

from __future__ import annotations

import csv
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from restore import registry
from restore.cli.app import app
from restore.core.errors import UsageError
from restore.core.images.files import read_image
from restore.core.testing import check_listener
from restore.registry import Project, Registry

EXAMPLES = Path(__file__).parents[2] / "examples"
PHOTO = Path(__file__).with_name("noisy.png")


@pytest.fixture
def restore(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Run a command line that must succeed, where the family and the listener of one file each count."""
    files = [(EXAMPLES / name).as_posix() for name in ("brighten.py", "scores.py")]
    (tmp_path / "plugins.toml").write_text(f"paths = {files}\n")
    monkeypatch.chdir(tmp_path)
    registry.reset()

    def run(*arguments: str) -> None:
        done = CliRunner().invoke(app, list(arguments), prog_name="restore")
        assert done.exit_code == 0, done.output

    yield run
    registry.reset()


@pytest.fixture(autouse=True)
def _modules_of_examples_are_forgotten() -> Iterator[None]:
    """A later test may have another file of this name."""
    before = list(sys.path)
    yield
    sys.path[:] = before
    for name in ("brighten", "scores"):
        sys.modules.pop(name, None)


def test_a_family_in_one_file_trains_and_is_used(restore: Callable[..., None], tmp_path: Path) -> None:
    small = ("--epochs", "1", "--samples-per-epoch", "32", "--device", "cpu", "--name", "bright")
    restore("train", "brighten", *small)
    restore("predict", "runs/bright", str(PHOTO), "--output", "out", "--device", "cpu")
    assert read_image(tmp_path / "out" / "noisy.png").color.shape == read_image(PHOTO).color.shape


def test_a_listener_in_one_file_writes_a_line_at_each_validation(restore: Callable[..., None], tmp_path: Path) -> None:
    small = ("--epochs", "2", "--samples-per-epoch", "32", "--device", "cpu", "--name", "bright")
    restore("train", "brighten", *small, "--listener", "scores", "--listener.scores.file", "../../all.csv")
    lines = list(csv.reader((tmp_path / "all.csv").read_text().splitlines()))
    assert [line[:4] for line in lines] == [["bright", "brighten", step, "psnr (RGB)"] for step in ("2", "4")]
    assert all(5 < float(line[4]) < 60 for line in lines)


def test_the_listener_in_one_file_keeps_its_contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(EXAMPLES)
    project = Project(paths=(EXAMPLES / "scores.py",))
    check_listener(Registry(project, version="0.1").entry("listeners", "scores"), tmp_path)
    assert len((tmp_path / "run-0" / "scores.csv").read_text().splitlines()) == 2


def test_the_settings_file_is_valid_and_changes_what_it_says() -> None:
    settings_type = registry.entry("tasks", "srgan").locate("settings")
    settings = settings_type.model_validate(yaml.safe_load((EXAMPLES / "small-srgan.yaml").read_text()))
    assert settings.model.blocks == 8
    assert settings.split() == (8, 2)


def test_the_script_trains_measures_and_upscales(tmp_path: Path) -> None:
    script = EXAMPLES / "without_the_command_line.py"
    small = ("--epochs", "2", "--samples-per-epoch", "16", "--out", tmp_path / "runs")
    command = [sys.executable, script, PHOTO, tmp_path / "large.png", *small]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    assert "psnr (Y, border 2) of the last phase" in done.stdout
    _, height, width = read_image(PHOTO).color.shape
    assert read_image(tmp_path / "large.png").color.shape == (3, 2 * height, 2 * width)


def test_the_script_looks_at_its_files_before_it_trains(tmp_path: Path) -> None:
    main = runpy.run_path(str(EXAMPLES / "without_the_command_line.py"))["main"]
    for photo, upscaled, complaint in ((PHOTO, PHOTO, "already exists"), (tmp_path / "no.png", PHOTO, "no such file")):
        with pytest.raises(UsageError, match=complaint):
            main(photo, upscaled, out=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_every_example_is_in_the_index() -> None:
    index = (EXAMPLES / "README.md").read_text()
    names = [path.name for path in EXAMPLES.iterdir() if path.name not in ("README.md", "__pycache__")]
    assert [name for name in names if f"({name})" not in index] == []
