"""NIQE: its features against scipy, and what distortions do to it."""

from __future__ import annotations

import io
import json
import math

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from scipy import ndimage, optimize, special, stats
from torch import Tensor
from torchvision.transforms.functional import gaussian_blur

from restore.core.images.pixels import to_uint8
from restore.core.metrics import SizedMetric
from restore.plugins.common.images.resize import imresize
from restore.plugins.common.images.samples import photographs
from restore.plugins.common.quality.naturalness import MODEL, NIQE, load_model
from restore.plugins.common.quality.scene_statistics import fit_asymmetric, measure_patches


@pytest.fixture(scope="module")
def photograph() -> Tensor:
    """A cat, (1, 3, 300, 451)."""
    return photographs("validation", 500)[0][None].double() / 255


def niqe(image: Tensor) -> float:
    metric = NIQE()
    return metric.reduce(metric.measure(image, torch.zeros_like(image)))


@pytest.mark.parametrize(
    ("shape", "left", "right"), [(0.6, 1.0, 1.0), (1.0, 0.5, 2.0), (2.0, 3.0, 1.5), (5.0, 1.0, 0.9)]
)
def test_the_shape_and_both_scales_of_a_known_distribution_are_found(shape: float, left: float, right: float) -> None:
    # as many values on each side as its scale says, at even steps of the probability
    sides = []
    for sign, scale in ((-1, left), (1, right)):
        count = round(50_000 * scale / (left + right))
        sides.append(sign * scale * stats.halfgennorm.ppf((np.arange(count) + 0.5) / count, shape))
    found = fit_asymmetric(torch.from_numpy(np.concatenate(sides))[None])
    assert [float(each) for each in found] == pytest.approx([shape, left, right], rel=5e-3)


def reference_fit(values: np.ndarray) -> tuple[float, float, float]:
    """The moments of Lasmar et al. (2009), with the shape as a root."""
    left, right = (math.sqrt((side**2).mean()) for side in (values[values < 0], values[values > 0]))
    ratio = left / right
    wanted = np.abs(values).mean() ** 2 / (values**2).mean() * (ratio**3 + 1) * (ratio + 1) / (ratio**2 + 1) ** 2
    gamma = special.gamma
    shape = optimize.brentq(lambda a: gamma(2 / a) ** 2 / (gamma(1 / a) * gamma(3 / a)) - wanted, 0.2, 10, xtol=1e-12)
    scale = math.sqrt(gamma(1 / shape) / gamma(3 / shape))
    return shape, left * scale, right * scale


def reference_features(image: np.ndarray, side: int) -> np.ndarray:
    """18 features of each patch of one scale."""
    offsets = np.mgrid[-3:4, -3:4]
    weights = np.exp(-(offsets**2).sum(0) / (2 * (7 / 6) ** 2))
    weights /= weights.sum()
    mean = ndimage.correlate(image, weights, mode="nearest")
    deviation = np.sqrt(np.maximum(ndimage.correlate(image**2, weights, mode="nearest") - mean**2, 0))
    normalized = (image - mean) / (deviation + 1)
    rows = []
    for top in range(0, image.shape[0], side):
        for start in range(0, image.shape[1], side):
            patch = normalized[top : top + side, start : start + side]
            shape, left, right = reference_fit(patch)
            row = [shape, (left + right) / 2]
            for product in (
                patch[:, :-1] * patch[:, 1:],
                patch[:-1] * patch[1:],
                patch[:-1, :-1] * patch[1:, 1:],
                patch[:-1, 1:] * patch[1:, :-1],
            ):
                shape, left, right = reference_fit(product)
                row += [shape, (right - left) * special.gamma(2 / shape) / special.gamma(1 / shape), left, right]
            rows.append(row)
    return np.array(rows)


def test_the_features_are_those_of_an_independent_computation(photograph: Tensor) -> None:
    luma = 255 * photograph[0].mean(0)[:200, 100:300]
    features, contrast = measure_patches(luma)
    cut = luma[:192, :192]
    whole = reference_features(cut.numpy(), 96)
    half = reference_features(imresize(cut, 0.5).numpy(), 48)
    assert features.shape == (4, 36)
    np.testing.assert_allclose(features.numpy(), np.hstack([whole, half]), atol=1e-6)
    assert bool((contrast > 0).all())


def test_the_distance_is_that_of_the_means_by_both_covariances(photograph: Tensor) -> None:
    gray = torch.from_numpy(np.array([0.299, 0.587, 0.114]))
    luma = 255 * torch.einsum("c,chw->hw", gray, photograph[0])
    features = measure_patches(luma)[0].numpy()
    with safe_open(str(MODEL), framework="np") as file:
        mean, covariance = file.get_tensor("mean"), file.get_tensor("covariance")
    inverse = np.linalg.inv((np.cov(features, rowvar=False) + covariance) / 2)
    difference = features.mean(0) - mean
    assert niqe(photograph) == pytest.approx(math.sqrt(difference @ inverse @ difference), rel=1e-6)


def compressed(image: Tensor, quality: int) -> Tensor:
    stored = io.BytesIO()
    Image.fromarray(to_uint8(image[0]).permute(1, 2, 0).numpy()).save(stored, "JPEG", quality=quality)
    with Image.open(stored) as opened:
        return torch.from_numpy(np.array(opened)).permute(2, 0, 1)[None].double() / 255


def test_distortions_make_a_photograph_less_natural(photograph: Tensor) -> None:
    photograph = photograph[..., :288]
    noise = torch.randn(photograph.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    ladders = {
        "noise": [(photograph + level / 255 * noise).clamp(0, 1) for level in (10, 25, 50)],
        "blur": [gaussian_blur(photograph.float(), [13, 13], [sigma, sigma]) for sigma in (1.0, 2.0, 3.0)],
        "JPEG": [compressed(photograph, quality) for quality in (40, 15, 7)],
    }
    for name, steps in ladders.items():
        values = [niqe(image) for image in (photograph, *steps)]
        assert values == sorted(values), (name, values)


def test_only_the_output_counts_and_small_or_flat_images_do_not(photograph: Tensor) -> None:
    metric = NIQE(4)
    assert isinstance(metric, SizedMetric)
    assert metric.least_side == 200
    inside = metric.measure(photograph, photograph)
    assert torch.equal(inside, metric.measure(photograph, 1 - photograph))
    assert float(inside) == niqe(photograph[..., 4:-4, 4:-4])
    gray = photograph.mean(1, keepdim=True)
    assert niqe(gray) == pytest.approx(niqe(gray.expand(-1, 3, -1, -1)))
    assert bool(metric.measure(photograph[..., :199], photograph[..., :199]).isnan())
    assert niqe(torch.full((1, 3, 192, 192), 0.5)) == math.inf


def test_the_model_says_what_it_was_fitted_on() -> None:
    with safe_open(str(MODEL), framework="np") as file:
        about = json.loads(file.metadata()["restore"])
    assert all({"file", "author", "license", "source", "sha256"} <= set(each) for each in about["photographs"])
    assert sum(each["patches"] for each in about["photographs"]) == about["patches"] > 400
    assert f"{len(about['photographs'])} photographs" in load_model().label
    assert load_model().label in NIQE().convention
    assert float(torch.linalg.eigvalsh(load_model().covariance).min()) > 0
    assert MODEL.stat().st_size < 20_000
