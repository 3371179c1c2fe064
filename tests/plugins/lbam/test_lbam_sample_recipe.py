"""What a run on the sample does otherwise: a narrow generator upon a smooth continuation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from restore.plugins.common.inpainting.prefill import fill_smoothly
from restore.plugins.lbam.generator import Generator
from restore.plugins.lbam.settings import LBAMSettings, ModelSettings


def test_a_run_on_the_sample_adds_to_a_continuation_and_one_on_data_draws_everything() -> None:
    sample, data = LBAMSettings(), LBAMSettings(data=Path("photos"))
    assert (sample.model.prefill, sample.model.levels, sample.model.detail) == ("smooth", 3, True)
    assert (data.model.prefill, data.model.levels, data.model.blocks, data.model.detail) == ("none", 7, 0, False)
    assert sample.recipe is not None
    assert "--model.prefill none" in sample.recipe
    assert data.recipe is None


def test_what_is_set_wins_over_the_recipe() -> None:
    wide = LBAMSettings.model_validate({"model": {"channels": 64}, "adversarial": {"weight": 0.1}})
    assert (wide.model.prefill, wide.model.channels, wide.adversarial.weight) == ("smooth", 64, 0.1)
    published = LBAMSettings.model_validate({"model": {"prefill": "none"}})
    assert published == LBAMSettings.model_validate({**LBAMSettings(data=Path("photos")).model_dump(), "data": None})
    assert published.recipe is None


def test_a_settings_object_counts_as_given_like_a_tree() -> None:
    assert LBAMSettings(model=ModelSettings(channels=64)) == LBAMSettings.model_validate({"model": {"channels": 64}})


@pytest.mark.parametrize("shape", [{}, {"levels": 3, "blocks": 2, "detail": True}, {"levels": 2}])
def test_it_begins_near_the_continuation_and_leaves_what_is_known(shape: dict[str, Any]) -> None:
    torch.manual_seed(0)
    images, masks = torch.rand(2, 3, 41, 56), torch.zeros(2, 1, 41, 56)
    masks[..., 10:20, 5:30] = 1
    with torch.no_grad():
        filled = Generator(4, "smooth", **shape)(images, masks)
    known = (masks == 0).expand_as(images)
    smooth = fill_smoothly(images, masks)
    assert torch.equal(filled[known], images[known])
    assert 0 < float((filled - smooth).abs().max()) < 0.3


def test_every_parameter_has_a_gradient_and_nothing_of_the_hole_is_seen() -> None:
    torch.manual_seed(0)
    network, images = Generator(2, "smooth", levels=4, blocks=1, detail=True), torch.rand(1, 3, 64, 64)
    masks = torch.zeros(1, 1, 64, 64)
    masks[..., 20:40, 20:40] = 1
    spoiled = torch.where(masks > 0, torch.rand_like(images), images)
    filled = network(images * (1 - masks), masks)
    assert torch.allclose(filled, network(spoiled * (1 - masks), masks))
    filled.square().mean().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_with_detail_only_the_network_does_not_see_which_color_an_image_has() -> None:
    torch.manual_seed(0)
    network, images, masks = (
        Generator(4, "smooth", levels=2, detail=True),
        torch.rand(1, 3, 32, 32) / 2,
        torch.zeros(1, 1, 32, 32),
    )
    masks[..., 12:15, 4:28] = 1
    with torch.no_grad():
        filled, lighter = network(images, masks), network(images + 0.3, masks)
    assert torch.allclose(filled + 0.3, lighter, atol=1e-4)


def test_detail_without_a_prefill_is_refused() -> None:
    with pytest.raises(ValueError, match="detail needs prefill=smooth"):
        ModelSettings(detail=True)
