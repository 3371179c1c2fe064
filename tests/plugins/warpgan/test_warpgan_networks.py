"""The networks equal their references, take any size, and do what training asks in one call."""

from __future__ import annotations

from types import ModuleType

from torch import Tensor, nn

from restore.plugins.warpgan.discriminator import Discriminator
from restore.plugins.warpgan.foreign import CODE_BASES, discriminator
from restore.plugins.warpgan.generator import WarpGenerator


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def within(network: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    assert all(key.startswith(f"{network}.") for key in state)
    return {key.removeprefix(f"{network}."): tensor for key, tensor in state.items()}


def test_the_generator_equals_its_reference(golden: ModuleType) -> None:
    fixture = golden.load("warpgan_generator")
    model, state = CODE_BASES["warpgan"].convert(fixture.state())
    assert model == {"controller": "dense", "size": 64, "width": 64, "style": 8, "points": 16}
    network = WarpGenerator(**model).double().eval()
    network.load_state_dict(within("generator", state))

    def answers(picture: Tensor, style: Tensor, scale: Tensor) -> list[Tensor]:
        drawn = network(picture.double(), style.double(), scale.double())
        points, displacements = drawn.points.flatten(1), drawn.displacements.flatten(1)
        content = network.content(picture.double())
        return [content, drawn.encoded_style, drawn.rendered, points, displacements, drawn.picture]

    errors = fixture.errors(answers, "eval", "fp32")
    # recorded in float32 by the reference, whose own noise is what is left
    assert max(errors.values()) < 5e-5, errors


def test_the_discriminator_equals_its_reference(golden: ModuleType) -> None:
    fixture = golden.load("warpgan_discriminator")
    network = Discriminator(64, identities=10).double().eval()
    network.load_state_dict(within("discriminator", discriminator(fixture.state())))

    def answers(picture: Tensor) -> list[Tensor]:
        judgement = network(picture.double())
        return [judgement.patches.permute(0, 2, 3, 1).flatten(0, 2), judgement.identities]

    errors = fixture.errors(answers, "eval", "fp32")
    assert max(errors.values()) < 5e-5, errors
