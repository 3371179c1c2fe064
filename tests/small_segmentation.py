"""Segmentation with small networks."""

from __future__ import annotations

import torch

from restore.core.networks import Networks
from restore.plugins.unet.options import SegmentationEvaluateOptions, SegmentationPredictOptions
from restore.plugins.unet.settings import (
    NestedUNetSettings,
)
from restore.plugins.unet.task import NestedUNetSegmentation, Segmentation

NAMES = ["nucleus"]


def nested(
    *,
    predict: SegmentationPredictOptions | None = None,
    evaluate: SegmentationEvaluateOptions | None = None,
    **model: object,
) -> NestedUNetSegmentation:
    chosen = {"channels": 2, "classes": NAMES, "fit": "crop", "deep_supervision": True, **model}
    return NestedUNetSegmentation(NestedUNetSettings.model_validate({"model": chosen})).with_options(
        predict=predict, evaluate=evaluate
    )


def frozen(task: Segmentation, seed: int = 0) -> Networks:
    torch.manual_seed(seed)
    return Networks({name: network.eval().requires_grad_(False) for name, network in task.networks().items()})
