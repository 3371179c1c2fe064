"""Checkpoints of the original come in whole, in TensorFlow's layout and in torch's."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
import torch
from einops import rearrange
from safetensors.torch import save_file
from torch import Tensor

from restore import registry
from restore.core.errors import WeightsError
from restore.core.weights.convert import import_weights
from restore.core.weights.files import open_weights
from restore.plugins.warpgan.convert import CONVERTERS, rename_keys
from restore.plugins.warpgan.networks.discriminator import Discriminator
from restore.plugins.warpgan.networks.generator import WarpGenerator
from restore.plugins.warpgan.task import WarpGAN

MODEL = {
    "architecture": "warpgan/warp-generator",
    "controller": "dense",
    "size": 64,
    "channels": 2,
    "style": 3,
    "points": 4,
}
DISCRIMINATOR = {"architecture": "warpgan/identity-discriminator", "channels": 2, "embedding": 6, "dropout": 0.0}


@pytest.fixture
def networks() -> dict[str, torch.nn.Module]:
    embedder = Discriminator(64, identities=5, channels=2, embedding=6)
    return {"generator": WarpGenerator(64, 3, 4, 2, "dense"), "discriminator": embedder}


def names(golden: ModuleType, network: str) -> list[str]:
    """What the parameters of a network are called in the original, with dots."""
    return [key for key, _, _ in golden.load(f"warpgan_{network}").facts["state_dict"]]


def as_in_torch(golden: ModuleType, networks: dict[str, torch.nn.Module]) -> dict[str, Tensor]:
    """The networks' parameters under the original's names."""
    state = {}
    for network, module in networks.items():
        for name in names(golden, network):
            (ours,) = rename_keys({name: torch.empty(0)})
            state[name] = module.state_dict()[ours.removeprefix(f"{network}.")].clone()
    state["Decoder.WarpController.ldmark_mean"] = state["Decoder.WarpController.ldmark_mean"].flatten()
    return state


def as_in_tensorflow(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same as TensorFlow has it: other names, other orders of axes."""
    variables = {}
    for name, tensor in state.items():
        layer, _, parameter = name.rpartition(".")
        kind = {"weight": "gamma", "bias": "beta"} if "Norm" in layer else {"weight": "weights", "bias": "biases"}
        if tensor.dim() == 4:
            tensor = rearrange(tensor, "after before h w -> h w before after")
        elif tensor.dim() == 2 and layer in ("Decoder.WarpController.fc1", "Discriminator.Bottleneck"):
            side = 16 if layer.startswith("Decoder") else 2
            tensor = rearrange(tensor, "after (c h w) -> (h w c) after", h=side, w=side)
        elif tensor.dim() == 2:
            tensor = tensor.T
        variables[f"{layer}.{kind.get(parameter, parameter)}".replace(".", "/")] = tensor.contiguous()
    return variables


@pytest.mark.parametrize("layout", ["torch", "tensorflow", "tensorflow:0"])
@pytest.mark.parametrize("with_discriminator", [True, False])
def test_an_imported_checkpoint_is_the_original(
    golden: ModuleType, networks: dict[str, torch.nn.Module], tmp_path: Path, layout: str, with_discriminator: bool
) -> None:
    if not with_discriminator:
        del networks["discriminator"]
    state = as_in_torch(golden, networks)
    if layout != "torch":
        state = as_in_tensorflow(state)
        state = {key + layout.removeprefix("tensorflow"): tensor for key, tensor in state.items()}
    save_file(state, tmp_path / "original.safetensors")
    output = tmp_path / "weights.safetensors"
    report = import_weights(
        tmp_path / "original.safetensors", output, task="warpgan/warpgan", task_type=WarpGAN, converters=CONVERTERS
    )
    assert report.loaded == (66 + 16 if with_discriminator else 66)
    assert {key: report.model[key] for key in MODEL} == MODEL
    assert report.model["identities"] == (5 if with_discriminator else 0)
    assert report.model["discriminator"] == DISCRIMINATOR or not with_discriminator
    _, imported = open_weights(output, registry.get)
    assert set(imported) == set(networks)
    for name, network in networks.items():
        for key, tensor in network.state_dict().items():
            assert torch.equal(imported[name].state_dict()[key], tensor), key


def test_what_is_missing_or_unknown_is_named(
    golden: ModuleType, networks: dict[str, torch.nn.Module], tmp_path: Path
) -> None:
    state = as_in_tensorflow(as_in_torch(golden, networks))
    del state["Decoder/WarpController/fc_diff/biases"]
    state["Decoder/Extra/weights"] = torch.zeros(2, 3)
    save_file(state, tmp_path / "original.safetensors")
    with pytest.raises(WeightsError) as error:
        import_weights(
            tmp_path / "original.safetensors",
            tmp_path / "weights.safetensors",
            task="warpgan/warpgan",
            task_type=WarpGAN,
            converters=CONVERTERS,
        )
    assert "generator.warp.displacements.bias" in str(error.value)
    assert "Decoder.Extra.weight" in str(error.value)


def test_a_discriminator_alone_is_refused(golden: ModuleType, networks: dict[str, torch.nn.Module]) -> None:
    state = as_in_torch(golden, networks)
    embedder = {key: tensor for key, tensor in state.items() if key.startswith("Discriminator")}
    with pytest.raises(WeightsError, match="generator"):
        CONVERTERS["warpgan"].convert(embedder)
