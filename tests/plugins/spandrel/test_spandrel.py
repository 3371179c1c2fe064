"""Weights of spandrel's architectures: imported, they compute what spandrel computes, whole and in tiles."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from restore import registry
from restore.cli.foreign_weights import import_file
from restore.core.errors import UsageError, WeightsError
from restore.core.inference.engine import predict_image
from restore.core.weights.files import open_weights
from restore.core.weights.header import read_header

spandrel = pytest.importorskip("spandrel", reason="needs spandrel: pip install 'restorekit[spandrel]'")
# of torch, about spandrel's code
pytestmark = [pytest.mark.filterwarnings(f"ignore::{kind}") for kind in ("UserWarning", "DeprecationWarning")]

TILED = 0.03
"""How far a pixel of an image that was cut into tiles of 48 pixels may differ from that of the whole image, of 1."""

SMALL: dict[str, dict[str, Any]] = {
    "ESRGAN": {"num_filters": 8, "num_blocks": 1, "scale": 4},
    "Compact": {"num_feat": 8, "num_conv": 2, "upscale": 2},
    "SPAN": {"num_in_ch": 3, "num_out_ch": 3, "feature_channels": 12, "upscale": 2},
    "SwinIR": {"embed_dim": 12, "depths": [2], "num_heads": [2], "window_size": 8, "mlp_ratio": 2, "upscale": 2}
    | {"upsampler": "pixelshuffledirect"},
    "Swin2SR": {"embed_dim": 12, "depths": [2], "num_heads": [2], "window_size": 8, "upscale": 2}
    | {"upsampler": "pixelshuffledirect"},
    "HAT": {"embed_dim": 12, "depths": [2], "num_heads": [2], "window_size": 8, "upscale": 2}
    | {"squeeze_factor": 4, "num_feat": 8},
    "CRAFT": {"embed_dim": 12, "depths": [1], "num_heads": [2], "upscale": 2},
    "OmniSR": {"num_feat": 8, "res_num": 1, "block_num": 1, "up_scale": 2, "window_size": 8},
    "PLKSR": {"dim": 16, "n_blocks": 2, "upscaling_factor": 2},
    "RCAN": {"n_resgroups": 1, "n_resblocks": 1, "n_feats": 16, "scale": 2},
    "SAFMN": {"dim": 12, "n_blocks": 1, "upscaling_factor": 2},
    "SwiftSRGAN": {"num_channels": 8, "num_blocks": 1, "upscale_factor": 2},
    "MoSR": {"dim": 16, "n_block": 1, "upscale": 2},
    "DITN": {"dim": 12, "upscale": 2, "patch_size": 8, "ITL_blocks": 1, "UFONE_blocks": 1, "SAL_blocks": 1},
    "NAFNet": {"width": 4, "middle_blk_num": 1, "enc_blk_nums": [1], "dec_blk_nums": [1]},
    "DnCNN": {"in_nc": 3, "out_nc": 3, "nc": 8, "nb": 4},
    "DRUNet": {"in_nc": 4, "out_nc": 3, "nc": [8, 8, 8, 8], "nb": 2},
    "MixDehazeNet": {"embed_dims": [8, 8, 8, 8, 8], "depths": [1, 1, 1, 1, 1]},
}
OWN = {"ESRGAN": "srgan/rrdbnet", "Compact": "srgan/srvggnet-compact"}
"""Those that a family has itself: its converter comes before spandrel's."""


def make(name: str, **more: Any) -> nn.Module:
    """Build a small network with weights that make its output vary."""
    torch.manual_seed(0)
    module = import_module(f"spandrel.architectures.{name}")
    return getattr(module, module.__all__[1])(**SMALL.get(name, {}), **more).eval()


def called(state: dict[str, Tensor], *images: Tensor) -> Tensor:
    """What spandrel's own call returns."""
    descriptor = spandrel.MAIN_REGISTRY.load(dict(state))
    descriptor.eval().model.to(images[0].dtype)
    with torch.no_grad():
        return descriptor(*(image.clone() for image in images)).clone()


def imported(folder: Path, state: Any, suffix: str = ".pth", **options: Any) -> Path:
    """Save a state as it is published, and import it."""
    source = folder / f"published{suffix}"
    if suffix == ".pth":
        torch.save({"params_ema": state}, source)
    else:
        save_file({key: tensor.contiguous().clone() for key, tensor in state.items()}, source)
    return import_file(source, folder / "ours.safetensors", overwrite=True, **options).output


def image(height: int, width: int) -> Tensor:
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("name", SMALL)
def test_an_imported_network_computes_what_spandrels_own_call_does(tmp_path: Path, name: str, suffix: str) -> None:
    state = make(name).state_dict()
    path = imported(tmp_path, state, suffix)
    header = read_header(path)
    expected = OWN.get(name, f"spandrel/{name.lower()}")
    assert header.model["architecture"] == expected
    assert header.task == ("srgan/srgan" if "scale" in header.model else "restorer/restorer")
    method, networks = open_weights(path, registry.get)
    for network in networks.values():
        network.double()
    shown = image(37, 50)[None].double()
    found = method.predict({"input": shown}, networks)["output"]
    torch.testing.assert_close(found, called(state, shown), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", SMALL)
def test_tiles_differ_little_from_the_whole_image(tmp_path: Path, name: str) -> None:
    method, networks = open_weights(imported(tmp_path, make(name).state_dict()), registry.get)
    shown = image(64, 112)
    whole = predict_image(method, networks, {"input": shown}, tile=None)["output"]
    tiled = predict_image(method, networks, {"input": shown}, tile=48)["output"]
    assert (whole - tiled).abs().max() <= TILED


def test_the_registered_architectures_are_those_of_spandrel_but_one() -> None:
    names = {entry.name for entry in registry.entries("architectures") if entry.plugin == "spandrel"}
    known = {str(support.architecture.id) for support in spandrel.MAIN_REGISTRY}
    assert {name.lower() for name in known} - names == {"aurasr", "compact"}
    assert "realesr-compact" in names  # another name, because srgan has a network that is called compact
    assert len(names) >= 41


def test_a_network_for_gray_images_sees_each_channel_by_itself(tmp_path: Path) -> None:
    torch.manual_seed(0)
    state = import_module("spandrel.architectures.DnCNN").DnCNN(in_nc=1, out_nc=1, nc=8, nb=4).state_dict()
    report = import_file(saved(tmp_path, state), tmp_path / "ours.safetensors")
    assert "made for gray images: each color channel is processed by itself" in report.notes
    method, networks = open_weights(report.output, registry.get)
    shown = image(20, 30)
    found = method.predict({"input": shown[None]}, networks)["output"][0]
    for channel in range(3):
        torch.testing.assert_close(found[channel], called(state, shown[None, channel : channel + 1])[0, 0])


def test_the_presence_of_a_number_chooses_the_network_of_real_cugan(tmp_path: Path) -> None:
    module = import_module("spandrel.architectures.RealCUGAN")
    torch.manual_seed(0)
    state = module.UpCunet2x(in_channels=3, out_channels=3).state_dict()
    for content, pro in ((state, False), ({**state, "pro": True}, True)):
        report = import_file(saved(tmp_path, content), tmp_path / "ours.safetensors", overwrite=True)
        assert report.model["variant"] == "UpCunet2x"
        assert report.model["parameters"]["pro"] is pro
        method, networks = open_weights(report.output, registry.get)
        shown = image(40, 44)
        found = method.predict({"input": shown[None]}, networks)["output"]
        torch.testing.assert_close(found, called(dict(content), shown[None]), rtol=0, atol=1e-6)


def saved(folder: Path, content: Any) -> Path:
    torch.save(content, folder / "published.pth")
    return folder / "published.pth"


def test_a_variant_of_a_network_is_told_from_the_others(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = import_module("spandrel.architectures.PLKSR").RealPLKSR(
        dim=16, n_blocks=2, upscaling_factor=4, kernel_size=5
    )
    report = import_file(saved(tmp_path, network.state_dict()), tmp_path / "ours.safetensors")
    assert (report.model["variant"], report.model["scale"]) == ("RealPLKSR", 4)


def test_weights_that_only_look_like_an_architecture_say_why_they_do_not_fit(tmp_path: Path) -> None:
    state = make("SwinIR").state_dict()
    state["layers.0.residual_group.blocks.0.norm1.weight"] = torch.zeros(5)
    with pytest.raises(WeightsError, match=r"(?s)spandrel: has the keys of SwinIR, but does not fit it.*It has "):
        import_file(saved(tmp_path, state), tmp_path / "ours.safetensors")


def test_weights_that_lack_a_name_are_told_the_nearest_architecture(tmp_path: Path) -> None:
    state = make("SwinIR").state_dict()
    del state["layers.0.residual_group.blocks.0.norm1.weight"]
    said = r"the nearest is SwinIR: 1 of the \d+ names that it is told by are missing \(layers\.0\.residual_group"
    with pytest.raises(WeightsError, match=said):
        import_file(saved(tmp_path, state), tmp_path / "ours.safetensors")


def test_weights_under_another_licence_are_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("restore.plugins.spandrel.convert._detect", lambda tensors: "AuraSR")
    with pytest.raises(WeightsError, match=r"the file holds AuraSR: .*CC BY-SA 4\.0"):
        import_file(saved(tmp_path, {"a.weight": torch.zeros(1)}), tmp_path / "ours.safetensors")


@pytest.mark.parametrize("name", ["SwinIR", "RCAN", "NAFNet"])
def test_a_network_can_be_trained_and_its_input_stays_as_it_was(name: str) -> None:
    parameters = {"parameters": SMALL[name]}
    scale = {} if name == "NAFNet" else {"scale": 2}
    network = registry.get("architectures", f"spandrel/{name.lower()}")(**parameters, **scale).train()
    images = image(15, 18)[None]
    before = images.clone()
    output = network(images)
    output.sum().backward()
    assert torch.equal(images, before)
    assert output.shape[-1] == 18 * scale.get("scale", 1)
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_what_spandrel_calls_in_a_way_of_its_own_is_not_trained() -> None:
    network = registry.get("architectures", "spandrel/drunet")(parameters=SMALL["DRUNet"]).train()
    with pytest.raises(UsageError, match="spandrel/drunet can be used, but not trained here"):
        network(image(16, 16)[None])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"parameters": {"width": 4, "blocks": 3}}, r"spandrel/nafnet: NAFNet cannot be built with .*blocks"),
        ({"variant": "Other"}, "spandrel/nafnet has no variant 'Other'; available: NAFNet"),
        ({"parameters": {"img_channel": 7}}, "it maps 7 channels to 7"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        registry.get("architectures", "spandrel/nafnet")(**given)


def test_weights_that_need_spandrel_say_so_in_their_header(tmp_path: Path) -> None:
    header = read_header(imported(tmp_path, make("NAFNet").state_dict()))
    assert header.plugins["spandrel"] == f"spandrel=={header.versions['spandrel']}"


@pytest.mark.slow
@pytest.mark.parametrize("prefix", ["generator.", "model.generator.", ""])
def test_lama_fills_a_hole_as_spandrel_does_whatever_its_prefix(tmp_path: Path, prefix: str) -> None:
    state = make("LaMa", in_nc=4, out_nc=3).state_dict()
    content = {key.replace("model.model.", f"{prefix}model.", 1): tensor for key, tensor in state.items()}
    content["discriminator.model0.0.weight"] = torch.zeros(1)
    source = saved(tmp_path, {"epoch": 1, "state_dict": content})
    report = import_file(source, tmp_path / "ours.safetensors")
    assert report.task == "inpaint_gan/inpaint-gan"
    method, networks = open_weights(report.output, registry.get)
    mask = torch.zeros(1, 1, 37, 50)
    mask[..., 10:20, 10:30] = 1
    shown = image(37, 50)[None]
    found = method.predict({"input": shown, "mask": mask}, networks)["output"]
    torch.testing.assert_close(found, called(state, shown * (1 - mask), mask) * mask + shown * (1 - mask))
