"""What the U-Net is shown in the hole."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from restore.plugins.common.inpainting.prefill import fill_smoothly
from restore.plugins.common.inpainting.refinement import GAIN
from restore.plugins.inpaint_gan.networks import InpaintingUNet
from restore.plugins.inpaint_gan.settings import ModelSettings


def ramp() -> tuple[Tensor, Tensor]:
    image = torch.linspace(0, 1, 32).expand(1, 3, 32, 32)
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 12:20, 12:20] = 1
    return image, mask


class Shown(InpaintingUNet):
    """Keeps what the layers were shown, and returns one value everywhere in their place."""

    def __init__(self, value: float, **settings: Any) -> None:
        super().__init__(channels=2, depth=2, **settings)
        self.seen: list[Tensor] = []
        self.model = self.Layers(value, self.seen)  # type: ignore[assignment]

    class Layers(nn.Module):
        def __init__(self, value: float, seen: list[Tensor]) -> None:
            super().__init__()
            self.value, self.seen = value, seen

        def forward(self, x: Tensor) -> Tensor:
            self.seen.append(x)
            return torch.full_like(x[:, :3], self.value)


@pytest.mark.parametrize("start", ["smooth", "gray"])
def test_the_generator_adds_to_a_smooth_start_and_draws_upon_gray(start: str) -> None:
    image, mask = ramp()
    network = Shown(0.0, start=start)
    answer, (seen,) = network(image, mask), network.seen
    inside = mask.bool().expand_as(image)
    assert torch.equal(seen[:, 3:], mask)
    if start == "gray":
        assert not seen[:, :3][inside].any()
        assert bool((answer == 0.5).all())
    else:
        assert torch.allclose(answer, fill_smoothly(image, mask), atol=1e-5)
        assert torch.allclose(answer[~inside], image[~inside], atol=1e-6)


def test_upon_a_smooth_start_nothing_is_drawn_outside_the_hole() -> None:
    image, mask = ramp()
    answer = Shown(1.0)(image, mask)
    inside = mask.bool().expand_as(image)
    assert torch.allclose(answer[~inside], image[~inside], atol=1e-6)
    assert torch.allclose(answer[inside], (fill_smoothly(image, mask) + 0.5)[inside], atol=1e-5)


def test_with_detail_only_the_generator_sees_no_colors_and_answers_in_a_smaller_measure() -> None:
    image, mask = torch.full((1, 3, 32, 32), 0.7), ramp()[1]
    network = Shown(1.0, detail=True)
    answer, (seen,) = network(image, mask), network.seen
    assert not seen[:, :3].abs().gt(1e-4).any()
    inside = mask.bool().expand_as(image)
    assert torch.allclose(answer[inside], torch.tensor(0.7 + 1 / GAIN), atol=1e-4)


@pytest.mark.parametrize(
    "changes", [{"start": "gray", "detail": True}, {"architecture": "coarse-to-fine", "blocks": 2}]
)
def test_what_belongs_to_a_smooth_unet_is_refused_elsewhere(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"detail needs start=smooth|blocks"):
        ModelSettings.model_validate(changes)
