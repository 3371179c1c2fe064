"""Each failure of a GAN is told where it was made to happen, and not where all is well."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from restore.plugins.common.adversarial.diagnostics import (
    Remedies,
    checkerboard,
    diversity,
    gan_health,
    gan_measures,
    moments,
    periodic_energy,
    sharpness,
)
from restore.plugins.common.adversarial.losses import AdversarialLoss, Hinge, LeastSquares, Vanilla, Wasserstein
from restore.plugins.common.images.samples import photographs

WELL = {
    "d_real": 0.7,
    "d_fake": 0.3,
    "generator/gradient": 0.5,
    "discriminator/gradient": 2.0,
    "checkerboard": 1.2,
    "diversity": 0.8,
    "sharpness": 0.6,
    "validation/psnr-strokes": 22.0,
    "baseline/mean/psnr-strokes": 15.0,
    "validation/psnr-border": 15.5,
    "baseline/mean/psnr-border": 15.0,
}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"d_real": 0.999, "d_fake": 1e-4}, "the discriminator has won"),
        ({"generator/gradient": 3e4}, "the gradient of generator explodes"),
        ({"discriminator/gradient": 1e-9}, "the gradient of discriminator vanishes"),
        ({"generator/gradient": 1e-4, "discriminator/gradient": 50.0}, "the gradient of discriminator is more than"),
        ({"checkerboard": 20.0}, "checkerboard"),
        ({"diversity": 0.01}, "mode collapse"),
        ({"sharpness": 0.02}, "blurred"),
        ({"validation/psnr-border": 13.0}, "masks of kind border are filled worse"),
    ],
)
def test_each_failure_is_told_alone(change: dict[str, float], sentence: str) -> None:
    message = gan_health({**WELL, **change})
    assert message is not None
    assert sentence in message
    assert len(message.splitlines()) == 1
    assert "--" in message or "lr" in message
    slightly_else = {name: value * 1.01 for name, value in change.items()}
    if not {"d_real", "validation/psnr-border"} & change.keys():
        assert gan_health({**WELL, **slightly_else}) == message  # so that it is told once


def test_a_healthy_gan_is_left_alone() -> None:
    assert gan_health(WELL) is None
    assert gan_health({}) is None
    assert gan_health(dict.fromkeys(WELL, math.nan)) is None


def test_several_failures_are_several_lines_with_the_remedies_of_the_family() -> None:
    message = gan_health({**WELL, "diversity": 0.0, "checkerboard": 99.0}, Remedies(collapsed="feed --it more"))
    assert message is not None
    assert len(message.splitlines()) == 2
    assert "feed --it more" in message


def test_holes_that_are_hard_for_everybody_are_no_gap() -> None:
    assert gan_health({**WELL, "validation/psnr-border": 10.0, "baseline/mean/psnr-border": 9.0}) is None
    untrained = {"validation/psnr-strokes": 14.0, "validation/psnr-border": 14.0}
    assert gan_health({**WELL, **untrained}) is None  # all kinds are bad: it has only not begun to learn


def test_a_gap_counts_from_the_middle_of_a_phase_on() -> None:
    gap = {**WELL, "validation/psnr-border": 8.0}
    assert gan_health({**gap, "progress": 0.4}) is None
    assert "kind border" in (gan_health({**gap, "progress": 0.5}) or "")


def test_optimizers_may_have_other_names() -> None:
    message = gan_health({"painter/gradient": 1e9, "judge/gradient": 1.0}, generator="painter", discriminator="judge")
    assert message is not None
    assert "gradient of painter explodes" in message


def crops() -> Tensor:
    """Eight squares of 64 pixels from photographs."""
    images = photographs("train")
    return torch.stack([images[index % len(images)][:, 40:104, 40:104].float() / 255 for index in range(8)])


def board(period: int, strength: float) -> Tensor:
    cell = torch.zeros(period, period)
    cell[::2, ::2] = cell[1::2, 1::2] = strength
    return cell.repeat(64 // period, 64 // period)


HOLE = F.pad(torch.ones(8, 1, 40, 36), (12, 16, 10, 14))


def periodic_share(images: Tensor, where: Tensor, period: int) -> float:
    periodic, total = periodic_energy(images, where, period)
    return float(periodic / total)


@pytest.mark.parametrize("where", [HOLE, torch.ones(8, 1, 64, 64)])
@pytest.mark.parametrize("period", [2, 4])
def test_a_checkerboard_is_detected_and_photographs_have_none(where: Tensor, period: int) -> None:
    real = crops()
    spoiled = gan_measures(real + board(period, 0.1), {"target": real, "mask": where})
    assert "checkerboard" in str(gan_health({"checkerboard": float(spoiled["checkerboard"])}))
    for other in (real.flip(-1), real.flip(0), F.avg_pool2d(F.pad(real, (1, 1, 1, 1), mode="reflect"), 3, 1)):
        assert 0.2 < float(checkerboard(other, real, where)) < 5


def test_a_pattern_that_nobody_sees_is_none_even_where_all_else_is_blurred() -> None:
    real = crops()
    flat = real.mean((-2, -1), keepdim=True).expand_as(real)
    where = torch.ones(8, 1, 64, 64)
    assert float(checkerboard(flat + board(4, 1e-3), real, where)) < 1.5
    assert gan_health({"checkerboard": float(checkerboard(flat + board(4, 0.1), real, where))}) is not None


def test_what_a_strided_layer_leaves_is_a_checkerboard() -> None:
    torch.manual_seed(0)
    smooth = F.interpolate(crops(), scale_factor=0.5, mode="bilinear")
    kernel = torch.tensor([0.5, 1.0, 0.5])
    uneven = torch.outer(kernel, kernel)[None, None].repeat(3, 1, 1, 1)
    even = F.interpolate(smooth, scale_factor=2.0, mode="bilinear")
    # a transposed convolution whose kernel does not divide by its stride adds up unevenly
    overlapping = F.conv_transpose2d(smooth, 1.2 * uneven / uneven.mean() / 9, stride=2, groups=3)[..., :64, :64]
    where = torch.ones(8, 1, 64, 64)
    assert periodic_share(overlapping, where, 2) > 5 * periodic_share(even, where, 2)


@given(st.integers(0, 2**31))
def test_a_share_of_energy_is_a_share(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(2, 3, 13, 11, generator=generator)
    where = (torch.rand(2, 1, 13, 11, generator=generator) < 0.5).float()
    assert 0 <= periodic_share(images, where, 4) <= 1 + 1e-5


def test_periodic_energy_is_that_of_the_spectrum() -> None:
    """By the discrete Fourier transform: the energy at frequencies of k / 4, but for the mean."""
    images = F.pad(torch.rand(1, 1, 14, 14, dtype=torch.float64), (1, 1, 1, 1))
    # an image that is its own detail plus zero borders: compare with the transform of that detail
    middle = images[..., 1:-1, 1:-1]
    neighbors = images[..., :-2, 1:-1] + images[..., 2:, 1:-1] + images[..., 1:-1, :-2] + images[..., 1:-1, 2:]
    detail = F.pad(middle - neighbors / 4, (1, 1, 1, 1))[0, 0]
    energy = torch.fft.fft2(detail - detail.mean()).abs().square()
    expected = energy[::4, ::4].sum() / energy.sum()
    assert periodic_share(images, torch.ones_like(images), 4) == pytest.approx(float(expected))


def test_samples_that_are_all_alike_are_detected() -> None:
    real = crops()
    same = torch.where(HOLE > 0, real[:1], real)
    found = {name: float(value) for name, value in gan_measures(same, {"target": real, "mask": HOLE}).items()}
    assert found["diversity"] < 0.05
    assert "mode collapse" in str(gan_health({"diversity": found["diversity"]}))
    assert float(diversity(moments(real.flip(0), HOLE), moments(real, HOLE))) == pytest.approx(1, abs=0.05)
    # plain colors that follow the image are dull, but they are no collapse
    plain = real.mean((-2, -1), keepdim=True).expand_as(real)
    assert gan_health({"diversity": float(diversity(moments(plain, HOLE), moments(real, HOLE)))}) is None


def test_one_sample_says_nothing_about_diversity() -> None:
    real = crops()[:1]
    assert float(gan_measures(real * 0, {"target": real})["diversity"]) == 1


def test_blurred_images_are_detected() -> None:
    real = crops()
    blurred = F.interpolate(F.avg_pool2d(real, 16), scale_factor=16, mode="bilinear")
    assert "blurred" in str(gan_health({"sharpness": float(sharpness(blurred, real, HOLE))}))
    assert float(sharpness(real, real, HOLE)) == 1


def test_equal_images_measure_one() -> None:
    real = crops()
    for value in gan_measures(real, {"target": real}).values():
        assert float(value) == pytest.approx(1)


@pytest.mark.parametrize("loss", [Vanilla(), LeastSquares(), Hinge()])
def test_scores_of_a_discriminator_become_probabilities_that_rise_with_its_scores(loss: AdversarialLoss) -> None:
    low, high = torch.full((2, 1, 3, 3), -9.0), torch.full((2, 1, 3, 3), 9.0)
    sure = loss.score_stats(high, low)
    assert gan_health({name: float(value) for name, value in sure.items()}) is not None
    even = loss.score_stats(low, low)
    assert float(even["d_real"]) == float(even["d_fake"]) < 0.5


def test_a_wasserstein_discriminator_has_a_distance_instead() -> None:
    found = Wasserstein().score_stats(torch.tensor([[3.0]]), torch.tensor([[1.0]]))
    assert {name: float(value) for name, value in found.items()} == {"distance": 2.0}
    with pytest.raises(TypeError):
        Wasserstein().probability(torch.zeros(1))
