"""The presets of degradations. Imports no torch.

A released preset never changes, because settings files name it: better values get another name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Preset = Literal["none", "jpeg", "photo", "real-esrgan"]

JPEG: Mapping[str, Any] = {
    "last": {
        "noise": {"probability": 0.4, "poisson": 0.25, "gray": 0.4, "sigma": (0.5, 8.0), "poisson_scale": (0.1, 1.0)},
        "compression": {"probability": 0.8, "quality": (30, 95)},
    },
}
"""Images of the web: JPEG 30 to 95 on four of five, light noise before it on two of five."""

PHOTO: Mapping[str, Any] = {
    "first": {
        "blur": {"probability": 0.5, "sides": (7, 13), "sigma": (0.2, 2.0)},
        "resize": {"up": 0.1, "down": 0.3, "factors": (0.5, 1.2), "antialias": True},
        "noise": {"probability": 0.5, "sigma": (1.0, 15.0), "poisson_scale": (0.05, 1.5)},
        "compression": {"probability": 0.5, "quality": (60, 95)},
    },
    "last": {
        "resize": {"up": 0.1, "down": 0.1, "factors": (0.7, 1.2), "antialias": True},
        "sharpen": {"probability": 0.3, "amount": (0.2, 1.0), "sigma": (0.5, 1.5)},
        "noise": {"probability": 0.3, "sigma": (1.0, 8.0), "poisson_scale": (0.05, 1.0)},
        "compression": {"probability": 0.8, "webp": 0.2, "quality": (40, 95)},
    },
}
"""Photographs of phones and the web: soft, noisy, compressed in the camera, resized, sharpened, compressed again."""

REAL_ESRGAN: Mapping[str, Any] = {
    "sharpen_target": True,
    "first": {
        "blur": {"probability": 1.0},
        "resize": {"up": 0.2, "down": 0.7, "factors": (0.15, 1.5)},
        "noise": {"probability": 1.0},
        "compression": {"probability": 1.0},
    },
    "last": {
        "blur": {"probability": 0.8, "sigma": (0.2, 1.5)},
        "resize": {"up": 0.3, "down": 0.4, "factors": (0.3, 1.2)},
        "noise": {"probability": 1.0, "sigma": (1.0, 25.0), "poisson_scale": (0.05, 2.5)},
        "sinc": 0.8,
        "compression": {"probability": 1.0},
    },
}
"""The second-order degradation of Real-ESRGAN (Wang et al., 2021, section 4.1), with the probabilities of resizing and
the fractions of round kernels from its published training options (``train_realesrgan_x4plus.yml``)."""

PRESETS: Mapping[Preset, Mapping[str, Any]] = {
    "none": {},
    "jpeg": JPEG,
    "photo": PHOTO,
    "real-esrgan": REAL_ESRGAN,
}
"""The values of each preset that differ from the defaults."""
