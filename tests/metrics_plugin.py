"""A plugin with metrics and protocols for the runs of other families, some of which break their contract."""

from __future__ import annotations

from typing import Any

PLUGIN = """
from restore.registry import MetricSpec, ProtocolSpec, hookimpl

HERE = "dncnn"


@hookimpl
def restore_metrics():
    return [
        MetricSpec("edge-psnr", f"{HERE}.metrics:EdgePSNR", role="image", settings=f"{HERE}.settings:EdgeSettings"),
        MetricSpec("mask-error", f"{HERE}.metrics:MaskError", role="inpainting"),
        MetricSpec("missed", f"{HERE}.metrics:Missed", role="segmentation"),
        MetricSpec("turned-around", f"{HERE}.metrics:TurnedAround", role="image"),
        MetricSpec("imposter", f"{HERE}.metrics:Imposter", role="image"),
    ]


@hookimpl
def restore_protocols():
    return [ProtocolSpec("edges", f"{HERE}.metrics:edges", role="image")]
"""

SETTINGS = '''
from restore.core.settings import Settings


class EdgeSettings(Settings):
    """Where edges are."""

    threshold: float = 0.1
    """Smallest difference of neighbors that is an edge."""
'''

METRICS = """
import torch


class Error:
    better = "lower"

    def measure(self, prediction, target):
        return (prediction - target).double().square().flatten(1).mean(1, keepdim=True)

    def reduce(self, rows):
        return float(rows.mean())


class EdgePSNR(Error):
    name, better = "edge-psnr", "higher"

    def __init__(self, threshold=0.1):
        self.convention = f"edges above {threshold:g}"
        self.threshold = threshold

    def measure(self, prediction, target):
        edges = torch.zeros_like(target)
        edges[..., 1:] = (target.diff(dim=-1).abs() > self.threshold).float()
        return super().measure(prediction * edges, target * edges)

    def reduce(self, rows):
        return float(-10 * torch.log10(rows.mean()))


class MaskError(Error):
    name, convention = "mask-error", "sum inside the mask"

    def measure(self, prediction, target):
        raise AssertionError("needs a mask")

    def measure_inside(self, prediction, target, mask):
        return ((prediction - target) * mask).abs().double().flatten(1).sum(1, keepdim=True)


class Missed(Error):
    name = "missed"

    def __init__(self, num_classes):
        self.convention = f"of {num_classes} classes"

    def measure(self, prediction, target):
        return super().measure(prediction, target if target.is_floating_point() else
                               torch.zeros_like(prediction).scatter_(1, target, 1.0))


class TurnedAround(Error):
    name, convention, better = "turned-around", "RGB", "higher"


class Imposter(Error):
    name, convention = "psnr", "8-bit Y, border 4"


def edges(scale):
    return {"weak": EdgePSNR(0.05), "strong": EdgePSNR(0.1 * scale)}
"""


def install(site: Any) -> None:
    """Write the distribution ``restore-dncnn`` into a folder that looks like site-packages."""
    files = {"dncnn/__init__.py": PLUGIN, "dncnn/settings.py": SETTINGS, "dncnn/metrics.py": METRICS}
    site.install("restore-dncnn", files, {"dncnn": "dncnn"}, version="0.4")
