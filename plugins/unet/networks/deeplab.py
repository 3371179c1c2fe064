"""DeepLabV3 (Chen et al., 2017) and DeepLabV3+ (Chen et al., 2018) on torchvision's classification networks."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision import models

from restore.core.specs import Tiling

Backbone = Literal["mobilenet_v3_large", "resnet18", "resnet34", "resnet50", "resnet101"]

LOW_STRIDE, HIGH_STRIDE = 4, 16
"""Strides of the fine and of the coarse features, in pixels."""

RATES = (6, 12, 18)
"""Dilations of the pyramid for stride 16 (section 3.3 of the V3 paper)."""


class DeepLab(nn.Module):
    """Backbone with stride 16, an atrous pyramid and, in V3+, a decoder that adds features of stride 4.

    It maps (B, input_channels, H, W), of at least 16 pixels a side, to logits (B, num_classes, H, W), upscaled
    bilinearly. The image-level branch of the pyramid has no batch normalization, so that a batch of one image can be
    trained.

    Args:
        num_classes: number of classes.
        input_channels: channels of the input.
        backbone: torchvision network.
        pretrained: whether to download ImageNet weights of the backbone; needs three input channels.
        channels: channels of the pyramid and the head.
    """

    decoder: ClassVar[bool]
    """Whether there is a decoder, which adds features of stride 4."""
    tiling: ClassVar[Tiling] = Tiling("blend", halo=64, multiple_of=HIGH_STRIDE)
    """How images may be cut; coarse features see more than this margin, which cross-fading hides."""

    def __init__(
        self,
        num_classes: int = 1,
        input_channels: int = 3,
        backbone: Backbone = "mobilenet_v3_large",
        pretrained: bool = False,
        channels: int = 256,
    ) -> None:
        super().__init__()
        if pretrained and input_channels != 3:
            raise ValueError(f"pretrained features read 3 channels, not {input_channels}")
        self.fine, self.coarse = stages(backbone, pretrained)
        if input_channels != 3:
            _read_channels(self.fine, input_channels)
        fine_channels, coarse_channels = _channels(self.fine, self.coarse, input_channels)
        self.pyramid = AtrousPyramid(coarse_channels, channels)
        self.narrow = _convolution(fine_channels, 48, 1) if self.decoder else None
        joined = [_convolution(channels + 48, channels, 3)] if self.decoder else []
        self.head = nn.Sequential(*joined, _convolution(channels, channels, 3), nn.Conv2d(channels, num_classes, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (B, num_classes, H, W)."""
        fine = self.fine(x)  # (B, C, H/4, W/4)
        features = self.pyramid(self.coarse(fine))  # (B, width, H/16, W/16)
        if self.narrow is not None:
            upscaled = F.interpolate(features, size=fine.shape[-2:], mode="bilinear", align_corners=False)
            features = torch.cat([upscaled, self.narrow(fine)], dim=1)
        return F.interpolate(self.head(features), size=x.shape[-2:], mode="bilinear", align_corners=False)


class DeepLabV3(DeepLab):
    """DeepLab as published in 2017, without a decoder."""

    decoder = False


class DeepLabV3Plus(DeepLab):
    """DeepLab as published in 2018, with a decoder."""

    decoder = True


class AtrousPyramid(nn.Module):
    """Convolutions with several dilations and an image-level branch, joined (section 3.3 of the V3 paper)."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            [_convolution(in_channels, channels, 1), *(_convolution(in_channels, channels, 3, rate) for rate in RATES)]
        )
        self.whole = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(in_channels, channels, 1), nn.ReLU())
        self.join = nn.Sequential(_convolution((len(RATES) + 2) * channels, channels, 1), nn.Dropout(0.1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) to (B, channels, H, W)."""
        whole = self.whole(x).expand(-1, -1, *x.shape[-2:])
        joined: Tensor = self.join(torch.cat([*(branch(x) for branch in self.branches), whole], dim=1))
        return joined


def stages(backbone: Backbone, pretrained: bool) -> tuple[nn.Sequential, nn.Sequential]:
    """Return a classification network without its classifier, split at stride 4; its last stride is a dilation
    instead."""
    weights = models.get_model_weights(backbone).DEFAULT if pretrained else None
    network = models.get_model(backbone, weights=weights)
    if backbone.startswith("resnet"):
        parts = dict(network.named_children())
        fine = nn.Sequential(*(parts[name] for name in ("conv1", "bn1", "relu", "maxpool", "layer1")))
        last = parts["layer4"]
        coarse = nn.Sequential(parts["layer2"], parts["layer3"], last)
    else:
        blocks = list(network.get_submodule("features").children())
        fine, last = nn.Sequential(*blocks[:4]), nn.Sequential(*blocks[13:])
        coarse = nn.Sequential(*blocks[4:13], *last)
    dilate(last)
    return fine, coarse


def dilate(stage: nn.Module) -> None:
    """Keep the resolution of a stage's features: its stride becomes a dilation of the convolutions after it."""
    strided = False
    for part in stage.modules():
        if not isinstance(part, nn.Conv2d):
            continue
        if part.stride == (2, 2):
            part.stride, strided = (1, 1), True
        elif strided and part.kernel_size != (1, 1):
            rows, columns = part.kernel_size
            part.dilation, part.padding = (2, 2), (rows - 1, columns - 1)


def _read_channels(stage: nn.Sequential, channels: int) -> None:
    """Replace the first convolution by one with another number of input channels."""
    parent, name = next(
        (parent, name)
        for parent in stage.modules()
        for name, part in parent.named_children()
        if isinstance(part, nn.Conv2d)
    )
    old = parent.get_submodule(name)
    assert isinstance(old, nn.Conv2d)
    new = nn.Conv2d(
        channels,
        old.out_channels,
        old.kernel_size,  # type: ignore[arg-type]
        stride=old.stride,  # type: ignore[arg-type]
        padding=old.padding,  # type: ignore[arg-type]
        bias=old.bias is not None,
    )
    parent.add_module(name, new)


@torch.no_grad()
def _channels(fine: nn.Sequential, coarse: nn.Sequential, input_channels: int) -> tuple[int, int]:
    """Return the channels of fine and coarse features, found with a black image."""
    training = fine.training
    features = fine.eval()(torch.zeros(1, input_channels, 2 * HIGH_STRIDE, 2 * HIGH_STRIDE))
    deeper = coarse.eval()(features)
    fine.train(training)
    coarse.train(training)
    return features.shape[1], deeper.shape[1]


def _convolution(in_channels: int, out_channels: int, size: int, dilation: int = 1) -> nn.Sequential:
    padding = dilation * (size // 2)
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, size, padding=padding, dilation=dilation, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
    )
