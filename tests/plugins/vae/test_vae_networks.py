"""Encoder and decoder: sizes, what a pixel depends on, and how large the code is."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from built import networks_of

from restore.core.inference.engine import predict_image
from restore.plugins.vae.networks import Decoder, Encoder, channels_of_levels
from restore.plugins.vae.settings import AutoencoderSettings, ModelSettings
from restore.plugins.vae.task import Autoencoder


def small(depth: int = 2, scale: int = 1) -> Autoencoder:
    torch.manual_seed(0)
    model = {"channels": 2, "depth": depth, "latent": 3, "scale": scale}
    return Autoencoder(AutoencoderSettings.model_validate({"model": model}))


@pytest.mark.parametrize("scale", [1, 2, 4])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (5, 7), (8, 8), (33, 20)])
def test_an_image_of_any_size_comes_back_scaled(scale: int, height: int, width: int) -> None:
    task = small(scale=scale)
    output = task.predict({"input": torch.rand(2, 3, height, width)}, networks_of(task))["output"]
    assert output.shape == (2, 3, scale * height, scale * width)
    assert 0 <= output.min() < output.max() <= 1


@pytest.mark.parametrize("scale", [1, 2])
def test_the_engine_continues_an_image_as_the_encoder_does(scale: int) -> None:
    task, image = small(depth=3, scale=scale), torch.rand(3, 37, 53)
    used = predict_image(task, networks_of(task), {"input": image})["output"]
    with torch.no_grad():
        measured = task.predict({"input": image[None]}, networks_of(task))["output"][0]
    torch.testing.assert_close(used, measured, atol=1e-6, rtol=0)


def test_padding_repeats_the_last_pixels() -> None:
    encoder = Encoder(4, 2, 2)
    image = torch.rand(1, 3, 6, 7)
    continued = torch.cat([image, image[..., -1:]], 3)
    continued = torch.cat([continued, continued[..., -1:, :], continued[..., -1:, :]], 2)
    assert continued.shape[-2:] == (8, 8)
    torch.testing.assert_close(encoder(image), encoder(continued))


def test_channels_double_twice() -> None:
    assert channels_of_levels(16, 4) == [16, 32, 64, 64, 64]


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_pixel_depends_on_nothing_beyond_the_halo(depth: int) -> None:
    task = small(depth)
    # Weights of one sign and no activation that saturates: nothing that a pixel depends on can cancel.
    for module in networks_of(task).values():
        for parameter in module.parameters():
            parameter.data = parameter.data.abs() + 0.01
    halo, stride = task.tiling.halo, 2**depth
    side = 2 * (halo + 2 * stride)
    for pixel in (side // 2, side // 2 + stride - 1):
        image = torch.full((1, 3, side, side), 0.6, requires_grad=True)
        decoded = networks_of(task)["decoder"](networks_of(task)["encoder"](image), side, side)
        decoded[..., pixel, pixel].sum().backward()
        assert image.grad is not None
        rows = image.grad.abs().sum((0, 1, 3)).nonzero()
        reach = max(pixel - int(rows.min()), int(rows.max()) - pixel)
        assert halo / 2 < reach <= halo  # enough, and no more than twice what is needed


def test_a_tile_with_its_halo_equals_the_whole() -> None:
    task = small(depth=1)
    networks, halo = networks_of(task), task.tiling.halo
    image = torch.rand(1, 3, 16 + 2 * halo + 20, 40)
    whole = task.predict({"input": image}, networks)["output"]
    tile = task.predict({"input": image[..., 20:, :]}, networks)["output"]
    torch.testing.assert_close(tile[..., halo:, :], whole[..., 20 + halo :, :], atol=1e-6, rtol=0)


def test_the_signal_neither_dies_nor_explodes_in_a_deep_network() -> None:
    torch.manual_seed(0)
    encoder, decoder = Encoder(32, 16, 5), Decoder(32, 16, 5)
    code = encoder(torch.rand(4, 3, 64, 64))
    assert 0.02 < code.std() < 5
    assert 0.02 < decoder(torch.randn(4, 32, 2, 2), 64, 64).std() < 5


def test_the_default_codes_are_a_twelfth_and_a_twenty_fourth() -> None:
    from restore.plugins.vae.settings import VAESettings

    def ratio(model: ModelSettings) -> float:
        return 3 * 4 ** model.own_values()["depth"] / model.latent

    assert ratio(AutoencoderSettings().model) == 12
    assert ratio(VAESettings().model) == 24


def test_sizes_in_between_are_those_of_the_stages() -> None:
    encoder = Encoder(5, 2, 3)
    sizes: list[int] = []
    for layer in encoder.body:
        layer.register_forward_hook(lambda _module, _inputs, output: sizes.append(output.shape[-1]))
    encoder(torch.rand(1, 3, 40, 40))
    assert sorted(set(sizes), reverse=True) == [40, 20, 10, 5]
    assert all(before >= after for before, after in pairwise(sizes))
