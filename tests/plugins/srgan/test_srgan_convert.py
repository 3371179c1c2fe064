from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import torch
import torch.nn.functional as F
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


# --- other namings of the same network ------------------------------------------------------------------------

CHANNELS, BLOCKS = 4, 2


class Drawn:
    """Draws the layers of a checkpoint by their names there."""

    def __init__(self) -> None:
        self.state: dict[str, Tensor] = {}
        self.generator = torch.Generator().manual_seed(0)

    def conv(self, name: str, out: int, into: int, side: int = 3, *, bias: bool = True) -> None:
        self.state[f"{name}.weight"] = torch.randn(out, into, side, side, generator=self.generator) * 0.1
        if bias:
            self.state[f"{name}.bias"] = torch.randn(out, generator=self.generator) * 0.1

    def norm(self, name: str) -> None:
        for key in ("weight", "bias", "running_mean"):
            self.state[f"{name}.{key}"] = torch.randn(CHANNELS, generator=self.generator)
        self.state[f"{name}.running_var"] = torch.rand(CHANNELS, generator=self.generator) + 0.5
        self.state[f"{name}.num_batches_tracked"] = torch.tensor(1)

    def slope(self, name: str, value: float = 0.3) -> None:
        self.state[f"{name}.weight"] = torch.full((1,), value)


def computed(state: dict[str, Tensor], names: dict[str, str], image: Tensor, slope: float | None = None) -> Tensor:
    """What SRResNet computes, in plain functions, from a state whose layers have other names."""

    def conv(x: Tensor, name: str) -> Tensor:
        weight = state[f"{names[name]}.weight"].double()
        bias = state.get(f"{names[name]}.bias")
        return F.conv2d(x, weight, None if bias is None else bias.double(), padding=weight.shape[-1] // 2)

    def norm(x: Tensor, name: str) -> Tensor:
        mean, var, weight, bias = (
            state[f"{names[name]}.{key}"].double() for key in ("running_mean", "running_var", "weight", "bias")
        )
        return F.batch_norm(x, mean, var, weight, bias)

    def act(x: Tensor, name: str) -> Tensor:
        return F.prelu(x, state[f"{names[name]}.weight"].double()) if slope is None else F.leaky_relu(x, slope)

    shallow = x = act(conv(image, "first"), "activation")
    for n in range(BLOCKS):
        inner = act(norm(conv(x, f"body.{n}.conv1"), f"body.{n}.norm1"), f"body.{n}.activation")
        x = x + norm(conv(inner, f"body.{n}.conv2"), f"body.{n}.norm2")
    x = shallow + norm(conv(x, "fusion"), "norm")
    for stage in range(2):
        x = act(F.pixel_shuffle(conv(x, f"upscale.{stage}.conv"), 2), f"upscale.{stage}.activation")
    return conv(x, "last")


def draw(names: dict[str, str], *, biases: bool, slopes: bool = True, edges: bool = True) -> dict[str, Tensor]:
    """Draw a checkpoint: ``biases`` before norms, ``slopes`` of PReLU, biases of the other layers (``edges``)."""
    drawn = Drawn()
    for ours, theirs in names.items():
        kind = ours.rpartition(".")[2]
        if kind.startswith("norm"):
            drawn.norm(theirs)
        elif kind == "activation":
            if slopes:
                drawn.slope(theirs)
        elif ours in ("first", "last"):
            drawn.conv(theirs, *((CHANNELS, 3) if ours == "first" else (3, CHANNELS)), 9, bias=edges)
        elif ours.startswith("upscale"):
            drawn.conv(theirs, 4 * CHANNELS, CHANNELS, bias=edges)
        else:
            drawn.conv(theirs, CHANNELS, CHANNELS, bias=biases)
    return drawn.state


def lornatang_2022() -> dict[str, str]:
    names = {
        "first": "conv_block1.0",
        "activation": "conv_block1.1",
        "fusion": "conv_block2.0",
        "norm": "conv_block2.1",
    }
    for n in range(BLOCKS):
        for place, part in enumerate(("conv1", "norm1", "activation", "conv2", "norm2")):
            names[f"body.{n}.{part}"] = f"trunk.{n}.rcb.{place}"
    for stage in range(2):
        names[f"upscale.{stage}.conv"] = f"upsampling.{stage}.upsample_block.0"
        names[f"upscale.{stage}.activation"] = f"upsampling.{stage}.upsample_block.2"
    return names | {"last": "conv_block3"}


def sgrvinod() -> dict[str, str]:
    names = {"first": "conv_block1.conv_block.0", "activation": "conv_block1.conv_block.1"}
    for n in range(BLOCKS):
        for place, part in enumerate(("conv1", "norm1", "activation", "conv2", "norm2")):
            block = f"residual_blocks.{n}.conv_block{place // 3 + 1}"
            names[f"body.{n}.{part}"] = f"{block}.conv_block.{place % 3}"
    names |= {"fusion": "conv_block2.conv_block.0", "norm": "conv_block2.conv_block.1"}
    for stage in range(2):
        names[f"upscale.{stage}.conv"] = f"subpixel_convolutional_blocks.{stage}.conv"
        names[f"upscale.{stage}.activation"] = f"subpixel_convolutional_blocks.{stage}.prelu"
    return names | {"last": "conv_block3.conv_block.0"}


def leftthomas() -> dict[str, str]:
    names = {"first": "block1.0", "activation": "block1.1"}
    for n in range(BLOCKS):
        for theirs, part in zip(
            ("conv1", "bn1", "prelu", "conv2", "bn2"), ("conv1", "norm1", "activation", "conv2", "norm2"), strict=True
        ):
            names[f"body.{n}.{part}"] = f"block{n + 2}.{theirs}"
    names |= {"fusion": "block7.0", "norm": "block7.1"}
    for stage in range(2):
        names[f"upscale.{stage}.conv"] = f"block8.{stage}.conv"
        names[f"upscale.{stage}.activation"] = f"block8.{stage}.prelu"
    return names | {"last": "block8.2"}


def twtygqyy() -> dict[str, str]:
    names = {"first": "conv_input", "activation": ""}
    for n in range(BLOCKS):
        for theirs, part in (("conv1", "conv1"), ("bn1", "norm1"), ("conv2", "conv2"), ("bn2", "norm2")):
            names[f"body.{n}.{part}"] = f"residual.{n}.{theirs}"
        names[f"body.{n}.activation"] = ""
    names |= {"fusion": "conv_mid", "norm": "bn_mid"}
    for stage in range(2):
        names[f"upscale.{stage}.conv"] = f"upscale4x.{3 * stage}"
        names[f"upscale.{stage}.activation"] = ""
    return names | {"last": "conv_output"}


def normalized(image: Tensor) -> Tensor:
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return (image - mean.double()[:, None, None]) / std.double()[:, None, None]


def with_tanh(image: Tensor) -> Tensor:
    return (image.tanh() + 1) / 2


NAMINGS: dict[str, tuple[dict[str, Tensor], Callable[[Tensor], Tensor]]] = {
    "lornatang": (
        draw(lornatang_2022(), biases=False),
        lambda x: computed(draw(lornatang_2022(), biases=False), lornatang_2022(), x).clamp(0, 1),
    ),
    "sgrvinod": (
        draw(sgrvinod(), biases=True),
        lambda x: with_tanh(computed(draw(sgrvinod(), biases=True), sgrvinod(), normalized(x))),
    ),
    "leftthomas": (
        draw(leftthomas(), biases=True),
        lambda x: with_tanh(computed(draw(leftthomas(), biases=True), leftthomas(), x)),
    ),
    "twtygqyy": (
        draw(twtygqyy(), biases=False, slopes=False, edges=False),
        lambda x: computed(draw(twtygqyy(), biases=False, slopes=False, edges=False), twtygqyy(), x, slope=0.2),
    ),
}


@pytest.mark.parametrize("prefix", ["", "net.", "module.", "generator."])
@pytest.mark.parametrize("naming", NAMINGS)
def test_other_namings_of_the_generator_compute_what_they_did(tmp_path: Path, naming: str, prefix: str) -> None:
    state, reference = NAMINGS[naming]
    report = import_published(
        tmp_path, {"epoch": 1, "state_dict": {f"{prefix}{k}": v for k, v in state.items()}}, "srgan"
    )
    assert report.converter == naming
    assert (report.model["channels"], report.model["scale"]) == (CHANNELS, 4)
    _, networks = open_weights(report.output, registry.get)
    image = torch.rand(1, 3, 9, 11, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    found = networks["generator"].double().eval()(image)
    # a bias that moved into a mean, and a slope of 0.2, are rounded to float32
    torch.testing.assert_close(found, reference(image), rtol=0, atol=1e-6)


def test_the_generator_of_mmagic_is_found_beside_its_discriminator(golden: ModuleType, tmp_path: Path) -> None:
    reference = golden.load("basicsr_msrresnet_x4")
    renamed = {
        key.replace("body.", "trunk_net.")
        .replace("upconv1.", "upsample1.upsample_conv.")
        .replace("upconv2.", "upsample2.upsample_conv."): tensor
        for key, tensor in reference.state().items()
    }
    content = {f"generator.{key}": tensor for key, tensor in renamed.items()}
    content |= {"discriminator.conv.weight": torch.zeros(1), "step_counter": torch.tensor(3)}
    report = import_published(tmp_path, {"meta": {"epoch": 1}, "state_dict": content}, "srgan")
    assert "removed: the prefix generator. (1 tensor without it left out: discriminator.)" in report.notes
    _, networks = open_weights(report.output, registry.get)
    reference.check(networks["generator"].double().eval())


def test_the_earlier_network_of_esrgans_authors_is_refused_by_its_name(tmp_path: Path) -> None:
    drawn = Drawn()
    drawn.conv("model.0", 4, 3)
    for n in range(2):
        drawn.conv(f"model.1.sub.{n}.res.0", 4, 4)
        drawn.conv(f"model.1.sub.{n}.res.2", 4, 4)
    for name in ("model.1.sub.2", "model.8"):
        drawn.conv(name, 4, 4)
    with pytest.raises(WeightsError, match="the earlier SRResNet of ESRGAN's authors"):
        import_published(tmp_path, drawn.state, "srgan")


def test_the_first_network_of_leftthomas_is_refused_by_its_name(tmp_path: Path) -> None:
    drawn = Drawn()
    for number in range(1, 6):
        drawn.conv(f"conv{number}", 4, 4)
    drawn.slope("prelu")
    with pytest.raises(WeightsError, match=r"the first network of leftthomas/SRGAN \(five convolutions\)"):
        import_published(tmp_path, drawn.state, "srgan")
