"""What a run on the sample does otherwise: a narrow generator upon a smooth continuation."""

from __future__ import annotations

from pathlib import Path

import torch

from restore.plugins.common.inpainting.prefill import fill_smoothly
from restore.plugins.lbam.generator import Generator
from restore.plugins.lbam.settings import LBAMSettings, ModelSettings


def test_a_run_on_the_sample_adds_to_a_continuation_and_one_on_data_draws_everything() -> None:
    sample, data = LBAMSettings(), LBAMSettings(data=Path("photos"))
    assert (sample.model.prefill, sample.model.channels) == ("smooth", 16)
    assert (data.model.prefill, data.model.channels) == ("none", 24)
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


def test_it_begins_near_the_continuation_and_leaves_what_is_known() -> None:
    torch.manual_seed(0)
    images, masks = torch.rand(2, 3, 40, 56), torch.zeros(2, 1, 40, 56)
    masks[..., 10:20, 5:30] = 1
    with torch.no_grad():
        filled = Generator(4, "smooth")(images, masks)
    known = (masks == 0).expand_as(images)
    smooth = fill_smoothly(images, masks)
    assert torch.equal(filled[known], images[known])
    assert 0 < float((filled - smooth).abs().max()) < 0.3


def test_every_parameter_has_a_gradient_and_nothing_of_the_hole_is_seen() -> None:
    torch.manual_seed(0)
    network, images = Generator(2, "smooth"), torch.rand(1, 3, 64, 64)
    masks = torch.zeros(1, 1, 64, 64)
    masks[..., 20:40, 20:40] = 1
    spoiled = torch.where(masks > 0, torch.rand_like(images), images)
    filled = network(images * (1 - masks), masks)
    assert torch.allclose(filled, network(spoiled * (1 - masks), masks))
    filled.square().mean().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
