"""Weights files of small networks that draw as if trained."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from restore.core.settings import RunSettings
from restore.core.weights.files import save_weights
from restore.plugins.vae.task import VariationalAutoencoder
from restore.plugins.warpgan.task import WarpGAN


def write_faces(path: Path) -> Path:
    """Write a WarpGAN of four control points."""
    torch.manual_seed(0)
    task = WarpGAN(WarpGAN.tiny_settings().resolved())
    networks = task.networks()
    nn.init.normal_(networks["generator"].decoder.last.weight, std=0.2)  # a fresh generator draws all gray
    nn.init.normal_(networks["generator"].warp.displacements.weight, std=3)
    return _save(path, "warpgan/warpgan", task.settings, networks)


def write_codes(path: Path) -> Path:
    """Write a VAE."""
    torch.manual_seed(0)
    task = VariationalAutoencoder(VariationalAutoencoder.tiny_settings().resolved())
    return _save(path, "vae/vae", task.settings, task.networks())


def _save(path: Path, task: str, settings: RunSettings, networks: dict[str, nn.Module]) -> Path:
    return save_weights(path, task=task, model=settings.model.model_dump(mode="json"), networks=networks)
