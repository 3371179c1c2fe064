"""Where the weights of a feature network come from, decided once and checked afterwards.

Nothing is downloaded unless it was asked for by name. What ``auto`` decided is written into the settings, with the
checksum of the file, so that a resumed run sees the same features or stops.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

import torch

from restore.core.errors import UsageError, WeightsError
from restore.core.hashing import hash_file
from restore.core.weights.read_checkpoint import read_checkpoint
from restore.plugins.common.downloading import download
from restore.plugins.common.perceptual.settings import Network, PerceptualSettings
from restore.plugins.common.perceptual.vgg import VGGFeatures

_MEGABYTES: dict[Network, int] = {"vgg16": 528, "vgg19": 548}

_log = logging.getLogger(__name__)


def resolve_features(
    settings: PerceptualSettings, flag: str = "--perceptual.weights", *, needed: bool = True
) -> PerceptualSettings:
    """Settings in which ``weights`` is no longer ``auto`` and the file's checksum is noted.

    Where no phase of the run is ``needed`` to look at features, only a resumed run may come to one: a file that is not
    on this machine is then neither missed aloud nor downloaded.

    ``imagenet`` downloads torchvision's file if it is not on this machine; ``auto`` takes it if it is, and otherwise
    warns once, naming ``flag``, and takes random features. Raises UsageError when a path leads nowhere, RestoreError
    when the download fails.
    """
    weights = settings.weights
    if not needed and not published_file(settings.network).is_file():
        return settings.model_copy(update={"weights": "random"}) if weights == "auto" else settings
    if weights == "auto":
        weights = "imagenet" if published_file(settings.network).is_file() else "random"
        if weights == "random":
            _log.warning(
                "The perceptual loss uses random %s weights, because the ImageNet weights are not on this machine. "
                "To download them once (%d MB), add %s imagenet",
                settings.network.upper(),
                _MEGABYTES[settings.network],
                flag,
            )
    if weights == "random":
        return settings.model_copy(update={"weights": weights, "sha256": None})
    if weights != "imagenet":
        weights = str(Path(weights).expanduser().absolute())
    path = _file(settings.network, weights)
    return settings.model_copy(update={"weights": weights, "sha256": hash_file(path)})


def feature_network(settings: PerceptualSettings, layers: Iterable[str] | None = None) -> VGGFeatures:
    """Return the feature network of resolved settings; it returns ``layers``, by default those of the loss.

    Raises WeightsError if the file does not match the recorded checksum, is damaged, or belongs to another network.
    """
    network = VGGFeatures(settings.network, settings.layers if layers is None else layers)
    if settings.weights == "random":
        return network
    if settings.weights == "auto":
        raise ValueError("weights=auto is not resolved; call settings.resolved() first")
    path = _file(settings.network, settings.weights)
    if settings.sha256 is not None and hash_file(path) != settings.sha256:
        raise WeightsError(
            f"{path}: the file has changed since this run started (expected SHA-256 {settings.sha256}); "
            "restore it, or start a new run"
        )
    _load(network, path, settings.network)
    return network


def published_file(network: Network) -> Path:
    """Where torchvision keeps the weights that it publishes; the file need not exist."""
    return Path(torch.hub.get_dir()) / "checkpoints" / _url(network).rpartition("/")[2]


def _url(network: Network) -> str:
    from torchvision.models import VGG16_Weights, VGG19_Weights  # as slow to import as torch itself

    return str({"vgg16": VGG16_Weights, "vgg19": VGG19_Weights}[network].IMAGENET1K_V1.url)


def _file(network: Network, weights: str) -> Path:
    if weights == "imagenet":
        path = published_file(network)
        return path if path.is_file() else download(_url(network), path)
    path = Path(weights)
    if not path.is_file():
        raise UsageError(f"{path}: no such file; expected {network.upper()} weights, auto, imagenet or random")
    return path


def _load(network: VGGFeatures, path: Path, name: Network) -> None:
    """Take the wanted layers out of a file that may hold more: deeper layers, the classifier."""
    found = read_checkpoint(path).tensors
    state = {}
    for key, parameter in network.state_dict().items():
        tensor = found.get(key, found.get(key.removeprefix("features.")))
        if tensor is None:
            raise WeightsError(f"{path}: not a file of {name.upper()} weights: {key} is missing")
        if tensor.shape != parameter.shape:
            raise WeightsError(
                f"{path}: not a file of {name.upper()} weights: {key} has the shape {tuple(tensor.shape)}, "
                f"expected {tuple(parameter.shape)}"
            )
        state[key] = tensor
    network.load_state_dict(state)
