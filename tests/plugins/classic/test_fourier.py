"""Upscaling by the spectrum, against waves that are known everywhere."""

from __future__ import annotations

import cmath
import math

import pytest
import torch
from torch import Tensor

from restore.core.images.resampling import scale_length
from restore.plugins.classic.fourier import fourier
from restore.plugins.classic.interpolation import source_position


def positions(length: int, scale: float) -> list[float]:
    resized = scale_length(length, scale)
    return [source_position(pixel, resized / length) for pixel in range(resized)]


def by_definition(line: list[float], places: list[float]) -> list[float]:
    """The sum of a line's waves at any place; the fastest wave of an even line is a cosine."""
    length = len(line)
    spectrum = [
        sum(value * cmath.exp(-2j * math.pi * wave * x / length) for x, value in enumerate(line))
        for wave in range(length)
    ]
    found = []
    for place in places:
        total = spectrum[0]
        for wave in range(1, (length - 1) // 2 + 1):
            total += spectrum[wave] * cmath.exp(2j * math.pi * wave * place / length)
            total += spectrum[-wave] * cmath.exp(-2j * math.pi * wave * place / length)
        if length % 2 == 0:
            total += spectrum[length // 2] * math.cos(math.pi * place)
        assert abs(total.imag) < 1e-9
        found.append(total.real / length)
    return found


SIZES = [(8, 2), (8, 1.125), (8, 1.25), (9, 2), (9, 3), (7, 1.5), (8, 3), (2, 2), (1, 3), (16, 2.5)]


@pytest.mark.parametrize(("length", "scale"), SIZES)
def test_a_line_follows_the_definition(length: int, scale: float) -> None:
    line = torch.rand(length, dtype=torch.float64, generator=torch.Generator().manual_seed(length))
    expected = torch.tensor(by_definition(line.tolist(), positions(length, scale)), dtype=torch.float64)
    across = fourier(line.view(1, 1, 1, length).expand(1, 1, 3, length), scale)
    down = fourier(line.view(1, 1, length, 1).expand(1, 1, length, 3), scale)
    assert (across - expected).abs().max() < 1e-12
    assert (down - expected[:, None]).abs().max() < 1e-12


@pytest.mark.parametrize(("height", "width"), [(8, 8), (9, 8), (8, 9), (9, 11)])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_an_image_whose_waves_are_slow_enough_comes_out_exactly(height: int, width: int, scale: int) -> None:
    def scene(rows: Tensor, columns: Tensor) -> Tensor:
        y, x = rows[:, None] / height, columns[None, :] / width
        turn = 2 * math.pi
        return 0.5 + 0.2 * torch.cos(turn * (2 * y - 3 * x) + 0.3) + 0.1 * torch.sin(turn * (3 * y + x))

    sampled = scene(torch.arange(height, dtype=torch.float64), torch.arange(width, dtype=torch.float64))
    finer = (torch.tensor(positions(length, scale), dtype=torch.float64) for length in (height, width))
    assert (fourier(sampled[None, None], scale)[0, 0] - scene(*finer)).abs().max() < 1e-13


def test_the_fastest_wave_of_an_even_line_is_a_cosine_in_both_directions() -> None:
    checkers = torch.tensor([[1.0, -1.0], [-1.0, 1.0]], dtype=torch.float64).repeat(3, 2)
    rows, columns = (torch.tensor(positions(length, 3), dtype=torch.float64) for length in (6, 4))
    expected = torch.cos(math.pi * rows)[:, None] * torch.cos(math.pi * columns)
    assert (fourier(checkers[None, None], 3)[0, 0] - expected).abs().max() < 1e-13


@pytest.mark.parametrize("scale", [2, 3, 2.5])
def test_the_mean_brightness_stays(scale: float) -> None:
    image = torch.rand(2, 3, 10, 8, dtype=torch.float64)
    assert torch.allclose(fourier(image, scale).mean((-2, -1)), image.mean((-2, -1)), atol=1e-14)


def test_a_scale_of_one_changes_nothing() -> None:
    image = torch.rand(1, 3, 6, 5)
    assert torch.allclose(fourier(image, 1), image, atol=1e-7)


def test_an_image_is_not_made_smaller() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        fourier(torch.rand(1, 3, 8, 8), 0.5)
