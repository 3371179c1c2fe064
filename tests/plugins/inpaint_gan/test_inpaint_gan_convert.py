"""Checkpoints of other projects come in whole, and draw what they drew there."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from published import import_published
from torch import Tensor, nn

from restore import registry
from restore.core.errors import WeightsError
from restore.core.weights.files import open_weights
from restore.plugins.common.architectures import build_network
from restore.plugins.inpaint_gan.blocks import Norm
from restore.plugins.inpaint_gan.coarse_to_fine import CoarseToFine
from restore.plugins.inpaint_gan.convert import CONVERTERS
from restore.plugins.inpaint_gan.discriminators import ImageDiscriminator, PatchDiscriminator
from restore.plugins.inpaint_gan.settings import ModelSettings
from restore.plugins.inpaint_gan.unet import UNetGenerator


def imported(name: str, state: dict[str, Tensor]) -> Callable[..., Any]:
    """The generator that a converter's rules make of a state, without what is shown to it here."""
    model, tensors = CONVERTERS[name].convert(state)
    network = build_network(ModelSettings(**model))
    network.load_state_dict({key.removeprefix("generator."): tensor for key, tensor in tensors.items()})
    published = CoarseToFine if isinstance(network, CoarseToFine) else UNetGenerator
    return partial(published.forward, network.double().eval())


def published_unet(depth: int, norm: Norm, in_channels: int = 3) -> UNetGenerator:
    """A U-Net as pix2pix builds it: every convolution has a bias beside instance normalization, else only the last."""
    network = UNetGenerator(channels=2, depth=depth, norm=norm, input_channels=in_channels).double().eval()
    for module in network.modules():
        if norm == "instance" and isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            outputs = module.out_channels
            module.bias = nn.Parameter(torch.randn(outputs, dtype=torch.float64))
    if norm == "none":
        last = network.model.model[3]
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d) and module is not last:
                module.bias = None
    return network


def test_deepfill_draws_what_it_drew(golden: ModuleType) -> None:
    fixture = golden.load("dfv1_generator")
    fixture.check(imported("daa233", fixture.state()))


def test_pix2pix_draws_what_it_drew_and_does_not_look_at_the_mask(golden: ModuleType) -> None:
    fixture = golden.load("pix2pix_unet256")
    network = imported("pix2pix", fixture.state())

    def without_mask(image: Tensor) -> Tensor:
        drawn: Tensor = network(torch.cat([image, torch.rand_like(image[:, :1])], dim=1))
        return drawn

    fixture.check(without_mask)


@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
@pytest.mark.parametrize("depth", [2, 3, 6])
def test_depth_width_and_normalization_are_read_off_the_keys(depth: int, norm: Norm) -> None:
    published = published_unet(depth, norm)
    model, _ = CONVERTERS["pix2pix"].convert(published.state_dict())
    shape = {"channels": 2, "depth": depth, "norm": norm}
    assert model.items() >= {"architecture": "inpaint_gan/unet-generator", "start": "gray", **shape}.items()
    image = torch.rand(1, 3, 64, 64, dtype=torch.float64)
    with torch.no_grad():
        drawn = imported("pix2pix", published.state_dict())(torch.cat([image, image[:, :1]], dim=1))
        torch.testing.assert_close(drawn, published(image))


def test_a_network_that_saw_the_mask_keeps_its_weights() -> None:
    published = published_unet(3, "batch", in_channels=4)
    x = torch.rand(1, 4, 16, 16, dtype=torch.float64)
    with torch.no_grad():
        assert torch.equal(imported("pix2pix", published.state_dict())(x), published(x))


@pytest.mark.parametrize(
    ("name", "state", "message"),
    [
        ("daa233", ImageDiscriminator(32, channels=1).state_dict(), "the file holds a discriminator"),
        ("daa233", UNetGenerator(channels=1, depth=2).state_dict(), "no key of the file"),
        ("pix2pix", PatchDiscriminator(3, channels=1).state_dict(), "the file holds a discriminator"),
        ("pix2pix", CoarseToFine(channels=2).state_dict(), "no key of the file"),
        ("pix2pix", {"model.10.conv_block.1.weight": torch.zeros(1)}, "ResNet generator"),
    ],
)
def test_what_is_no_such_generator_is_refused_by_its_name(name: str, state: dict[str, Tensor], message: str) -> None:
    with pytest.raises(WeightsError, match=message):
        CONVERTERS[name].convert(dict(state))


@pytest.mark.parametrize(
    ("published", "converter"), [(published_unet(3, "batch"), "pix2pix"), (CoarseToFine(channels=2), "daa233")]
)
def test_a_checkpoint_becomes_a_weights_file(tmp_path: Path, published: nn.Module, converter: str) -> None:
    report = import_published(tmp_path, {"epoch": 3, "state_dict": published.state_dict()}, "inpaint-gan")
    assert (report.converter, report.differences) == (converter, [])
    _, networks = open_weights(report.output, registry.get)
    restored = networks["generator"].state_dict()
    last = "model.model.3.weight" if converter == "pix2pix" else "fine_generator.allconv17.conv.weight"
    assert torch.equal(restored[last], published.state_dict()[last].float())


def test_an_import_names_every_key_that_does_not_fit(tmp_path: Path) -> None:
    state = CoarseToFine(channels=4).state_dict()
    del state["fine_generator.pmconv9.conv.bias"]
    state["coarse_generator.conv5.conv.weight"] = state["coarse_generator.conv5.conv.weight"][:3]
    state["fine_generator.conv18.conv.weight"] = torch.zeros(1)
    with pytest.raises(WeightsError) as refusal:
        import_published(tmp_path, state, "inpaint-gan")
    for key in ("pmconv9.conv.bias", "coarse_generator.conv5.conv.weight", "fine_generator.conv18.conv.weight"):
        assert key in str(refusal.value)
