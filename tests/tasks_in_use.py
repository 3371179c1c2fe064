"""Small networks as tasks that are only used, and images for them."""

import torch
import torch.nn.functional as F
from built import networks_of
from torch import nn
from untrained import Untrained

from restore.core.inference.engine import predict_image
from restore.core.settings import RunSettings
from restore.core.specs import ImageSpec, Tiling


class Upscaling(nn.Module):
    """Two 3x3 convolutions and a pixel shuffle: sees 2 pixels to each side."""

    def __init__(self, scale):
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.last = nn.Conv2d(4, 3 * scale**2, 3, padding=1)
        self.scale = scale

    def forward(self, x):
        return F.pixel_shuffle(self.last(torch.relu(self.first(x))), self.scale)


class Hourglass(nn.Module):
    """Halves the resolution twice and brings it back: only sizes that are multiples of four."""

    def __init__(self):
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(3, 4, 2, stride=2), nn.ReLU(), nn.Conv2d(4, 4, 2, stride=2))
        self.middle = nn.Conv2d(4, 4, 3, padding=1)
        self.up = nn.Sequential(nn.Upsample(scale_factor=4), nn.Conv2d(4, 3, 3, padding=1))

    def forward(self, x):
        assert x.shape[-1] % 4 == x.shape[-2] % 4 == 0
        return self.up(torch.relu(self.middle(self.down(x))))


class Used(Untrained):
    """A task that is only used: one network, planes and tiling as the test wants them."""

    def __init__(self, network, tiling, inputs=None, outputs=None):
        super().__init__(RunSettings())
        self.network, self._tiling = network, tiling
        self._inputs, self._outputs = inputs or {"input": ImageSpec()}, outputs or {"output": ImageSpec()}
        self.shapes = []

    def networks(self):
        return {"network": self.network}

    @property
    def tiling(self):
        return self._tiling

    @property
    def inputs(self):
        return self._inputs

    @property
    def outputs(self):
        return self._outputs

    def predict(self, batch, networks):
        self.shapes.append(tuple(batch["input"].shape))
        return {"output": networks.network(batch["input"])}


class Computed(nn.Module):
    """A network that is one formula."""

    def __init__(self, formula):
        super().__init__()
        self.formula = formula

    def forward(self, x):
        return self.formula(x)


def upscaling(scale, mode="exact", halo=2):
    torch.manual_seed(scale)
    return Used(Upscaling(scale), Tiling(mode, halo), outputs={"output": ImageSpec(scale=scale)})


def hourglass(mode="exact", halo=24):
    torch.manual_seed(0)
    return Used(Hourglass(), Tiling(mode, halo, multiple_of=4))


def image(height, width, channels=3, seed=0):
    return torch.rand(channels, height, width, generator=torch.Generator().manual_seed(seed))


def used(task, given, **options):
    inputs = given if isinstance(given, dict) else {"input": given}
    return predict_image(task, networks_of(task), inputs, **options)["output"]
