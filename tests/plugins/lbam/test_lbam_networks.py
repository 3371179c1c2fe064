"""What the networks take and give, whatever their weights."""

from __future__ import annotations

import pytest
import torch

from restore.plugins.lbam.discriminator import Discriminator
from restore.plugins.lbam.generator import Generator


def image_and_mask(height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    image, hole = torch.rand(1, 3, height, width), torch.zeros(1, 1, height, width)
    hole[..., : (height + 1) // 2, : (width + 1) // 2] = 1
    return image, hole


@pytest.mark.parametrize("size", [(1, 1), (37, 53), (128, 130), (200, 120)])
def test_an_image_of_any_size_comes_back_at_that_size(size: tuple[int, int]) -> None:
    with torch.no_grad():
        filled = Generator(1)(*image_and_mask(*size))
    assert filled.shape == (1, 3, *size)
    assert filled.isfinite().all()
    assert 0 <= float(filled.min()) <= float(filled.max()) <= 1


def test_what_is_continued_is_the_image_mirrored_with_its_hole() -> None:
    network = Generator(2)
    image, hole = image_and_mask(128, 100)
    mirror = torch.cat([torch.arange(100), torch.arange(98, 70, -1)])
    with torch.no_grad():
        assert torch.equal(network(image, hole), network(image[..., mirror], hole[..., mirror])[..., :100])


def test_nothing_of_the_hole_is_seen_and_all_that_is_known_can_be() -> None:
    torch.manual_seed(0)
    network = Generator(8).double()
    image, hole = (plane.double() for plane in image_and_mask(128, 128))
    image.requires_grad_()
    network(image, hole)[..., 10:20, 10:20].sum().backward()
    assert image.grad is not None
    assert image.grad[..., :64, :64].eq(0).all()
    assert image.grad[..., 64:, :].ne(0).any(1).double().mean() > 0.9


def test_the_hole_is_where_the_mask_is_one() -> None:
    network = Generator(2)
    image, hole = image_and_mask(128, 128)
    spoiled = torch.where(hole > 0, torch.rand_like(image), image)
    with torch.no_grad():
        assert torch.equal(network(image, hole), network(spoiled, hole))
        assert not torch.equal(network(image, 1 - hole), network(spoiled, 1 - hole))


@pytest.mark.parametrize("channels", [1, 3, 8])
def test_every_parameter_of_the_generator_has_a_gradient(channels: int) -> None:
    torch.manual_seed(0)
    network = Generator(channels)
    network(*image_and_mask(128, 128)).square().mean().backward()
    without = [name for name, parameter in network.named_parameters() if parameter.grad is None]
    assert not without


@pytest.mark.parametrize("size", [(9, 17), (64, 64), (128, 100), (256, 256)])
def test_the_discriminator_judges_images_of_any_size(size: tuple[int, int]) -> None:
    network = Discriminator(2)
    image, hole = image_and_mask(*size)
    scores = network(image.repeat(2, 1, 1, 1), hole.repeat(2, 1, 1, 1))
    assert scores.shape == (2, 1)
    scores.sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_the_discriminator_judges_each_image_by_itself_and_without_limits() -> None:
    torch.manual_seed(0)
    network = Discriminator(4).double()
    network.score.weight.data.mul_(1e3)
    images, holes = (
        torch.cat(planes).double() for planes in zip(*(image_and_mask(64, 64) for _ in range(3)), strict=True)
    )
    with torch.no_grad():
        together = network(images, holes)
        alone = torch.cat([network(images[[index]], holes[[index]]) for index in range(3)])
    assert torch.allclose(together, alone, rtol=1e-9)
    assert float(together.abs().max()) > 1


def test_the_published_discriminator_says_which_size_it_judges() -> None:
    with pytest.raises(ValueError, match="256 x 256 pixels, not 64 x 128"):
        Discriminator(1, published=True)(*image_and_mask(128, 64))


def test_an_untrained_generator_continues_colors_into_the_hole() -> None:
    torch.manual_seed(0)
    network = Generator(8)
    colors = torch.tensor([0.8, 0.4, 0.2]).view(1, 3, 1, 1)
    hole = torch.zeros(1, 1, 128, 128)
    hole[..., 40:80, 30:70] = 1
    with torch.no_grad():
        filled = network(colors.expand(1, 3, 128, 128), hole)
    for place in (filled[..., 50:70, 40:60], filled[..., 90:, 90:]):
        error = (place.mean((2, 3)).flatten() - colors.flatten()).norm()
        assert error < 0.3 * (colors - 0.5).norm()
