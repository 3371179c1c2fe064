"""What a network sees that adds to a continuation, and the residual blocks that it may have."""

from __future__ import annotations

import pytest
import torch

from restore.plugins.common.inpainting.refinement import GAIN, SIDE, detail, residual_blocks


@pytest.mark.parametrize("size", [(1, 1), (3, 20), (40, 40)])
def test_an_even_color_has_no_detail_in_images_of_any_size(size: tuple[int, int]) -> None:
    color = torch.tensor([0.2, 0.5, 0.9]).view(1, 3, 1, 1).expand(1, 3, *size)
    assert torch.allclose(detail(color), torch.zeros(1, 3, *size), atol=1e-5)


def test_detail_is_what_differs_from_the_mean_around_it_strengthened() -> None:
    image = torch.zeros(1, 1, 41, 41)
    image[..., 20, 20] = 1
    seen = detail(image)
    assert float(seen[0, 0, 20, 20]) == pytest.approx(GAIN * (1 - 1 / SIDE**2))
    assert float(seen[0, 0, 20 + SIDE // 2, 20]) == pytest.approx(-GAIN / SIDE**2)
    assert not seen[0, 0, 20 + SIDE // 2 + 1, 20]
    assert torch.allclose(detail(image, 1.0), seen / GAIN)


def test_residual_blocks_start_as_the_identity_and_learn() -> None:
    network, x = residual_blocks(4, 3), torch.rand(2, 4, 9, 7)
    assert torch.equal(network(x), x)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        network(x).square().mean().backward()
        optimizer.step()
    assert not torch.equal(network(x), x)
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in network.parameters())
