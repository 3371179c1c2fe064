"""``restore sample`` and ``restore interpolate``."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as transforms
from torchvision.utils import make_grid

from restore.core.errors import UsageError
from restore.core.pictures import read_picture, write_picture
from restore.core.task import Modules
from restore.core.writing import replacing
from restore.plugins.vae.settings import InterpolateSettings, SampleSettings
from restore.plugins.vae.task import Autoencoder, VariationalAutoencoder


@torch.no_grad()
def sample(task: Autoencoder, modules: Modules, settings: SampleSettings) -> None:
    """Write a sheet of pictures decoded from codes that are drawn from the prior.

    Raises UsageError for a plain autoencoder: what its codes are distributed like is not known.
    """
    if not isinstance(task, VariationalAutoencoder):
        raise UsageError("a plain autoencoder has no prior to draw codes from; train vae instead of autoencoder")
    _check_kind(settings.output, ".png")
    model = task.settings.model
    places = math.ceil(settings.size / (2**model.stages * model.scale))
    generator = torch.Generator().manual_seed(settings.seed)
    codes = torch.randn(settings.n, model.latent, places, places, generator=generator)
    drawn = modules.decoder(codes, settings.size, settings.size).clamp(0, 1)
    write_picture(settings.output, make_grid(drawn, nrow=math.ceil(settings.n**0.5), pad_value=1.0))
    print(settings.output)


@torch.no_grad()
def interpolate(task: Autoencoder, modules: Modules, settings: InterpolateSettings) -> None:
    """Write the pictures on the way from one to another, as a strip or as an animation."""
    _check_kind(settings.output, ".png", ".gif")
    first, second = (read_picture(path).colour for path in settings.pictures)
    start, end = (task.code(modules.encoder(picture[None])) for picture in (first, fitted(second, first)))
    size = [task.settings.model.scale * side for side in first.shape[-2:]]
    # One at a time: all of a walk through large pictures may not fit into memory.
    codes = (torch.lerp(start, end, share) for share in torch.linspace(0, 1, settings.steps))
    walk = [modules.decoder(code, *size)[0].clamp(0, 1) for code in codes]
    if settings.output.suffix.lower() == ".png":
        write_picture(settings.output, torch.cat(walk, dim=2))
    else:
        frames = [transforms.to_pil_image(picture) for picture in [*walk, *walk[-2:0:-1]]]
        with replacing(settings.output) as path:
            frames[0].save(path, "GIF", save_all=True, append_images=frames[1:], duration=120, loop=0)
    print(settings.output)


def fitted(picture: Tensor, like: Tensor) -> Tensor:
    """A picture (3, H, W) resized to cover another one, and of that its middle of the other's size."""
    height, width = like.shape[-2:]
    cover = max(height / picture.shape[-2], width / picture.shape[-1])
    size = [max(height, round(picture.shape[-2] * cover)), max(width, round(picture.shape[-1] * cover))]
    middle: Tensor = transforms.center_crop(transforms.resize(picture, size), [height, width])
    return middle


def _check_kind(path: Path, *kinds: str) -> None:
    if path.suffix.lower() not in kinds:
        raise UsageError(f"--output {path}: not a {' or '.join(kinds)} file")
