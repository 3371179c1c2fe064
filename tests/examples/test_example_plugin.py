"""The example of a third party is installed as anybody's plugin is, and the tool works with it as with ours."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from separate_environment import Environment

from restore.core.images.files import read_image

ROOT = Path(__file__).parents[2]
DENOISE = ROOT / "examples" / "restore-denoise"
PHOTO = ROOT / "tests" / "examples" / "noisy.png"
SMALL = (
    "--model.channels",
    "4",
    "--model.depth",
    "3",
    "--crop-size",
    "16",
    "--epochs",
    "1",
    "--samples-per-epoch",
    "16",
)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """One in which the plugin is installed, from a copy: building writes into the folder."""
    folder = tmp_path_factory.mktemp("environment")
    source = shutil.copytree(DENOISE, folder / "source", ignore=shutil.ignore_patterns("build", "*.egg-info"))
    environment = Environment(folder / "venv", editable=True)
    environment.install(source)
    return environment


@pytest.fixture(scope="module")
def run(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of it, trained by the command line."""
    folder = tmp_path_factory.mktemp("run")
    arguments = (*SMALL, "--noise", "30", "--device", "cpu", "--name", "first")
    done = environment.run("python", "-m", "restore.cli", "train", "denoise", *arguments, folder=folder)
    assert "restore predict runs/first photo.jpg" in done.stdout + done.stderr
    return folder / "runs" / "first"


def test_it_is_listed_with_all_that_it_provides(environment: Environment, tmp_path: Path) -> None:
    listed = environment.run("python", "-m", "restore.cli", "list-plugins", "--json", folder=tmp_path).stdout
    (plugin,) = (plugin for plugin in json.loads(listed) if plugin["name"] == "denoise")
    assert (plugin["distribution"], plugin["version"], plugin["state"]) == ("restore-denoise", "0.1.0", "ready")
    assert plugin["provides"]["tasks"] == ["denoise"]
    assert plugin["provides"]["architectures"] == ["denoise"]


def test_its_settings_are_flags_with_help(environment: Environment, tmp_path: Path) -> None:
    shown = environment.run("python", "-m", "restore.cli", "train", "denoise", "--help", folder=tmp_path).stdout
    assert "--noise" in shown
    assert "Standard deviation of the noise" in " ".join(shown.split())


def test_a_run_measures_itself(run: Path) -> None:
    summary = json.loads((run / "summary.json").read_text())
    assert summary["task"] == "denoise/denoise"
    (number,) = summary["metrics"]
    assert (number["name"], number["convention"], number["of"]) == ("psnr", "8-bit RGB, noise 30", "train")
    assert 5 < number["value"] < 60


def test_a_run_is_used_on_an_image(environment: Environment, run: Path, tmp_path: Path) -> None:
    shutil.copy(PHOTO, tmp_path / "noisy.png")
    predict = ("predict", run, "noisy.png", "--output", "clean", "--device", "cpu")
    environment.run("python", "-m", "restore.cli", *predict, folder=tmp_path)
    assert read_image(tmp_path / "clean" / "noisy.png").color.shape == read_image(PHOTO).color.shape


def test_a_run_is_measured_with_another_noise(environment: Environment, run: Path, tmp_path: Path) -> None:
    measured = {}
    for noise in (5, 60):
        command = ("evaluate", run, "--noise", str(noise), "--device", "cpu", "--json", "--data", PHOTO.parent)
        said = environment.run("python", "-m", "restore.cli", *command, folder=tmp_path).stdout
        (number,) = json.loads(said)["metrics"]
        measured[number["convention"]] = number["value"]
    assert list(measured) == ["8-bit RGB, noise 5", "8-bit RGB, noise 60"]  # that of the run is 30
    assert measured["8-bit RGB, noise 5"] > measured["8-bit RGB, noise 60"] + 3


def test_its_own_tests_pass(environment: Environment, tmp_path: Path) -> None:
    tests = shutil.copytree(DENOISE / "tests", tmp_path / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    options = ("-q", "-p", "no:cacheprovider", "--import-mode=importlib", "--rootdir", tmp_path)
    done = environment.run("python", "-m", "pytest", *options, tests, folder=tmp_path)
    assert "6 passed" in done.stdout


def test_a_run_of_a_plugin_that_is_gone_says_what_is_missing(run: Path, tmp_path: Path) -> None:
    without = Environment(tmp_path / "venv", editable=True)
    done = without.run(
        "python", "-m", "restore.cli", "predict", run, "x.png", "--output", "o", folder=tmp_path, check=False
    )
    assert done.returncode in (1, 2)
    assert "denoise" in done.stderr
    assert "Traceback" not in done.stderr
