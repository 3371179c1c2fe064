"""The network. Replace it by yours: images with holes and their masks in, whole images out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from restore.plugins.common.inpainting.prefill import fill_smoothly


class YourNetNetwork(nn.Module):
    """Fills the hole smoothly, then adds detail with convolutions of growing dilation (Yu and Koltun, 2016).

    Args:
        channels: channels between the first layer and the last.
        levels: number of dilated convolutions.
    """

    def __init__(self, channels: int = 16, levels: int = 4) -> None:
        super().__init__()
        last = nn.Conv2d(channels, 3, 3, padding=1)
        nn.init.zeros_(last.weight)  # the untrained network is the smooth fill
        dilated = (
            layer
            for level in range(levels)
            for layer in (nn.Conv2d(channels, channels, 3, padding=2**level, dilation=2**level), nn.ReLU())
        )
        self.detail = nn.Sequential(nn.Conv2d(4, channels, 3, padding=1), nn.ReLU(), *dilated, last)

    def forward(self, images: Tensor, masks: Tensor) -> Tensor:
        """Map images (B, 3, H, W) in [0, 1] and masks (B, 1, H, W), one in the hole, to whole images in about [0, 1].

        What the images show in the hole does not matter.
        """
        smooth = fill_smoothly(images * (1 - masks), masks)
        filled: Tensor = smooth + self.detail(torch.cat([smooth - 0.5, masks], dim=1))
        return filled
