"""Published checkpoints come in, of any width, and nothing else does."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from published import import_published
from torch import Tensor

from restore import registry
from restore.core.errors import WeightsError
from restore.core.weights.files import open_weights
from restore.plugins.lbam.convert import CONVERTERS
from restore.plugins.lbam.generator import Generator

NUMBERS = ("a", "mu", "sigma1", "sigma2")
REFERENCE = [
    *(
        f"ec{level}.conv.{part}"
        for level in range(1, 8)
        for part in ("conv.weight", "maskConv.weight", *(f"activationFuncG_A.{number}" for number in NUMBERS))
    ),
    *(
        f"reverseConv{level}.{part}"
        for level in range(1, 7)
        for part in ("reverseMaskConv.weight", *(f"activationFuncG_A.{number}" for number in NUMBERS))
    ),
    *(f"dc{level}.conv.weight" for level in range(1, 7)),
    "dc7.weight",
]
"""The 79 names of the published generator, in its order, which is that of the network here."""


def published(channels: int) -> tuple[Generator, dict[str, Tensor]]:
    torch.manual_seed(0)
    network = Generator(channels)
    tensors = list(network.state_dict().values())
    return network, dict(zip(REFERENCE, tensors, strict=True))


@pytest.mark.parametrize("prefix", ["", "module."])
@pytest.mark.parametrize("channels", [2, 5])
def test_a_published_checkpoint_becomes_a_weights_file_of_its_width(tmp_path: Path, prefix: str, channels: int) -> None:
    network, state = published(channels)
    report = import_published(tmp_path, {prefix + key: tensor for key, tensor in state.items()}, "lbam")
    own = {"prefill": "none", "channels": channels, "levels": 7, "blocks": 0, "detail": False}
    assert report.model == {"architecture": "lbam/generator", "window": None, **own}
    assert (report.loaded, report.differences) == (79, [])
    _, networks = open_weights(report.output, registry.get)
    image, hole = torch.rand(1, 3, 128, 128), (torch.rand(1, 1, 128, 128) > 0.5).float()
    with torch.no_grad():
        assert torch.equal(networks["generator"](image, hole), network(image, hole))


def test_names_that_are_too_many_or_too_few_are_told(tmp_path: Path) -> None:
    _, state = published(2)
    del state["reverseConv3.activationFuncG_A.mu"]
    state["ec2.conv.bn.weight"] = torch.zeros(2)  # of releases that still normalized
    with pytest.raises(WeightsError) as refusal:
        import_published(tmp_path, state, "lbam")
    assert "generator.reverse.2.activation.center" in str(refusal.value)
    assert "ec2.conv.bn.weight" in str(refusal.value)
    assert not (tmp_path / "weights.safetensors").exists()


def test_a_discriminator_and_strange_states_are_refused_by_name() -> None:
    convert = CONVERTERS["lbam-pytorch"].convert
    with pytest.raises(WeightsError, match="the file holds a discriminator"):
        convert({"globalConv.0.weight": torch.zeros(1), "fusionLayer.0.bias": torch.zeros(1)})
    with pytest.raises(WeightsError, match="no key of the file"):
        convert({"conv_first.weight": torch.zeros(1)})
