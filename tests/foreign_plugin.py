"""A plugin with architectures and losses for tasks of other families, some of which break their contract."""

from __future__ import annotations

from typing import Any

PLUGIN = """
from restore.registry import ArchitectureSpec, LossSpec, hookimpl

HERE = "foreign"


@hookimpl
def restore_architectures():
    return [
        ArchitectureSpec("shuffle", f"{HERE}.networks:Shuffle", role="super-resolution",
                         settings=f"{HERE}.settings:ShuffleSettings"),
        ArchitectureSpec("plain", f"{HERE}.networks:Plain", role="super-resolution"),
        ArchitectureSpec("too-small", f"{HERE}.networks:TooSmall", role="super-resolution"),
        ArchitectureSpec("fixed-scale", f"{HERE}.networks:FixedScale", role="super-resolution"),
        ArchitectureSpec("clashing", f"{HERE}.networks:Plain", role="super-resolution",
                         settings=f"{HERE}.settings:ClashingSettings"),
        ArchitectureSpec("scores", f"{HERE}.networks:Scores", role="discriminator",
                         settings=f"{HERE}.settings:ScoresSettings"),
        ArchitectureSpec("segmenter", f"{HERE}.networks:Segmenter", role="segmentation",
                         settings=f"{HERE}.settings:ScoresSettings"),
        ArchitectureSpec("denoiser", f"{HERE}.networks:Plain", role="restoration"),
    ]


@hookimpl
def restore_losses():
    return [
        LossSpec("edges", f"{HERE}.losses:Edges", role="pixel", settings=f"{HERE}.settings:EdgeSettings"),
        LossSpec("unnamed", f"{HERE}.losses:Unnamed", role="pixel"),
    ]
"""

SETTINGS = '''
from typing import Annotated

from pydantic import Field

from restore.core.settings import Settings


class ShuffleSettings(Settings):
    """A convolution before the pixel shuffle."""

    kernel: Annotated[int, Field(ge=1, le=9)] = 3
    """Side of the kernel."""


class ScoresSettings(Settings):
    """One convolution."""

    channels: int = 2
    """Channels."""


class EdgeSettings(Settings):
    """Of slopes."""

    share: float = 1.0
    """Of slopes beside pixels."""


class ClashingSettings(Settings):
    """Has a setting that the group has too."""

    scale: int = 2
    """Scale factor."""
'''

NETWORKS = """
from torch import nn
from torch.nn import functional as F


class Shuffle(nn.Sequential):
    def __init__(self, scale, kernel):
        super().__init__(nn.Conv2d(3, 3 * scale**2, kernel, padding=kernel // 2), nn.PixelShuffle(scale))


class Plain(nn.Module):
    def __init__(self, scale=1):
        super().__init__()
        self.scale = scale
        self.colors = nn.Conv2d(3, 3, 1)

    def forward(self, images):
        return self.colors(F.interpolate(images, scale_factor=self.scale))


class TooSmall(Plain):
    def forward(self, images):
        return self.colors(images)


class FixedScale(Plain):
    def __init__(self):
        super().__init__(2)


class Segmenter(nn.Sequential):
    def __init__(self, input_channels, num_classes, channels):
        first, last = nn.Conv2d(input_channels, channels, 3, padding=1), nn.Conv2d(channels, num_classes, 1)
        super().__init__(first, nn.ReLU(), last)


class Scores(nn.Sequential):
    def __init__(self, crop_size, channels):
        super().__init__(nn.Conv2d(3, channels, 4, 4), nn.LeakyReLU(), nn.Conv2d(channels, 1, 1))
"""


LOSSES = """
from torch.nn import functional as F


class Edges:
    def __init__(self, share):
        self.share = share

    def __call__(self, prediction, batch):
        target = batch["target"]
        across = F.l1_loss(prediction.diff(dim=-1), target.diff(dim=-1))
        return {"l1": F.l1_loss(prediction, target), "edges": self.share * across}


class Unnamed:
    def __call__(self, prediction, batch):
        return F.l1_loss(prediction, batch["target"])
"""


def install(site: Any) -> None:
    """Write the distribution ``restore-foreign`` into a folder that looks like site-packages."""
    files = {
        "foreign/__init__.py": PLUGIN,
        "foreign/settings.py": SETTINGS,
        "foreign/networks.py": NETWORKS,
        "foreign/losses.py": LOSSES,
    }
    site.install("restore-foreign", files, {"foreign": "foreign"}, version="1.2")
