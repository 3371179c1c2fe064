"""RRDBNet and SRVGGNetCompact: against recorded answers, against their definitions, and the files of other projects."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from einops import rearrange
from published import import_published
from torch import Tensor, nn

from restore import registry
from restore.core.errors import WeightsError
from restore.core.weights.files import open_weights
from restore.plugins.srgan.rrdbnet import RRDBNet
from restore.plugins.srgan.srvggnet import SRVGGNetCompact

pytestmark = pytest.mark.usefixtures("one_thread", "seeded")


def small(scale: int, **changes: Any) -> RRDBNet:
    return RRDBNet(scale, **{"channels": 6, "blocks": 2, "growth": 4, **changes})


def test_rrdbnet_equals_its_reference(golden: ModuleType) -> None:
    reference = golden.load("basicsr_rrdbnet_x4")

    def build() -> nn.Module:
        network = RRDBNet()
        network.load_state_dict(reference.state())
        return network

    reference.check_module(build)


def test_rrdbnet_has_the_published_size_and_names(golden: ModuleType) -> None:
    network = RRDBNet()
    shapes = [[key, list(tensor.shape), "float32"] for key, tensor in network.state_dict().items()]
    assert shapes == golden.load("basicsr_rrdbnet_x4").facts["state_dict"]
    assert sum(parameter.numel() for parameter in network.parameters()) == 16_697_987


@pytest.mark.parametrize(("scale", "factor"), [(2, 2), (1, 4)])
def test_small_scales_are_scale_four_on_unshuffled_pixels(scale: int, factor: int) -> None:
    network = small(scale).eval()
    image = torch.rand(2, 3, 16, 24)
    moved = torch.stack(
        [image[:, :, row::factor, column::factor] for row in range(factor) for column in range(factor)], dim=2
    ).flatten(1, 2)
    four = small(4)
    four.conv_first = nn.Conv2d(3 * factor**2, 6, 3, padding=1)
    four.load_state_dict(network.state_dict())
    assert torch.allclose(network(image), four(moved), atol=1e-6)
    assert network(image).shape == (2, 3, 16 * scale, 24 * scale)


@pytest.mark.parametrize("scale", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("unshuffle", [False, True])
def test_images_of_any_size_are_upscaled_by_the_scale(scale: int, unshuffle: bool) -> None:
    for height, width in ((5, 7), (1, 3)):
        image = torch.rand(1, 3, height, width)
        assert small(scale, unshuffle=unshuffle)(image).shape == (1, 3, height * scale, width * scale)
        assert SRVGGNetCompact(scale, 4, 1)(image).shape == (1, 3, height * scale, width * scale)


@pytest.mark.parametrize(
    ("network", "scale"),
    [
        (small(1), 1),
        (small(1, blocks=1, unshuffle=False), 1),
        (small(2, blocks=1), 2),
        (small(4, blocks=1), 4),
        (small(3, blocks=2), 3),
        (SRVGGNetCompact(2, 4, 3), 2),
        (SRVGGNetCompact(4, 4, 5), 4),
    ],
)
def test_an_exact_halo_is_the_reach_of_an_output_pixel(network: nn.Module, scale: int) -> None:
    tiling: Any = network.tiling
    step = tiling.multiple_of
    network = network.double()
    for module in network.modules():  # positive weights, so that no path cancels another
        if isinstance(module, nn.Conv2d):
            nn.init.constant_(module.weight, 1 / module.weight[0].numel())
    middle = (tiling.halo if tiling.mode == "exact" else 80) + 4 * step
    middle += -middle % step
    image = torch.rand(1, 3, 2 * middle, 2 * middle, dtype=torch.float64, requires_grad=True)
    output = network(image)
    reaches = []
    for place in range(scale * step):
        (slope,) = torch.autograd.grad(output[0, 0, middle * scale + place, middle * scale], image, retain_graph=True)
        rows = slope.abs().sum((0, 1, 3)).nonzero().flatten()
        reaches.append(max(middle - int(rows.min()), int(rows.max()) - (middle + step - 1)))
    if tiling.mode == "exact":
        assert max(reaches) <= tiling.halo < max(reaches) + 2 * step
    else:
        assert max(reaches) > 64


def test_srvggnet_is_a_chain_with_a_shuffle_and_the_nearest_pixel() -> None:
    network = SRVGGNetCompact(2, 5, 1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn_like(parameter))
    state, image = network.state_dict(), torch.rand(1, 3, 6, 7)
    x = image
    for place in (0, 2, 4):
        x = F.conv2d(x, state[f"body.{place}.weight"], state[f"body.{place}.bias"], padding=1)
        if place < 4:
            x = torch.where(x > 0, x, x * state[f"body.{place + 1}.weight"][None, :, None, None])
    expected = image.repeat_interleave(2, -1).repeat_interleave(2, -2)
    for row in range(2):
        for column in range(2):
            expected[..., row::2, column::2] += x[:, 2 * row + column :: 4]
    assert torch.allclose(network(image), expected, atol=1e-5)


def test_srvggnet_has_the_published_size_and_starts_near_the_nearest_pixel() -> None:
    for convolutions, expected in ((16, 621_424), (32, 1_213_296)):
        parameters = SRVGGNetCompact(4, 64, convolutions).parameters()
        assert sum(parameter.numel() for parameter in parameters) == expected
    image = torch.rand(1, 3, 12, 12)
    with torch.no_grad():
        detail = SRVGGNetCompact(4)(image) - F.interpolate(image, scale_factor=4, mode="nearest")
    assert float(detail.abs().mean()) < 0.1
    places = rearrange(detail, "b c (h y) (w x) -> b c h w y x", y=4, x=4)
    assert float((places - places[..., :1, :1]).abs().max()) < 1e-6  # ICNR: no checkerboard


def old_names(state: dict[str, Tensor], blocks: int, after: tuple[int, ...]) -> dict[str, Tensor]:
    """Rename a state to ESRGAN's first names, in which layers are numbered."""
    ups = [f"conv_up{number}" for number in range(1, len(after) - 1)]
    layers = dict(zip([*ups, "conv_hr", "conv_last"], (f"model.{place}" for place in after), strict=True))
    layers |= {"conv_first": "model.0", "conv_body": f"model.1.sub.{blocks}"}
    renamed = {}
    for key, tensor in state.items():
        layer, _, parameter = key.rpartition(".")
        if layer.startswith("body."):
            _, block, dense, convolution = layer.split(".")
            layers[layer] = f"model.1.sub.{block}.{dense.upper()}.{convolution}.0"
        renamed[f"{layers[layer]}.{parameter}"] = tensor
    return renamed


def esrgan_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    names = {"conv_body": "trunk_conv", "conv_up": "upconv", "conv_hr": "HRconv", "body": "RRDB_trunk", "rdb": "RDB"}
    renamed = {}
    for key, tensor in state.items():
        for ours, theirs in names.items():
            key = key.replace(ours, theirs) if key.startswith(ours) or ours == "rdb" else key
        renamed[key] = tensor
    return renamed


FILES: dict[str, tuple[nn.Module, Any, dict[str, Any]]] = {
    "real-esrgan-x4": (small(4), lambda state: {"params_ema": state}, {"scale": 4}),
    "real-esrgan-x2": (small(2), lambda state: {"params_ema": state}, {"scale": 2, "unshuffle": True}),
    "esrgan": (small(4), esrgan_names, {"scale": 4}),
    "first-esrgan-x4": (small(4), lambda state: old_names(state, 2, (3, 6, 8, 10)), {"scale": 4}),
    "first-esrgan-x8": (small(8), lambda state: old_names(state, 2, (3, 6, 9, 11, 13)), {"scale": 8}),
    "first-esrgan-x2": (
        small(2, unshuffle=False),
        lambda state: old_names(state, 2, (3, 5, 7)),
        {"scale": 2, "unshuffle": False},
    ),
    "compact-x4": (SRVGGNetCompact(4, 6, 3), lambda state: {"params": state}, {"scale": 4, "convolutions": 3}),
    "compact-x2-relu": (
        SRVGGNetCompact(2, 6, 2, "relu"),
        lambda state: {"params": state},
        {"scale": 2, "activation": "relu"},
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_files_of_other_projects_become_weights_of_srgan(tmp_path: Path, name: str) -> None:
    network, published, expected = FILES[name]
    report = import_published(tmp_path, published(network.state_dict()), "srgan")
    assert (report.loaded, report.differences) == (len(network.state_dict()), [])
    assert expected.items() <= report.model.items()
    task, networks = open_weights(report.output, registry.get)
    image = torch.rand(1, 3, 12, 16)
    with torch.no_grad():
        found = task.predict({"input": image}, networks)["output"]
        assert torch.equal(found, network.eval()(image).clamp(0, 1))


@pytest.mark.parametrize(
    ("network", "published"),
    [
        (small(1), lambda state: state),
        (small(1, unshuffle=False), lambda state: old_names(state, 2, (2, 4))),
        (SRVGGNetCompact(1, 6, 3), lambda state: {"params": state}),
    ],
)
def test_files_of_scale_one_become_weights_of_restorer(tmp_path: Path, network: nn.Module, published: Any) -> None:
    report = import_published(tmp_path, published(network.state_dict()), "restorer")
    assert report.differences == []
    task, networks = open_weights(report.output, registry.get)
    image = torch.rand(1, 3, 12, 16)
    with torch.no_grad():
        found = task.predict({"input": image}, networks)["output"]
        assert torch.equal(found, network.eval()(image).clamp(0, 1))


def test_a_file_that_upscales_is_no_restorer_and_the_message_says_which_task_it_is(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="upscales by 4; import it with --task srgan"):
        import_published(tmp_path, small(4).state_dict(), "restorer")


def test_a_missing_or_foreign_key_is_named(tmp_path: Path) -> None:
    state = small(4).state_dict() | {"body.0.rdb1.conv1x1.weight": torch.zeros(1)}
    del state["conv_hr.bias"]
    with pytest.raises(WeightsError) as refused:
        import_published(tmp_path, state, "srgan")
    assert "conv_hr.bias" in str(refused.value)
    assert "body.0.rdb1.conv1x1.weight" in str(refused.value)
