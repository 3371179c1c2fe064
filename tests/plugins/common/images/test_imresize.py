"""MATLAB's imresize: recorded outputs, an independent definition, and published small images."""

from __future__ import annotations

import doctest
import math
import os
from itertools import product
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from restore.core.images import resampling
from restore.core.images.resampling import CUBIC, LANCZOS, TRIANGLE, scale_length
from restore.plugins.common.images.resize import imresize, resample


def cubic_weight(x: float) -> float:
    x = abs(x)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    if x <= 2:
        return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return 0.0


def line_by_definition(line: list[float], scale: float) -> list[float]:
    """One row of imresize, pixel by pixel, with plain numbers and MATLAB's counting from one."""
    length = len(line)
    shrink = min(scale, 1.0)
    resized = []
    for out in range(1, math.ceil(round(length * scale, 6)) + 1):
        center = out / scale + 0.5 * (1 - 1 / scale)
        reach = 2 / shrink
        total, weights = 0.0, 0.0
        for position in range(math.floor(center - reach) - 1, math.ceil(center + reach) + 2):
            weight = cubic_weight((center - position) * shrink)
            total += weight * line[min(max(position, 1), length) - 1]
            weights += weight
        resized.append(total / weights)
    return resized


def image_by_definition(image: np.ndarray, scale: float, eight_bit: bool) -> np.ndarray:
    values = image.astype(float)
    for transposed in (True, False):  # the height first
        lines = values.T if transposed else values
        lines = np.array([line_by_definition(list(line), scale) for line in lines])
        values = lines.T if transposed else lines
        if eight_bit:
            values = np.clip(np.floor(values + 0.5), 0, 255)
    return values


def drawn(height: int, width: int, seed: int = 0) -> Tensor:
    # Black and white blocks with noise: over- and undershoots that must be clipped between the passes.
    generator = torch.Generator().manual_seed(seed)
    blocks = torch.randint(0, 2, (height, width), generator=generator) * 255
    noise = torch.randint(0, 256, (height, width), generator=generator)
    return torch.where(torch.rand(height, width, generator=generator) < 0.5, blocks, noise).to(torch.uint8)


@pytest.mark.parametrize("scale", [1 / 2, 1 / 3, 1 / 4, 1 / 8, 2, 3, 4, 2.5, 0.4, 1.37, 1.0])
def test_8_bit_images_follow_the_definition_exactly(scale: float) -> None:
    image = drawn(13, 18)
    expected = image_by_definition(image.numpy(), scale, eight_bit=True)
    assert np.array_equal(imresize(image, scale).numpy(), expected)


@pytest.mark.parametrize("scale", [1 / 3, 0.7, 2, 1.37])
def test_floating_point_images_follow_the_definition_without_rounding(scale: float) -> None:
    image = drawn(11, 9).double() / 255
    expected = image_by_definition(image.numpy(), scale, eight_bit=False)
    assert np.abs(imresize(image, scale).numpy() - expected).max() < 1e-12


def test_rounding_between_the_passes_is_noticeable() -> None:
    # If this failed, the exact test above would prove less than it says.
    image = drawn(32, 32)
    at_once = (imresize(image.double(), 0.25) + 0.5).floor().clamp(0, 255).byte()
    assert not torch.equal(at_once, imresize(image, 0.25))


def test_recorded_outputs_with_a_mirrored_border(golden: ModuleType) -> None:
    def both(image: Tensor) -> tuple[Tensor, Tensor]:
        return imresize(image[0], 0.25, border="mirror"), imresize(image[0], 4, border="mirror")

    golden.load("lornatang_resize").check(both, precision="fp32")


@pytest.mark.parametrize("length", [2, 6])  # shorter than the kernel: the mirror is mirrored again
def test_a_mirrored_border_is_the_image_continued_by_its_mirror(length: int) -> None:
    line = torch.rand(1, length, dtype=torch.float64)
    continued = torch.from_numpy(np.pad(line.numpy(), ((0, 0), (16, 16)), mode="symmetric"))
    inside = slice(16 // 2, 16 // 2 + length // 2)
    assert torch.allclose(imresize(line, 1 / 2, border="mirror"), imresize(continued, 1 / 2)[:, inside], atol=1e-14)


@pytest.mark.parametrize("kernel", [CUBIC, TRIANGLE, LANCZOS])
@pytest.mark.parametrize("border", ["clamp", "mirror", "exclude"])
@pytest.mark.parametrize("scale", [0.3, 1 / 3, 2, 3.7])
def test_a_flat_image_stays_flat(kernel: resampling.Kernel, border: resampling.Border, scale: float) -> None:
    flat = torch.full((2, 3, 7, 5), 0.3, dtype=torch.float64)
    assert torch.allclose(resample(flat, scale, kernel, border=border), torch.tensor(0.3, dtype=torch.float64))


def test_excluding_the_border_agrees_with_pillow() -> None:
    image = torch.rand(21, 17, generator=torch.Generator().manual_seed(0))
    pil_image = Image.fromarray(image.numpy())
    cases = product(((CUBIC, Image.Resampling.BICUBIC), (LANCZOS, Image.Resampling.LANCZOS)), (2, 3, 4))
    for (kernel, method), scale in cases:
        expected = np.asarray(pil_image.resize((17 * scale, 21 * scale), method))
        found = resample(image, scale, kernel, border="exclude").numpy()
        assert np.abs(found - expected).max() < 1e-5


def test_any_leading_axes_are_kept_and_each_plane_is_its_own() -> None:
    images = torch.stack([drawn(12, 8, seed) for seed in range(6)]).view(2, 3, 12, 8)
    resized = imresize(images, 0.5)
    assert resized.shape == (2, 3, 6, 4)
    assert torch.equal(resized[1, 2], imresize(drawn(12, 8, 5), 0.5))


def test_lengths_do_not_suffer_from_inexact_scales() -> None:
    for scale, length in product(range(1, 65), (1, 7, 33, 48, 1000)):
        assert scale_length(length * scale, 1 / scale) == length
    assert scale_length(3, 1 / 4) == 1
    assert doctest.testmod(resampling).failed == 0


def test_a_gradient_passes_even_if_the_weights_were_first_made_in_inference_mode() -> None:
    with torch.inference_mode():
        imresize(torch.rand(19, 23), 1.7)
    image = torch.rand(19, 23, requires_grad=True)
    imresize(image, 1.7).sum().backward()
    assert image.grad is not None
    assert float(image.grad.sum()) == pytest.approx(scale_length(19, 1.7) * scale_length(23, 1.7), rel=1e-5)


@pytest.mark.parametrize("scale", [0, -1, math.inf, math.nan])
def test_a_scale_that_is_none_is_refused(scale: float) -> None:
    with pytest.raises(ValueError, match="positive number"):
        imresize(torch.zeros(4, 4), scale)


@pytest.mark.skipif("RESTORE_SR_DATA" not in os.environ, reason="RESTORE_SR_DATA names no folder of Set5 and Set14")
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_published_small_images_come_out_pixel_for_pixel(scale: int) -> None:
    folders = [Path(os.environ["RESTORE_SR_DATA"]) / name / f"x{scale}" for name in ("Set5", "Set14")]
    files = [path for folder in folders for path in sorted((folder / "HR").iterdir())]
    assert len(files) == 19
    for path in files:
        large, small = (np.array(Image.open(file)) for file in (path, path.parent.parent / "LR" / path.name))
        planes = torch.from_numpy(np.atleast_3d(large)).permute(2, 0, 1)
        assert np.array_equal(imresize(planes, 1 / scale).permute(1, 2, 0).numpy(), np.atleast_3d(small)), path
