"""The networks, and what they are made of, equal the recorded numbers of the published code."""

from __future__ import annotations

from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from restore.plugins.lbam.attention import update_mask
from restore.plugins.lbam.convert import CONVERTERS, discriminator
from restore.plugins.lbam.discriminator import Discriminator
from restore.plugins.lbam.generator import Generator


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_the_generator_equals_its_reference(golden: ModuleType) -> None:
    fixture = golden.load("lbam_generator")
    model, state = CONVERTERS["lbam-pytorch"].convert(fixture.state())
    assert model.pop("architecture") == "lbam/generator"
    assert model == {"channels": 64, "prefill": "none"}
    network = Generator(**model)
    network.load_state_dict({key.removeprefix("generator."): tensor for key, tensor in state.items()})
    assert parameters(network) == 68_304_948
    assert len(network.state_dict()) == 79

    def answer(x: Tensor, mask: Tensor) -> Tensor:
        """The reference takes four channels and a mask of three, one where known."""
        assert torch.equal(x[:, 3:], mask[:, :1])
        filled: Tensor = network(x[:, :3], 1 - mask[:, :1])
        return filled

    network.double()
    fixture.check(answer)
    with pytest.raises(AssertionError):
        fixture.check(lambda x, mask: network(x[:, :3], mask[:, :1]))


@pytest.mark.parametrize("mode", ["eval", "train"])
def test_the_published_discriminator_equals_its_reference(golden: ModuleType, mode: str) -> None:
    fixture = golden.load("lbam_discriminator")
    network = Discriminator(published=True)
    network.load_state_dict(discriminator(fixture.state()))
    assert parameters(network) == 22_316_417
    assert len(network.state_dict()) == 76
    network.double().train(mode == "train")
    fixture.check(lambda image, mask: network(image, 1 - mask[:, :1]), mode)


def test_the_update_of_masks_equals_its_reference(golden: ModuleType) -> None:
    golden.load("lbam_mask_update").check(update_mask)
