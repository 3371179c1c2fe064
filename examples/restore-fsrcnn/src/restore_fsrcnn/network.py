"""The network of FSRCNN, section 3.2 of the paper, for colors instead of luma."""

from __future__ import annotations

from torch import Tensor, nn

from restore.core import Tiling


class FSRCNN(nn.Module):
    """FSRCNN(d, s, m): feature extraction, shrinking, mapping, expanding, deconvolution.

    Args:
        scale: upscaling factor, the stride of the deconvolution.
        features: channels d of the feature extraction.
        shrunk: channels s of the mapping.
        mapping: convolutions m of the mapping.
    """

    def __init__(self, scale: int = 3, features: int = 56, shrunk: int = 12, mapping: int = 4) -> None:
        super().__init__()
        # 5 x 5 pixels, m times 3 x 3, and 9 x 9 of the output
        self.tiling = Tiling("exact", halo=2 + mapping + 1 + 3 // scale)
        sizes = [(3, features, 5), (features, shrunk, 1), *[(shrunk, shrunk, 3)] * mapping, (shrunk, features, 1)]
        self.body = nn.Sequential()
        for before, after, kernel in sizes:
            convolution = nn.Conv2d(before, after, kernel, padding=kernel // 2)
            nn.init.kaiming_normal_(convolution.weight, a=0.25)  # He et al. (2015), for PReLU with its first slope
            nn.init.zeros_(convolution.bias)  # type: ignore[arg-type]
            self.body.extend([convolution, nn.PReLU(after)])
        self.deconvolution = nn.ConvTranspose2d(features, 3, 9, scale, padding=4, output_padding=scale - 1)
        nn.init.normal_(self.deconvolution.weight, std=1e-3)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, 3, H, W) to images (B, 3, H x scale, W x scale), both in about [0, 1]."""
        upscaled: Tensor = self.deconvolution(self.body(images))
        return upscaled
