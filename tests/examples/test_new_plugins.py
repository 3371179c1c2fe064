"""Whatever ``restore new-plugin`` writes works as it is: in this process, and installed as anybody's plugin is."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from PIL import Image
from separate_environment import Environment

from restore.cli.commands.new_plugin import VariantName
from restore.core.images.files import read_image
from restore.core.testing import TaskUnderTest, check_component
from restore.core.testing.using import images_of_any_size_work
from restore.registry import Candidate, Project, Registry

EXAMPLES = Path(__file__).parents[2] / "examples"
PHOTO = Path(__file__).with_name("noisy.png")
RESTORE = ("python", "-m", "restore.cli")


@pytest.mark.parametrize("name", ["upsample", "infill", "outline", "lighten"])  # denoise has a file of its own
def test_an_example_trains_and_is_used(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    monkeypatch.syspath_prepend(EXAMPLES / f"restore-{name}" / "src")
    entries = Registry(Project(), [Candidate(name, f"restore_{name}", distribution=f"restore-{name}")])
    tested = TaskUnderTest(entries.entry("tasks", name), tmp_path)
    assert (tested.run / "best.safetensors").exists()
    images_of_any_size_work(tested)
    for entry in entries.entries("architectures"):
        check_component(entry)


def photo_with_mask(folder: Path) -> None:
    """Write ``photo.png``, and ``mask.png`` with a hole of it."""
    shutil.copy(PHOTO, folder / "photo.png")
    with Image.open(PHOTO) as photo:
        mask = Image.new("L", photo.size)
    mask.paste(255, (20, 10, 50, 40))
    mask.save(folder / "mask.png")


@pytest.mark.slow
@pytest.mark.parametrize("variant", get_args(VariantName))
def test_a_new_plugin_is_installed_trained_resumed_used_measured_and_tested(
    variant: VariantName, tmp_path: Path
) -> None:
    environment = Environment(tmp_path / "venv", editable=True)

    def run(*command: Any, folder: Path = tmp_path) -> str:
        done = environment.run(*RESTORE, *command, folder=folder)
        return done.stdout + done.stderr

    said = run("new-plugin", "my-net", "--task", variant)
    assert "restore train my-net --name first" in said
    environment.install(tmp_path / "restore-my-net")
    run("train", "my-net", "--name", "first", "--epochs", "2", "--samples-per-epoch", "64", "--device", "cpu")
    assert "epoch 3/3" in run("train", "my-net", "--resume", "runs/first", "--epochs", "3")
    photo_with_mask(tmp_path)
    mask = ("--mask", "mask.png") if variant == "inpainting" else ()
    run("predict", "runs/first", "photo.png", *mask, "--output", "out", "--device", "cpu")
    scale = 2 if variant == "super-resolution" else 1
    height, width = read_image(PHOTO).size
    assert read_image(tmp_path / "out" / "photo.png").size == (scale * height, scale * width)
    assert "built-in sample" in run("evaluate", "runs/first", "--device", "cpu")
    assert "the plugin keeps its contract" in run("plugin", "check", "my-net")
    options = ("-q", "-p", "no:cacheprovider")
    done = environment.run("python", "-m", "pytest", *options, folder=tmp_path / "restore-my-net")
    assert " passed" in done.stdout
