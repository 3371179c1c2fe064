"""A plugin to use, and the command line to use it by."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from restore import registry
from restore.cli.app import app
from restore.core.weights.files import save_weights


@pytest.fixture(autouse=True)
def upscaling(tmp_path, monkeypatch):
    """Only the tasks of ``upscaling_plugin`` are looked for, and the working directory is empty."""
    monkeypatch.chdir(tmp_path)
    project = tmp_path / "plugins.toml"
    project.write_text(f'paths = ["{Path(__file__).parent / "upscaling_plugin.py"}"]\n')
    registry.reset()
    yield
    registry.reset()


@pytest.fixture
def restore(capsys):
    """Run a command line: its exit status, standard output and standard error."""

    def run(*arguments):
        with pytest.raises(SystemExit) as left:
            app([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return left.value.code, said.out, said.err

    return run


@pytest.fixture
def weights(tmp_path):
    """Write a weights file of the task ``twice``."""

    def write(name="w.safetensors", gain=1.0, phase=None, scale=2):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        state = {"gain": torch.tensor([gain])}
        model = {"scale": scale}
        return save_weights(path, task="upscaling_plugin/twice", model=model, networks={"gain": state}, phase=phase)

    return write


@pytest.fixture
def photo(tmp_path):
    """Write an image of drawn noise."""

    def write(name="photo.png", height=6, width=8, mode="RGB", seed=0):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        values = np.random.default_rng(seed).integers(0, 256, (height, width, 4), np.uint8)
        drawn = Image.fromarray(values[..., :3] if mode == "P" else values)
        drawn.convert(mode).save(path)
        return path

    return write
