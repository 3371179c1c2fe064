"""Weights of a feature network: chosen when a run starts, checked afterwards.

Nothing is downloaded unless the settings ask for it. The choice of ``auto`` is written to the settings with the
checksum of the file, so a resumed run uses the same features or stops.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from restore.core.errors import UsageError, WeightsError
from restore.core.hashing import hash_file
from restore.plugins.common.perceptual.settings import FeatureNetworkSettings, Network
from restore.plugins.common.perceptual.vgg import VGGFeatures
from restore.plugins.common.published import fetch_published, load_layers, locate_published

_MEGABYTES: dict[Network, int] = {"vgg16": 528, "vgg19": 548}

_log = logging.getLogger(__name__)


F = TypeVar("F", bound=FeatureNetworkSettings)


def resolve_features(settings: F, flag: str = "--perceptual.weights imagenet", *, needed: bool = True) -> F:
    """Return settings without ``auto``, and with the checksum of the weights file.

    ``imagenet`` downloads torchvision's file if it is not on this machine. ``auto`` uses the file if it is; otherwise
    it logs a warning and uses random features. Raises UsageError if the file does not exist, RestoreError if the
    download fails.

    Args:
        settings: settings of the perceptual loss.
        flag: what to add for the published weights, which the warning names.
        needed: whether a phase of this run uses features. If not, only a resumed run may; a missing file then causes
            neither a warning nor a download.
    """
    weights = settings.weights
    if not needed and not locate_published(settings.network).is_file():
        return settings.model_copy(update={"weights": "random"}) if weights == "auto" else settings
    if weights == "auto":
        weights = "imagenet" if locate_published(settings.network).is_file() else "random"
        if weights == "random":
            _log.warning(
                "The perceptual loss uses random %s weights, because the ImageNet weights are not on this machine. "
                "To download them once (%d MB), add %s",
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


def feature_network(settings: FeatureNetworkSettings, layers: Iterable[str] | None = None) -> VGGFeatures:
    """Return the feature network of resolved settings; it returns ``layers``, by default those of the loss.

    Raises WeightsError if the file does not match the recorded checksum, is damaged, or belongs to another network, and
    UsageError for settings that are not resolved.
    """
    network = VGGFeatures(settings.network, settings.layers if layers is None else layers)
    if settings.weights == "random":
        return network
    if settings.weights == "auto":
        raise UsageError("perceptual.weights=auto is not resolved; call settings.resolved() first")
    path = _file(settings.network, settings.weights)
    if settings.sha256 is not None and hash_file(path) != settings.sha256:
        raise WeightsError(
            f"{path}: the file has changed since this run started (expected SHA-256 {settings.sha256}); "
            "restore it, or start a new run"
        )
    load_layers(network, path, settings.network.upper())
    return network


def _file(network: Network, weights: str) -> Path:
    if weights == "imagenet":
        return fetch_published(network)
    path = Path(weights)
    if not path.is_file():
        raise UsageError(f"{path}: no such file; expected {network.upper()} weights, auto, imagenet or random")
    return path
