"""Statistics of image collections. Imports no torch."""

from __future__ import annotations

IMAGENET_MEAN = (0.485, 0.456, 0.406)
"""Mean of red, green and blue in ImageNet, for images in [0, 1]."""
IMAGENET_STD = (0.229, 0.224, 0.225)
"""Their standard deviations."""
