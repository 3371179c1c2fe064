"""What spandrel has: the architectures with their roles. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["super-resolution", "restoration", "inpainting"]


@dataclass(frozen=True)
class Architecture:
    """An architecture of spandrel."""

    id: str
    """Its name in spandrel."""
    role: Role
    about: str
    """What it is."""

    @property
    def name(self) -> str:
        """Its registered name; no other plugin of this distribution has it."""
        return _RENAMED.get(self.id, self.id.lower())

    @property
    def attribute(self) -> str:
        """Its name in Python."""
        return self.id.lower()

    @property
    def license(self) -> str:
        """License of its code in spandrel."""
        return next((name for name, listed in _LICENSES.items() if self.id in listed.split()), "unknown")

    @property
    def summary(self) -> str:
        """One sentence."""
        return f"{self.about}, as spandrel has it."


_RENAMED = {"Compact": "realesr-compact"}  # srgan has a network that is called compact

_SUPER_RESOLUTION = {
    "ATD": "Transformer with an adaptive token dictionary (ATD)",
    "Compact": "SRVGGNet (realesr-general-x4v3, realesr-animevideov3)",
    "CRAFT": "Transformer with cross-refinement of high frequencies (CRAFT)",
    "DAT": "Dual aggregation transformer (DAT)",
    "DCTLSA": "Dense residual network with transformer blocks (DCTLSA)",
    "DITN": "Deployment-friendly image transformer (DITN)",
    "DRCT": "Swin transformer with dense connections (DRCT)",
    "ESRGAN": "RRDBNet (ESRGAN, Real-ESRGAN, BSRGAN)",
    "FDAT": "Fast dual aggregation transformer (FDAT)",
    "GRL": "Transformer with global, regional and local attention (GRL)",
    "HAT": "Hybrid attention transformer (HAT)",
    "IPT": "Image processing transformer (IPT)",
    "MMRealSR": "Real-world super-resolution with interactive modulation (MM-RealSR)",
    "MoESR": "Convolutions with mixture of experts (MoESR)",
    "MoSR": "Gated convolutions (MoSR)",
    "OmniSR": "Omni self-attention (OmniSR)",
    "PLKSR": "Partial large kernels (PLKSR, RealPLKSR)",
    "RCAN": "Residual channel attention network (RCAN)",
    "RealCUGAN": "Two U-Nets for drawn images (Real-CUGAN)",
    "RGT": "Recursive generalization transformer (RGT)",
    "SAFMN": "Spatially adaptive feature modulation (SAFMN)",
    "SeemoRe": "Mixture of low-rank experts (SeemoRe)",
    "SPAN": "Swift parameter-free attention network (SPAN)",
    "SwiftSRGAN": "SRGAN with separable convolutions (Swift-SRGAN)",
    "Swin2SR": "SwinV2 transformer (Swin2SR)",
    "SwinIR": "Swin transformer (SwinIR)",
}
_RESTORATION = {
    "DnCNN": "Denoising network (DnCNN)",
    "DRUNet": "Denoising U-Net with residual blocks (DRUNet)",
    "FBCNN": "Removes JPEG artifacts of unknown quality (FBCNN)",
    "FFTformer": "Transformer in the frequency domain, for deblurring (FFTformer)",
    "GFPGAN": "Restores aligned faces of 512 pixels (GFPGAN)",
    "HVICIDNet": "Brightens dark photographs (HVI-CIDNet)",
    "KBNet": "Kernel basis attention (KBNet)",
    "MixDehazeNet": "Removes haze (MixDehazeNet)",
    "NAFNet": "Denoising and deblurring without activations (NAFNet)",
    "RestoreFormer": "Restores aligned faces of 512 pixels (RestoreFormer)",
    "RetinexFormer": "Brightens dark photographs (Retinexformer)",
    "SAFMNBCIE": "Enhances compressed images (SAFMN-BCIE)",
    "SCUNet": "Denoising with Swin and convolution blocks (SCUNet)",
    "Uformer": "U-shaped transformer (Uformer)",
}
_INPAINTING = {"LaMa": "Inpainting with Fourier convolutions (LaMa)"}

_LICENSES = {
    "Apache-2.0": "ATD CRAFT DAT DCTLSA DITN ESRGAN FBCNN GFPGAN IPT LaMa OmniSR RestoreFormer RGT SAFMN SAFMNBCIE "
    "SCUNet SeemoRe SPAN Swin2SR SwinIR",
    "MIT": "DnCNN DRCT DRUNet FDAT FFTformer GRL HAT HVICIDNet KBNet MixDehazeNet MoESR MoSR NAFNet PLKSR RCAN "
    "RealCUGAN RetinexFormer Uformer",
    "BSD-3-Clause": "Compact MMRealSR",
    "CC0-1.0": "SwiftSRGAN",
}
"""Licenses of the code in spandrel 0.4.2, by the files in its folders; what weights are under is another matter."""

_BY_ROLE: dict[Role, dict[str, str]] = {
    "super-resolution": _SUPER_RESOLUTION,
    "restoration": _RESTORATION,
    "inpainting": _INPAINTING,
}

ARCHITECTURES = tuple(
    Architecture(each, role, about) for role, listed in _BY_ROLE.items() for each, about in listed.items()
)
"""All of them but those of `LEFT_OUT`."""

LEFT_OUT = {"AuraSR": "spandrel's code of AuraSR is under CC BY-SA 4.0, which restore does not use"}
"""Architectures that are not offered, and why."""

BY_ID = {each.id: each for each in ARCHITECTURES}
"""The same by their names in spandrel."""
