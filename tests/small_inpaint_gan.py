"""Small settings and batches of inpaint-gan, and what it can choose from."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from restore.plugins.inpaint_gan.settings import InpaintGANSettings
from restore.plugins.inpaint_gan.task import InpaintGAN

KINDS = ("vanilla", "least-squares", "hinge", "wasserstein")
DISCRIMINATORS = ("patch", "multi-scale", "local-global")


def generator(name: str, **changes: Any) -> dict[str, Any]:
    """Settings of the model: a small generator."""
    shape = {"channels": 4, "depth": 3} if name == "unet-generator" else {"channels": 4}
    return {"architecture": f"inpaint_gan/{name}", **shape, **changes}


def discriminator(name: str, **changes: Any) -> dict[str, Any]:
    """Settings of a discriminator, with one layer where it has layers to count."""
    shape = {} if name == "local-global" else {"layers": 1}
    return {"architecture": f"inpaint_gan/{name}-discriminator", **shape, **changes}


def settings(**changes: Any) -> InpaintGANSettings:
    made = InpaintGAN.tiny_settings(**changes)
    assert isinstance(made, InpaintGANSettings)
    return made


def masked_batch(side: int = 32, count: int = 2) -> dict[str, Tensor]:
    target = torch.rand(count, 3, side, side)
    mask = torch.zeros(count, 1, side, side)
    mask[:, :, side // 4 : side // 2, side // 4 : side // 2 + 4] = 1
    return {"input": target * (1 - mask), "mask": mask, "target": target}
