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
        ArchitectureSpec("tint", f"{HERE}.faces:Tint", role="warping", settings=f"{HERE}.settings:TintSettings"),
        ArchitectureSpec("no-flow", f"{HERE}.faces:NoFlow", role="warping"),
        ArchitectureSpec("faces", f"{HERE}.faces:Faces", role="identity-discriminator",
                         settings=f"{HERE}.settings:FacesSettings"),
        ArchitectureSpec("few-people", f"{HERE}.faces:FewPeople", role="identity-discriminator"),
        ArchitectureSpec("two-stages", f"{HERE}.inpainters:TwoStages", role="inpainting",
                         settings=f"{HERE}.settings:TwoStagesSettings"),
        ArchitectureSpec("halves-only", f"{HERE}.inpainters:HalvesOnly", role="inpainting"),
        ArchitectureSpec("maps", f"{HERE}.inpainters:Maps", role="inpainting-discriminator"),
        ArchitectureSpec("no-masks", f"{HERE}.inpainters:NoMasks", role="inpainting-discriminator"),
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


class TintSettings(Settings):
    """One color, and points that do not depend on the face."""

    points: Annotated[int, Field(ge=4)] = 5
    """Number of control points."""


class TwoStagesSettings(Settings):
    """Two convolutions, one after the other."""

    kernel: int = 3
    """Side of the kernels."""


class FacesSettings(Settings):
    """One convolution."""

    width: int = 2
    """Channels."""
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

FACES = """
from collections import namedtuple

import torch
from torch import nn
from torch.nn import functional as F

Drawing = namedtuple("Drawing", "image rendered points displacements flow encoded_style reconstructed")
Opinion = namedtuple("Opinion", "patches identities embedding")


class Tint(nn.Module):
    def __init__(self, size, style, points=5):
        super().__init__()
        self.colors, self.tint, self.style = nn.Conv2d(3, 3, 1), nn.Linear(style, 3), nn.Linear(3, style)
        self.points, self.moves = nn.Parameter(size * torch.rand(points, 2)), nn.Parameter(torch.rand(points, 2))

    def forward(self, images, styles=None, scales=None, reconstruct=False):
        encoded, colors = self.style(images.mean((2, 3))), self.colors(images)
        styles = encoded if styles is None else styles
        count = len(styles)
        rendered = torch.tanh(colors[:count] + self.tint(styles)[..., None, None])
        moves = self.moves.expand(count, -1, -1) * (1 if scales is None else scales[:, None, None])
        flow = moves.mean(1)[..., None, None].expand(-1, -1, *images.shape[2:])
        own = torch.tanh(colors + self.tint(encoded)[..., None, None]) if reconstruct else None
        points = self.points.expand(count, -1, -1)
        return Drawing(rendered + 0.01 * flow.mean(1, keepdim=True), rendered, points, moves, flow, encoded, own)


class NoFlow(Tint):
    def forward(self, *given, **options):
        return super().forward(*given, **options)._replace(flow=None)


class Faces(nn.Module):
    def __init__(self, size, identities, width=2):
        super().__init__()
        self.features, self.patches = nn.Conv2d(3, width, 8, 8), nn.Conv2d(width, 3, 1)
        self.embedding, self.identities = nn.Linear(width, 4), nn.Linear(4, 3 * identities)

    def forward(self, images):
        features = self.features(images)
        embedding = F.normalize(self.embedding(features.mean((2, 3))), dim=1)
        return Opinion(self.patches(features), self.identities(embedding), embedding)


class FewPeople(Faces):
    def __init__(self, size, identities):
        super().__init__(size, 2)
"""

INPAINTERS = """
import torch
from torch import nn


class TwoStages(nn.Module):
    def __init__(self, kernel=3):
        super().__init__()
        self.coarse, self.fine = (nn.Conv2d(4, 3, kernel, padding=kernel // 2) for _ in range(2))

    def forward(self, images, masks):
        coarse = self.coarse(torch.cat([images * (1 - masks), masks], dim=1))
        return [coarse, self.fine(torch.cat([coarse * masks + images * (1 - masks), masks], dim=1))]


class HalvesOnly(nn.Module):
    def __init__(self):
        super().__init__()
        self.down, self.up = nn.Conv2d(3, 4, 2, 2), nn.ConvTranspose2d(4, 3, 2, 2)

    def forward(self, images, masks):
        return self.up(self.down(images))


class Maps(nn.Module):
    def __init__(self, crop_size):
        super().__init__()
        self.fine, self.coarse = nn.Conv2d(4, 1, 4, 4), nn.Conv2d(4, 1, 8, 8)

    def forward(self, images, masks):
        shown = torch.cat([images, masks], dim=1)
        return self.fine(shown), self.coarse(shown)


class NoMasks(Maps):
    def forward(self, images):
        return super().forward(images, images[:, :1])
"""


def install(site: Any) -> None:
    """Write the distribution ``restore-guest`` into a folder that looks like site-packages."""
    files = {
        "guest/__init__.py": PLUGIN,
        "guest/settings.py": SETTINGS,
        "guest/autoencoders.py": AUTOENCODERS,
        "guest/faces.py": FACES,
        "guest/inpainters.py": INPAINTERS,
    }
    site.install("restore-guest", files, {"guest": "guest"}, version="2.1")
