"""What the U-Net is shown in the hole."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from restore.core.pictures.pixels import pull_push
from restore.plugins.inpaint_gan.network_settings import ModelSettings
from restore.plugins.inpaint_gan.networks import drawn


@given(st.integers(1, 19), st.integers(1, 19), st.integers(0, 2**31), st.floats(0, 1))
def test_what_is_known_stays_and_the_rest_lies_between_its_darkest_and_brightest(
    height: int, width: int, seed: int, share: float
) -> None:
    generator = torch.Generator().manual_seed(seed)
    pictures = torch.rand(1, 3, height, width, generator=generator)
    mask = (torch.rand(1, 1, height, width, generator=generator) < share).float()
    spoiled = torch.where(mask > 0, torch.full_like(pictures, 9.0), pictures)
    filled = pull_push(spoiled, 1 - mask)
    known = (mask == 0).expand_as(pictures)
    assert torch.equal(filled[known], pictures[known])
    if known.any():
        for channel in range(3):
            own = pictures[0, channel][known[0, channel]]
            assert float(filled[0, channel].min()) >= float(own.min()) - 1e-5
            assert float(filled[0, channel].max()) <= float(own.max()) + 1e-5
    else:
        assert not filled.any()


def ramp() -> tuple[Tensor, Tensor]:
    picture = torch.linspace(0, 1, 32).expand(1, 3, 32, 32)
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 12:20, 12:20] = 1
    return picture, mask


def test_a_slope_goes_on_through_the_hole() -> None:
    picture, mask = ramp()
    inside = mask.bool().expand_as(picture)
    error = (pull_push(picture, 1 - mask) - picture)[inside].abs().mean()
    by_mean = (picture[~inside].mean() - picture[inside]).abs().mean()
    assert float(error) < 0.6 * float(by_mean)


def test_half_precision_is_left_outside() -> None:
    picture, mask = ramp()
    with torch.autocast("cpu", torch.bfloat16):
        filled = pull_push(picture, 1 - mask)
    assert torch.equal(filled, pull_push(picture, 1 - mask))


class Silent(nn.Module):
    """Adds nothing, and keeps what it was shown."""

    def forward(self, x: Tensor) -> Tensor:
        self.seen = x
        return torch.zeros_like(x[:, :3])


@pytest.mark.parametrize("start", ["smooth", "gray"])
def test_the_generator_adds_to_a_smooth_start_and_draws_upon_gray(start: str) -> None:
    (picture, mask), silent = ramp(), Silent()
    model = ModelSettings.model_validate({"start": start})
    (answer,) = drawn(model, silent, picture, mask)
    inside = mask.bool().expand_as(picture)
    assert torch.equal(silent.seen[:, 3:], mask)
    if start == "gray":
        assert not silent.seen[:, :3][inside].any()
        assert bool((answer == 0.5).all())
    else:
        assert torch.allclose(answer, pull_push(picture, 1 - mask), atol=1e-5)
        assert torch.allclose(answer[~inside], picture[~inside], atol=1e-6)


def test_upon_a_smooth_start_nothing_is_drawn_outside_the_hole() -> None:
    class Loud(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.ones_like(x[:, :3])

    picture, mask = ramp()
    (answer,) = drawn(ModelSettings(start="smooth"), Loud(), picture, mask)
    inside = mask.bool().expand_as(picture)
    assert torch.allclose(answer[~inside], picture[~inside], atol=1e-6)
    assert torch.allclose(answer[inside], (pull_push(picture, 1 - mask) + 0.5)[inside], atol=1e-5)
