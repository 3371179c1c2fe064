"""A plugin with datasets for tasks of other families, some of which break their contract."""

from __future__ import annotations

from typing import Any

PLUGIN = """
from restore.registry import DatasetSpec, hookimpl

HERE = "faraway"


@hookimpl
def restore_datasets():
    def spec(name, role, **settings):
        reference = f"{HERE}.data:" + "".join(word.title() for word in name.split("-"))
        return DatasetSpec(name, reference, role=role, **settings)

    return [
        spec("stripes", "images", settings=f"{HERE}.settings:StripesSettings"),
        spec("dark", "restoration", settings=f"{HERE}.settings:DarkSettings"),
        spec("too-large", "restoration"),
        spec("changing", "restoration"),
        spec("bytes", "restoration"),
        spec("empty", "restoration"),
        spec("broken", "restoration"),
        spec("narrow", "restoration"),
        spec("halved", "super-resolution"),
        spec("holes", "inpainting"),
        spec("discs", "segmentation"),
    ]
"""

SETTINGS = '''
from typing import Annotated

from pydantic import Field

from restore.core.settings import Settings


class StripesSettings(Settings):
    """Colored stripes."""

    width: Annotated[int, Field(ge=1, le=9)] = 3
    """Width of a stripe in pixels."""


class DarkSettings(Settings):
    """Photographs taken too dark."""

    exponent: Annotated[float, Field(gt=1)] = 2.0
    """Exponent by which they are darkened."""
'''

DATA = """
import torch


def noise(index, side):
    return torch.rand(3, side, side, generator=torch.Generator().manual_seed(index))


class Stripes:
    def __init__(self, split, folder, val_fraction, seed, width):
        self.count, self.width = (6 if split == "train" else 2), width

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        rows = (torch.arange(48) // self.width % 2 * 200).to(torch.uint8) + index
        return rows[None, :, None].expand(3, 48, 48).contiguous()


class Dark:
    def __init__(self, split, folder, val_fraction, seed, crop_size, exponent=2.0):
        self.split, self.crop_size, self.exponent = split, crop_size, exponent

    def __len__(self):
        return 6 if self.split == "train" else 2

    def name(self, index):
        return f"dark {index}"

    def target(self, index):
        return noise(index, self.crop_size if self.split == "train" else 40)

    def __getitem__(self, index):
        target = self.target(index)
        return {"input": target**self.exponent, "target": target}


class TooLarge(Dark):
    def target(self, index):
        return noise(index, 40)


class Changing(Dark):
    def target(self, index):
        return torch.rand_like(super().target(index))


class Bytes(Dark):
    def target(self, index):
        return 255 * super().target(index)


class Empty(Dark):
    def __len__(self):
        return 0


class Broken(Dark):
    def target(self, index):
        return super().target(index) @ torch.zeros(7, 7)


class Narrow(Dark):
    def __getitem__(self, index):
        sample = super().__getitem__(index)
        return {"input": sample["input"][..., 1:], "target": sample["target"]}


class Halved(Dark):
    def __init__(self, scale, **given):
        super().__init__(**given)
        self.scale = scale

    def __getitem__(self, index):
        target = self.target(index)
        return {"input": target[:, :: self.scale, :: self.scale], "target": target}


class Holes(Dark):
    def __getitem__(self, index):
        target = self.target(index)
        mask = torch.zeros_like(target[:1])
        mask[:, 4:9, 3:11] = 1
        return {"input": target * (1 - mask), "mask": mask, "target": target}


class Discs:
    classes = ("disc", "ring")

    def __init__(self, split, folder, val_fraction, seed):
        self.count = 6 if split == "train" else 2

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        y, x = torch.meshgrid(torch.arange(40.0), torch.arange(40.0), indexing="ij")
        distance = (y - 20).hypot(x - 15 - index)
        masks = torch.stack([distance < 9, (distance > 12) & (distance < 15)]).to(torch.uint8)
        return (200 * masks.amax(0, keepdim=True)).expand(3, 40, 40).contiguous(), masks
"""


def install(site: Any) -> None:
    """Write the distribution ``restore-faraway`` into a folder that looks like site-packages."""
    files = {
        "faraway/__init__.py": PLUGIN,
        "faraway/settings.py": SETTINGS,
        "faraway/data.py": DATA,
    }
    site.install("restore-faraway", files, {"faraway": "faraway"}, version="0.3")
