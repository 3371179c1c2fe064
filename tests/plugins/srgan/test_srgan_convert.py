from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import torch
from published import import_published
from torch import Tensor, nn

from restore import registry
from restore.core.errors import WeightsError
from restore.core.weights.files import open_weights
from restore.plugins.common.architectures import build_network
from restore.plugins.srgan.convert import CONVERTERS, discriminator
from restore.plugins.srgan.discriminator import Discriminator
from restore.plugins.srgan.settings import ModelSettings

PUBLISHED = {
    "seed_srresnet_x4": "article",
    "lornatang_srresnet_x4": "lornatang",
    "basicsr_msrresnet_x2": "basicsr",
    "basicsr_msrresnet_x4": "basicsr",
}


def without(network: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    assert all(key.startswith(f"{network}.") for key in state)
    return {key.removeprefix(f"{network}."): tensor for key, tensor in state.items()}


@pytest.mark.parametrize("fixture", PUBLISHED)
def test_an_imported_generator_computes_what_its_reference_does(golden: ModuleType, fixture: str) -> None:
    reference = golden.load(fixture)
    model, state = CONVERTERS[PUBLISHED[fixture]].convert(reference.state())

    def build() -> nn.Module:
        network = build_network(ModelSettings(**model), scale=model["scale"])
        network.load_state_dict(without("generator", state))
        return network

    reference.check_module(build)


@pytest.mark.parametrize(("fixture", "sigmoid"), [("seed_srgan_d", True), ("lornatang_srgan_d", False)])
def test_an_imported_discriminator_computes_what_its_reference_does(
    golden: ModuleType, fixture: str, sigmoid: bool
) -> None:
    reference = golden.load(fixture)
    state = without("discriminator", discriminator(reference.state()))

    def build() -> nn.Module:
        network = Discriminator(sigmoid=sigmoid)
        network.load_state_dict(state)
        return network

    reference.check_module(build)


def article_state(scale: int = 4, channels: int = 6, blocks: int = 2) -> dict[str, Tensor]:
    factors = {2: (2,), 3: (3,), 4: (2, 2), 8: (2, 2, 2)}[scale]
    state = {"convolutional_block1.0.weight": torch.zeros(channels, 3, 9, 9)}
    state |= {f"res_trunk.{n}.rc_block.0.weight": torch.zeros(channels, channels, 3, 3) for n in range(blocks)}
    for stage, factor in enumerate(factors):
        state[f"upsampling.{3 * stage}.weight"] = torch.zeros(channels * factor**2, channels, 3, 3)
    return state


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_scale_width_and_depth_are_read_off_the_shapes(scale: int) -> None:
    model, _ = CONVERTERS["article"].convert(article_state(scale, channels=6, blocks=11))
    assert model == {"architecture": "srgan/srresnet", "scale": scale, "channels": 6, "blocks": 11}


def test_a_key_that_no_rule_knows_keeps_its_name() -> None:
    state = article_state() | {"upsampling.x.weight": torch.zeros(1), "more.bias": torch.zeros(1)}
    _, renamed = CONVERTERS["article"].convert(state)
    assert {key for key in renamed if not key.startswith("generator.")} == {"upsampling.x.weight", "more.bias"}


def test_a_missing_layer_does_not_hide_what_the_others_show() -> None:
    state = article_state(8)
    del state["upsampling.3.weight"]
    model, _ = CONVERTERS["article"].convert(state)
    assert model["scale"] == 8


@pytest.mark.parametrize("convert", [converter.convert for converter in CONVERTERS.values()])
def test_a_discriminator_is_refused_by_its_name(convert: Callable[..., object]) -> None:
    keys = ("features.0.weight", "features.2.weight", "features.3.running_mean", "classifier.2.bias")
    with pytest.raises(WeightsError, match="the file holds a discriminator"):
        convert({key: torch.zeros(1) for key in keys})


@pytest.mark.parametrize("name", ["lornatang", "basicsr"])
def test_a_state_of_another_project_is_refused(name: str) -> None:
    with pytest.raises(WeightsError, match="no key of the file"):
        CONVERTERS[name].convert(article_state())


@pytest.mark.parametrize(
    ("fixture", "wrapped"),
    [
        ("seed_srresnet_x4", lambda state: state),
        ("lornatang_srresnet_x4", lambda state: {"epoch": 3, "state_dict": state}),
        ("basicsr_msrresnet_x2", lambda state: {"params": state}),
        ("basicsr_msrresnet_x4", lambda state: {"params_ema": state}),
    ],
)
def test_a_published_checkpoint_becomes_a_weights_file(
    golden: ModuleType, tmp_path: Path, fixture: str, wrapped: Callable[[dict[str, Tensor]], object]
) -> None:
    reference = golden.load(fixture)
    report = import_published(tmp_path, wrapped(reference.state()), "srgan")
    assert (report.converter, report.loaded, report.differences) == (PUBLISHED[fixture], len(reference.state()), [])
    _, networks = open_weights(report.output, registry.get)
    reference.check(networks["generator"].double().eval())


def test_an_import_names_every_key_that_does_not_fit(golden: ModuleType, tmp_path: Path) -> None:
    state = golden.load("basicsr_msrresnet_x4").state()
    del state["conv_hr.bias"]
    state["body.3.conv1.weight"] = state["body.3.conv1.weight"][:32]
    state["body.3.conv3.weight"] = torch.zeros(1)
    with pytest.raises(WeightsError) as refusal:
        import_published(tmp_path, state, "srgan")
    for key in ("generator.detail.bias", "generator.body.3.conv1.weight", "body.3.conv3.weight"):
        assert key in str(refusal.value)
    assert not (tmp_path / "weights.safetensors").exists()
