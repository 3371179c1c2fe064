"""The weights that torchvision publishes for its networks: where they lie, and the layers of them that are needed."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from restore.core.errors import WeightsError
from restore.core.weights.read_checkpoint import read_checkpoint
from restore.plugins.common.downloading import download


def locate_published(network: str) -> Path:
    """Return where torchvision stores its first weights of a network, such as ``vgg16``; the file need not exist."""
    return Path(torch.hub.get_dir()) / "checkpoints" / _url(network).rpartition("/")[2]


def fetch_published(network: str) -> Path:
    """Return that file, downloaded if it is not there. Raises RestoreError if the download fails."""
    path = locate_published(network)
    return path if path.is_file() else download(_url(network), path)


def _url(network: str) -> str:
    from torchvision.models import get_model_weights  # slow to import

    return str(get_model_weights(network)["IMAGENET1K_V1"].url)


def load_layers(network: nn.Module, path: Path, name: str) -> None:
    """Load the needed layers from a file that may contain more: deeper layers, the classifier.

    Args:
        network: its parameters are those of the file, with or without ``features.`` in front.
        path: a checkpoint; only tensors are read from it.
        name: what the weights are of, for errors.

    Raises:
        WeightsError: the file is damaged, or of another network.
    """
    found = read_checkpoint(path).tensors
    state = {}
    for key, parameter in network.state_dict().items():
        tensor = found.get(key, found.get(key.removeprefix("features.")))
        if tensor is None:
            raise WeightsError(f"{path}: not a file of {name} weights: {key} is missing")
        if tensor.shape != parameter.shape:
            raise WeightsError(
                f"{path}: not a file of {name} weights: {key} has the shape {tuple(tensor.shape)}, "
                f"expected {tuple(parameter.shape)}"
            )
        state[key] = tensor
    network.load_state_dict(state)
