from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from restore.plugins.srgan.blocks import SubPixel, stages
from restore.plugins.srgan.discriminator import Discriminator
from restore.plugins.srgan.generators import Compact, MSRResNet, SRResNet
from restore.plugins.srgan.light import Light

GENERATORS = [SRResNet, MSRResNet, Compact, Light]


@pytest.mark.parametrize("build", GENERATORS)
@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_a_generator_upscales_by_its_scale(build: type[nn.Module], scale: int) -> None:
    network = build(scale, channels=4, blocks=1)
    assert network(torch.rand(2, 3, 6, 5)).shape == (2, 3, 6 * scale, 5 * scale)


@pytest.mark.parametrize("build", GENERATORS)
def test_a_scale_without_stages_is_refused(build: type[nn.Module]) -> None:
    with pytest.raises(ValueError, match="scale 5 is not one of 1, 2, 3, 4, 8"):
        build(5)


def test_three_is_one_stage_and_eight_are_three() -> None:
    assert (stages(3), stages(8)) == ((3,), (2, 2, 2))


@pytest.mark.parametrize("factor", [2, 3])
def test_upscaling_starts_without_a_checkerboard(factor: int) -> None:
    upscaled = SubPixel(4, factor, nn.PReLU())(torch.randn(1, 4, 5, 6))
    corners = upscaled[..., ::factor, ::factor]
    assert torch.equal(upscaled, corners.repeat_interleave(factor, -1).repeat_interleave(factor, -2))
    assert corners.std() > 0.1


@pytest.mark.parametrize(("build", "near"), [(MSRResNet, 0.2), (Compact, 0.02), (Light, 0.02)])
def test_generators_that_add_detail_start_near_the_bilinear_upscaling(build: type[nn.Module], near: float) -> None:
    torch.manual_seed(0)
    image = torch.rand(1, 3, 12, 12)
    bilinear = F.interpolate(image, scale_factor=4, mode="bilinear")
    assert (build(4, channels=16, blocks=4)(image) - bilinear).abs().mean() < near


@pytest.mark.parametrize("build", GENERATORS)
@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_the_halo_is_the_reach_of_an_output_pixel(build: type[nn.Module], scale: int) -> None:
    network = build(scale, channels=2, blocks=2).double().eval()
    for module in network.modules():  # positive weights, so that no path cancels another
        if isinstance(module, nn.Conv2d):
            nn.init.constant_(module.weight, 1 / module.weight[0].numel())
    middle = 14
    image = torch.rand(1, 3, 2 * middle, 2 * middle, dtype=torch.float64, requires_grad=True)
    output = network(image)
    reaches = []
    for place in range(scale):  # every place within the pixels that stand for one of the input's
        (slope,) = torch.autograd.grad(output[0, 0, middle * scale + place, middle * scale], image, retain_graph=True)
        rows = slope.abs().sum((0, 1, 3)).nonzero().flatten()
        reaches.append(max(middle - int(rows.min()), int(rows.max()) - middle))
    assert max(reaches) <= network.tiling.halo <= max(reaches) + 1


@pytest.mark.parametrize("build", GENERATORS)
def test_colors_are_computed_at_full_precision_under_autocast(build: type[nn.Module]) -> None:
    network = build(2, channels=4, blocks=1)
    seen: list[torch.dtype] = []
    network.last.register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert network.first(torch.rand(1, 3, 4, 4)).dtype == torch.bfloat16
        assert network(torch.rand(1, 3, 4, 4)).dtype == torch.float32
    assert network.double()(torch.rand(1, 3, 4, 4, dtype=torch.float64)).dtype == torch.float64
    assert seen == [torch.float32, torch.float64]


def test_srresnet_limits_its_output_only_when_asked_to() -> None:
    torch.manual_seed(0)
    image = torch.rand(1, 3, 8, 8) * 50
    free, limited = SRResNet(2, 4, 1), SRResNet(2, 4, 1, clamp=True)
    limited.load_state_dict(free.state_dict())
    output = free(image)
    assert output.min() < 0 or output.max() > 1
    assert torch.equal(limited(image), output.clamp(0, 1))


@pytest.mark.parametrize("crop", [24, 40, 96, 100])
@pytest.mark.parametrize("head", ["dense", "pooled"])
def test_the_discriminator_judges_crops_of_any_size(crop: int, head: str) -> None:
    network = Discriminator(crop, channels=4, head=head, hidden=8)
    assert network(torch.rand(2, 3, crop, crop)).shape == (2, 1)


def test_the_dense_head_refuses_another_size_and_the_pooled_one_takes_it() -> None:
    with pytest.raises(ValueError, match="needs 32 x 32 pixels, not 48 x 40"):
        Discriminator(32, 4, "dense", 8)(torch.rand(2, 3, 40, 48))
    assert Discriminator(32, 4, "pooled", 8)(torch.rand(2, 3, 40, 48)).shape == (2, 1)


def test_the_published_discriminator_has_its_published_size() -> None:
    assert sum(parameter.numel() for parameter in Discriminator(head="dense").parameters()) == 23_563_649


def test_scores_are_computed_at_full_precision_under_autocast() -> None:
    network = Discriminator(16, 4, hidden=8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert network(torch.rand(2, 3, 16, 16)).dtype == torch.float32


def test_the_sigmoid_makes_a_probability_of_the_score() -> None:
    torch.manual_seed(0)
    plain, article = Discriminator(16, 4, hidden=8), Discriminator(16, 4, hidden=8, sigmoid=True)
    article.load_state_dict(plain.state_dict())
    images = torch.rand(3, 3, 16, 16)
    assert torch.allclose(article.eval()(images), plain.eval()(images).sigmoid())
