"""Whatever ``restore new-plugin`` writes works as it is: in this process, and installed as anybody's plugin is."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, get_args

import pytest
from PIL import Image
from separate_environment import Environment

from restore.cli.commands.new_plugin import VariantName, render_plugin
from restore.core.images.files import read_image

PHOTO = Path(__file__).with_name("noisy.png")
RESTORE = ("python", "-m", "restore.cli")


def test_new_plugins_pass_their_own_tests(site: Any, tmp_path: Path) -> None:
    variants = get_args(VariantName)
    for variant in variants:
        for path, text in render_plugin(f"my-{variant}", variant).items():
            (tmp_path / variant / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / variant / path).write_text(text, "utf-8")
        site.install_source(tmp_path / variant)
    reported = site.run_tests(*(tmp_path / variant / "tests" for variant in variants))
    for variant in variants:
        name = variant.replace("-", "_")
        assert f"{variant}/tests/test_contract.py::" in reported
        assert f"{variant}/tests/test_my_{name}.py::" in reported


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
