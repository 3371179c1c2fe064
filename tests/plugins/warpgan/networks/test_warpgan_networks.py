"""The networks equal their references, take any size, and do what training asks in one call."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from restore.plugins.warpgan.convert import CONVERTERS, rename_keys
from restore.plugins.warpgan.networks.discriminator import Discriminator
from restore.plugins.warpgan.networks.generator import WarpGenerator
from restore.plugins.warpgan.networks.layers import pad_by_reflection
from restore.plugins.warpgan.networks.warp_controller import WarpController, fields


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def within(network: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    assert all(key.startswith(f"{network}.") for key in state)
    return {key.removeprefix(f"{network}."): tensor for key, tensor in state.items()}


def test_the_generator_equals_its_reference(golden: ModuleType) -> None:
    fixture = golden.load("warpgan_generator")
    model, state = CONVERTERS["warpgan"].convert(fixture.state())
    assert model.pop("architecture") == "warpgan/warp-generator"
    assert model == {"controller": "dense", "size": 64, "channels": 64, "style": 8, "points": 16}
    network = WarpGenerator(**model).double().eval()
    network.load_state_dict(within("generator", state))

    def answers(image: Tensor, style: Tensor, scale: Tensor) -> list[Tensor]:
        drawn = network(image.double(), style.double(), scale.double())
        points, displacements = drawn.points.flatten(1), drawn.displacements.flatten(1)
        content = network.content(image.double())
        return [content, drawn.encoded_style, drawn.rendered, points, displacements, drawn.image]

    errors = fixture.errors(answers, "eval", "fp32")
    # recorded in float32 by the reference, whose own noise is what is left
    assert max(errors.values()) < 5e-5, errors


def test_the_discriminator_equals_its_reference(golden: ModuleType) -> None:
    fixture = golden.load("warpgan_discriminator")
    network = Discriminator(64, identities=10).double().eval()
    network.load_state_dict(within("discriminator", rename_keys(fixture.state())))

    def answers(image: Tensor) -> list[Tensor]:
        output = network(image.double())
        return [output.patches.permute(0, 2, 3, 1).flatten(0, 2), output.identities]

    errors = fixture.errors(answers, "eval", "fp32")
    assert max(errors.values()) < 5e-5, errors


def test_parameters_are_as_many_as_published() -> None:
    with torch.device("meta"):
        published, pooled = WarpGenerator(256, controller="dense"), WarpGenerator(256)
        discriminator = Discriminator(256, identities=126)
    assert parameters(published) == 143_757_899
    assert len(published.state_dict()) == 66
    assert parameters(published.content) + parameters(published.style) == 4_874_952
    assert parameters(discriminator) == 19_760_989
    assert len(discriminator.state_dict()) == 16
    assert parameters(pooled) < 0.1 * parameters(published)
    assert parameters(pooled.warp) < 0.01 * parameters(published.warp)


def small(**changes: Any) -> WarpGenerator:
    torch.manual_seed(0)
    network = WarpGenerator(**{"channels": 4, "points": 5, **changes})
    nn.init.normal_(network.decoder.last.weight, std=0.1)  # starts at zero
    return network.eval()


def equal(one: Tensor, other: Tensor) -> None:
    torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("size", [(32, 32), (21, 38), (8, 9)])
def test_the_pooled_generator_takes_any_size(size: tuple[int, int]) -> None:
    drawing = small()(2 * torch.rand(2, 3, *size) - 1, torch.randn(2, 8))
    assert drawing.image.shape == drawing.rendered.shape == (2, 3, *size)
    assert drawing.points.shape == drawing.displacements.shape == (2, 5, 2)
    assert drawing.flow.shape == (2, 2, *size)
    assert drawing.image.abs().max() <= 1
    assert drawing.reconstructed is None


def test_points_and_displacements_grow_with_the_image() -> None:
    network, content = WarpController(None, channels=8, points=3), torch.randn(1, 8, 4, 4)
    (points, moves), (larger, further) = network(content, 64, 64), network(content, 128, 192)
    equal(larger, points * torch.tensor([2.0, 3.0]))
    equal(further, moves * torch.tensor([2.0, 3.0]))


@pytest.mark.parametrize("size", [None, 64])
def test_points_begin_inside_the_image_and_hardly_move(size: int | None) -> None:
    torch.manual_seed(0)
    drawing = WarpGenerator(size, channels=4, points=100)(torch.rand(2, 3, 64, 64))
    assert ((drawing.points >= 0) & (drawing.points <= 63)).float().mean() > 0.95
    assert 0.1 < drawing.displacements.abs().mean() < 2


def test_one_call_draws_some_images_and_reconstructs_all() -> None:
    network, images = small(), 2 * torch.rand(5, 3, 16, 16) - 1
    style, scale = torch.randn(2, 8), torch.tensor([1.0, -2.0])
    at_once = network(images, style, scale, reconstruct=True)
    alone = network(images[:2], style, scale)
    for name in ("image", "rendered", "points", "displacements", "flow"):
        equal(getattr(at_once, name), getattr(alone, name))
    own = network(images)
    equal(at_once.encoded_style, own.encoded_style)
    equal(at_once.reconstructed, own.rendered)


def test_one_call_uses_every_parameter() -> None:
    network, images = small(), torch.rand(3, 3, 16, 16)
    drawing = network(images, torch.randn(2, 8), reconstruct=True)
    assert drawing.reconstructed is not None
    loss = drawing.image.square().sum() + drawing.reconstructed.square().sum()
    gradients = torch.autograd.grad(loss, list(network.parameters()))
    assert all(gradient.abs().sum() > 0 for gradient in gradients)


def test_scale_exaggerates_and_zero_does_not_warp() -> None:
    network, images, style = small(), 2 * torch.rand(2, 3, 16, 16) - 1, torch.randn(2, 8)
    plain, none, twice = (network(images, style, scale) for scale in (None, torch.zeros(2), torch.full((2,), 2.0)))
    equal(none.image, none.rendered)
    equal(twice.displacements, 2 * plain.displacements)
    assert (plain.image - plain.rendered).abs().max() > 1e-3


def test_the_style_changes_texture_and_not_shape() -> None:
    network, images = small(), 2 * torch.rand(1, 3, 16, 16) - 1
    one, other = (network(images, torch.randn(1, 8)) for _ in range(2))
    assert (one.rendered - other.rendered).abs().max() > 0.01
    equal(one.points, other.points)


def test_the_dense_controller_says_which_size_it_takes() -> None:
    with pytest.raises(ValueError, match="needs the size"):
        WarpGenerator(controller="dense", channels=2)
    with pytest.raises(ValueError, match="32 x 32 pixels, not 16 x 32"):
        WarpGenerator(32, controller="dense", channels=2)(torch.zeros(1, 3, 32, 16))
    assert WarpGenerator(32, controller="dense", channels=2)(torch.zeros(1, 3, 32, 32)).image.shape == (1, 3, 32, 32)


def test_images_that_cannot_be_reflected_are_refused() -> None:
    with pytest.raises(ValueError, match="8 x 8 pixels or more, not 9 x 7"):
        small()(torch.zeros(1, 3, 7, 9))
    with pytest.raises(ValueError, match="32 x 32 pixels or more, not 16"):
        Discriminator(16, identities=2)
    with pytest.raises(ValueError, match="32 x 32 pixels or more, not 40 x 31"):
        Discriminator(None, identities=2, channels=2)(torch.zeros(1, 3, 31, 40))


def test_dropout_acts_while_training_alone() -> None:
    # so many channels that two draws are never the same, whatever torch makes of a seed
    network, images = small(dropout=0.5, channels=16), 2 * torch.rand(1, 3, 16, 16) - 1
    embedder = Discriminator(32, identities=3, channels=2, dropout=0.5).eval()
    for of, given in ((network, (images, torch.randn(1, 8))), (embedder, (torch.rand(1, 3, 32, 32),))):
        assert torch.equal(of(*given)[0], of(*given)[0])
    network.train()
    style = torch.randn(1, 8)
    one, other = network(images, style), network(images, style)
    assert not torch.equal(one.points, other.points)
    assert not torch.equal(one.rendered, other.rendered)
    embedder.train()
    image = torch.rand(1, 3, 32, 32)
    assert not torch.equal(embedder(image).identities, embedder(image).identities)
    plain = small(dropout=0.0).train()
    assert torch.equal(plain(images, style).image, plain(images, style).image)


def test_embeddings_have_length_one() -> None:
    output = Discriminator(64, identities=7, channels=2, embedding=16)(torch.rand(3, 3, 64, 64))
    assert output.patches.shape == (3, 3, 2, 2)
    assert output.identities.shape == (3, 21)
    equal(output.embedding.norm(dim=1), torch.ones(3))


def test_the_discriminator_without_a_size_takes_any() -> None:
    network = Discriminator(None, identities=2, channels=2, embedding=8)
    assert network(torch.rand(1, 3, 33, 70)).identities.shape == (1, 6)
    with pytest.raises(ValueError, match="64 x 64 pixels, not 32 x 64"):
        Discriminator(64, identities=2, channels=2)(torch.zeros(1, 3, 64, 32))


def test_networks_are_exact_enough_in_bfloat16() -> None:
    images, style = 2 * torch.rand(1, 3, 32, 32) - 1, torch.randn(1, 8)
    network, embedder = small(), Discriminator(32, identities=3, channels=2)
    exact, score = network(images, style), embedder(images)
    with torch.autocast("cpu", torch.bfloat16):
        drawing, output = network(images, style), embedder(images)
    assert {part.dtype for part in (*drawing[:-1], *output)} == {torch.float32}
    assert (drawing.image - exact.image).abs().mean() < 0.05
    assert (output.embedding - score.embedding).abs().max() < 0.1


def test_means_of_fields_are_means_whatever_the_size() -> None:
    x = torch.rand(2, 3, 8, 12)
    equal(fields(x, 4), x.unflatten(2, (4, 2)).unflatten(4, (4, 3)).mean((3, 5)))
    equal(fields(torch.full((1, 1, 7, 2), 5.0), 4), torch.full((1, 1, 4, 4), 5.0))
    equal(fields(torch.arange(6.0).expand(1, 1, 6, 6), 4)[0, 0, 0], torch.tensor([1 / 3, 5 / 3, 10 / 3, 14 / 3]))


def test_reflection_without_torchs_own_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.rand(1, 2, 5, 6)
    wanted = pad_by_reflection(x, 3)
    monkeypatch.setattr(Tensor, "is_cuda", True)
    monkeypatch.setattr(torch, "are_deterministic_algorithms_enabled", lambda: True)
    assert torch.equal(pad_by_reflection(x, 3), wanted)
