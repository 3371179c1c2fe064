"""``restore sample`` and ``restore interpolate``."""

from __future__ import annotations

import math
from typing import Any

import torch
from torchvision.utils import make_grid

from restore.core.atomic import refuse_overwrite
from restore.core.errors import UsageError
from restore.core.images.files import read_image, write_image
from restore.core.networks import Networks
from restore.plugins.common.animation import KINDS, check_kind, resize_to_cover, write_animation
from restore.plugins.vae.settings import InterpolateSettings, SampleSettings
from restore.plugins.vae.task import Autoencoder, VariationalAutoencoder


@torch.no_grad()
def sample(task: Autoencoder[Any, Any], networks: Networks, settings: SampleSettings) -> None:
    """Write a sheet of images decoded from random latent codes.

    Raises UsageError for a plain autoencoder, because the distribution of its codes is unknown.
    """
    if not isinstance(task, VariationalAutoencoder):
        raise UsageError("a plain autoencoder has no prior to sample from; train vae instead of autoencoder")
    check_kind(settings.output, ".png")
    refuse_overwrite(settings.output, settings.overwrite)
    model = task.settings.model
    places = math.ceil(settings.size / (task.stride * model.scale))
    generator = torch.Generator().manual_seed(settings.seed)
    codes = torch.randn(settings.n, model.latent, places, places, generator=generator)
    # One at a time: decoding all at once may not fit into memory.
    drawn = [networks.decoder(code[None], settings.size, settings.size)[0].clamp(0, 1) for code in codes]
    write_image(settings.output, make_grid(drawn, nrow=math.ceil(settings.n**0.5), pad_value=1.0))
    print(settings.output)


@torch.no_grad()
def interpolate(task: Autoencoder[Any, Any], networks: Networks, settings: InterpolateSettings) -> None:
    """Write the images between two images in latent space, as a strip or an animation."""
    check_kind(settings.output, *KINDS)
    refuse_overwrite(settings.output, settings.overwrite)
    first, second = (read_image(path).color for path in settings.images)
    start, end = (
        task.code(networks.encoder(image[None])) for image in (first, resize_to_cover(second, *first.shape[-2:]))
    )
    size = [task.settings.model.scale * side for side in first.shape[-2:]]
    # One at a time: decoding all at once may not fit into memory.
    codes = (torch.lerp(start, end, share) for share in torch.linspace(0, 1, settings.steps))
    walk = [networks.decoder(code, *size)[0].clamp(0, 1) for code in codes]
    write_animation(settings.output, walk)
    print(settings.output)
