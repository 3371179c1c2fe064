"""A plugin with a network for every family, some of which break the contract of their role."""

from __future__ import annotations

from typing import Any

PLUGIN = """
from restore.registry import ArchitectureSpec, hookimpl

HERE = "guest"


@hookimpl
def restore_architectures():
    return [
        ArchitectureSpec("blocks", f"{HERE}.autoencoders:Blocks", role="autoencoder",
                         settings=f"{HERE}.settings:BlocksSettings"),
        ArchitectureSpec("other-stride", f"{HERE}.autoencoders:OtherStride", role="autoencoder"),
        ArchitectureSpec("no-stride", f"{HERE}.autoencoders:NoStride", role="autoencoder"),
        ArchitectureSpec("more-parameters", f"{HERE}.autoencoders:MoreParameters", role="autoencoder"),
    ]
"""

SETTINGS = '''
from typing import Annotated

from pydantic import Field

from restore.core.settings import Settings


class BlocksSettings(Settings):
    """Squares of an image, each by itself."""

    side: Annotated[int, Field(ge=1)] = 4
    """Side of a square in pixels."""
'''

AUTOENCODERS = """
from torch import nn
from torch.nn import functional as F


class Encoder(nn.Module):
    def __init__(self, channels, side):
        super().__init__()
        self.side = side
        self.squares = nn.Conv2d(3, channels, side, side)

    def forward(self, images):
        height, width = images.shape[-2:]
        return self.squares(F.pad(images, (0, -width % self.side, 0, -height % self.side), mode="replicate"))


class Decoder(nn.Sequential):
    def __init__(self, latent, side):
        super().__init__(nn.Conv2d(latent, 3 * side**2, 1), nn.PixelShuffle(side))

    def forward(self, codes, height, width):
        return super().forward(codes)[..., :height, :width]


class Blocks(nn.Module):
    def __init__(self, latent, scale, variational, side=4):
        super().__init__()
        self.encoder = Encoder(2 * latent if variational else latent, side)
        self.decoder = Decoder(latent, side * scale)
        self.stride = side


class OtherStride(Blocks):
    def __init__(self, **given):
        super().__init__(**given)
        self.stride = 8


class NoStride(Blocks):
    def __init__(self, **given):
        super().__init__(**given)
        del self.stride


class MoreParameters(Blocks):
    def __init__(self, **given):
        super().__init__(**given)
        self.bias = nn.Parameter(self.decoder[0].bias.detach().clone())
"""


def install(site: Any) -> None:
    """Write the distribution ``restore-guest`` into a folder that looks like site-packages."""
    files = {
        "guest/__init__.py": PLUGIN,
        "guest/settings.py": SETTINGS,
        "guest/autoencoders.py": AUTOENCODERS,
    }
    site.install("restore-guest", files, {"guest": "guest"}, version="2.1")
