"""The discriminator of Real-ESRGAN."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from restore.core.runtime.precision import in_full_precision


class UNetDiscriminator(nn.Module):
    """A U-Net with spectral normalization that scores every pixel (Wang et al., *Real-ESRGAN*, 2021, section 3.4).

    It maps images (B, 3, H, W) of at least 8 x 8 pixels to unbounded scores (B, 1, H, W). It treats the images of a
    batch independently, so R1 can be used with it. All convolutions but the first and the last are divided by an
    estimate of their largest singular value (Miyato et al., 2018), which keeps the scores from growing without limit.

    Args:
        crop_size: side of the images that it is trained on; any other is accepted too.
        channels: channels at full resolution; they double at each of three halvings.
        skip: whether features of the way down are added on the way up.
    """

    def __init__(self, crop_size: int = 256, channels: int = 64, skip: bool = True) -> None:  # noqa: ARG002 - its role's
        super().__init__()
        self.skip = skip
        wide = [channels << level for level in range(4)]
        self.conv0 = nn.Conv2d(3, channels, 3, padding=1)
        self.conv1 = _bound(wide[0], wide[1], halve=True)
        self.conv2 = _bound(wide[1], wide[2], halve=True)
        self.conv3 = _bound(wide[2], wide[3], halve=True)
        self.conv4 = _bound(wide[3], wide[2])
        self.conv5 = _bound(wide[2], wide[1])
        self.conv6 = _bound(wide[1], wide[0])
        self.conv7 = _bound(wide[0], wide[0])
        self.conv8 = _bound(wide[0], wide[0])
        self.conv9 = nn.Conv2d(channels, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) to scores (B, 1, H, W)."""
        down = [_active(self.conv0(x))]
        for halving in (self.conv1, self.conv2, self.conv3):
            down.append(_active(halving(down[-1])))
        features = down.pop()  # (B, 8 C, H / 8, W / 8)
        for doubling in (self.conv4, self.conv5, self.conv6):
            beside = down.pop()
            larger = F.interpolate(features, size=beside.shape[-2:], mode="bilinear", align_corners=False)
            features = _active(doubling(larger))
            if self.skip:
                features = features + beside
        return in_full_precision(self.conv9, _active(self.conv8(_active(self.conv7(features)))))


def _bound(before: int, after: int, *, halve: bool = False) -> nn.Module:
    side, stride = (4, 2) if halve else (3, 1)
    return spectral_norm(nn.Conv2d(before, after, side, stride, padding=1, bias=False))


def _active(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.2)
