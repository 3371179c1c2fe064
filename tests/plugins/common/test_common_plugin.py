"""What the toolbox registers, and that finding it costs nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from restore.core.metrics import Metric
from restore.registry import Registry, current

EXPECTED = {
    "datasets": {"images", "mask-folder", "masks", "super-resolution"},
    "losses": {
        "charbonnier", "discounted-l1", "hinge", "masked-l1", "masked-mse", "masked-total-variation",
        "l1", "least-squares", "mse", "perceptual", "style", "total-variation", "vanilla", "wasserstein",
    },
    "metrics": {
        "dists", "fid", "gmsd", "haarpsi", "kid", "l1", "l2", "lpips", "lr-psnr", "lsd", "masked-l1", "masked-psnr",
        "ms-ssim", "niqe", "p-ids", "psnr", "ssim", "texture", "tv-error", "u-ids",
    },
}  # fmt: skip


@pytest.fixture
def registry() -> Registry:
    return current()


@pytest.mark.parametrize("kind", sorted(EXPECTED))
def test_everything_registered_is_there(registry: Registry, kind: str) -> None:
    entries = {entry.name: entry for entry in registry.entries(kind) if entry.plugin == "common"}
    assert set(entries) == EXPECTED[kind]
    for entry in entries.values():
        assert entry.load().__doc__
        assert entry.summary.endswith(".")


def test_registered_metrics_are_complete_as_they_come(registry: Registry) -> None:
    for name in ("psnr", "ssim"):
        metric: Metric = registry.get("metrics", f"common/{name}")()
        assert (metric.name, metric.better, metric.convention) == (name, "higher", "8-bit RGB")


def test_the_plugin_and_its_settings_import_nothing_heavy() -> None:
    code = (
        "import sys, restore.plugins.common, restore.plugins.common.perceptual.settings\n"
        "print(sorted({'torch', 'torchvision', 'numpy', 'PIL', 'skimage', 'accelerate'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
