"""Segmentation with small networks."""

from __future__ import annotations

import torch

from restore.core.settings import Settings
from restore.core.steps import Modules
from restore.plugins.unet.settings import (
    NestedUNetSettings,
)
from restore.plugins.unet.task import NestedUNetSegmentation, Segmentation

NAMES = ["nucleus"]


def nested(options: Settings | None = None, **model: object) -> NestedUNetSegmentation:
    chosen = {"width": 2, "classes": NAMES, "fit": "crop", "deep_supervision": True, **model}
    return NestedUNetSegmentation(NestedUNetSettings.model_validate({"model": chosen}), options)


def frozen(task: Segmentation, seed: int = 0) -> Modules:
    torch.manual_seed(seed)
    return Modules({name: network.eval().requires_grad_(False) for name, network in task.networks().items()})
