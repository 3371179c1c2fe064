"""What the U-Net is shown in the hole."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from restore.plugins.common.inpainting.prefill import fill_smoothly
from restore.plugins.common.inpainting.refinement import GAIN
from restore.plugins.inpaint_gan.network_settings import ModelSettings
from restore.plugins.inpaint_gan.networks import drawn


def ramp() -> tuple[Tensor, Tensor]:
    image = torch.linspace(0, 1, 32).expand(1, 3, 32, 32)
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 12:20, 12:20] = 1
    return image, mask


class Silent(nn.Module):
    """Adds nothing, and keeps what it was shown."""

    def forward(self, x: Tensor) -> Tensor:
        self.seen = x
        return torch.zeros_like(x[:, :3])


@pytest.mark.parametrize("start", ["smooth", "gray"])
def test_the_generator_adds_to_a_smooth_start_and_draws_upon_gray(start: str) -> None:
    (image, mask), silent = ramp(), Silent()
    model = ModelSettings.model_validate({"start": start})
    (answer,) = drawn(model, silent, image, mask)
    inside = mask.bool().expand_as(image)
    assert torch.equal(silent.seen[:, 3:], mask)
    if start == "gray":
        assert not silent.seen[:, :3][inside].any()
        assert bool((answer == 0.5).all())
    else:
        assert torch.allclose(answer, fill_smoothly(image, mask), atol=1e-5)
        assert torch.allclose(answer[~inside], image[~inside], atol=1e-6)


def test_upon_a_smooth_start_nothing_is_drawn_outside_the_hole() -> None:
    class Loud(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.ones_like(x[:, :3])

    image, mask = ramp()
    (answer,) = drawn(ModelSettings(start="smooth"), Loud(), image, mask)
    inside = mask.bool().expand_as(image)
    assert torch.allclose(answer[~inside], image[~inside], atol=1e-6)
    assert torch.allclose(answer[inside], (fill_smoothly(image, mask) + 0.5)[inside], atol=1e-5)


def test_with_detail_only_the_generator_sees_no_colors_and_answers_in_a_smaller_measure() -> None:
    class Loud(Silent):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) + 1

    image, mask = torch.full((1, 3, 32, 32), 0.7), ramp()[1]
    loud = Loud()
    (answer,) = drawn(ModelSettings(start="smooth", detail=True), loud, image, mask)
    assert not loud.seen[:, :3].abs().gt(1e-4).any()
    inside = mask.bool().expand_as(image)
    assert torch.allclose(answer[inside], torch.tensor(0.7 + 1 / GAIN), atol=1e-4)


@pytest.mark.parametrize("changes", [{"start": "gray", "detail": True}, {"generator": "coarse-to-fine", "blocks": 2}])
def test_what_belongs_to_a_smooth_unet_is_refused_elsewhere(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"detail: only a unet|blocks: only unet"):
        ModelSettings.model_validate(changes)
