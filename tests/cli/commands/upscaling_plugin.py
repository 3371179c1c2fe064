"""Tasks that upscale by repeating pixels, quick enough to be used many times."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Annotated

import torch
import torch.nn.functional as F
from torch import nn

from restore.core.errors import UsageError, WeightsError
from restore.core.images.files import OutputImage, read_image
from restore.core.images.listing import list_images
from restore.core.method import Method
from restore.core.settings import Flag, RunSettings, Settings
from restore.core.specs import ImageSpec, Tiling
from restore.core.task import Task
from restore.core.weights.convert import Converter
from restore.registry import TaskSpec, hookimpl


class ModelSettings(Settings):
    scale: int = 2


class UpscalingSettings(RunSettings):
    model: ModelSettings = ModelSettings()


class MaskOptions(Settings):
    second_mask: Path | None = None
    """Where."""


class ScaleOptions(Settings):
    scale: Annotated[int, Flag("--scale")] = 2
    """How much larger."""


class ListedOptions(Settings):
    names: Path | None = None
    """Read by the task."""


class Gain(nn.Module):
    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1))

    def forward(self, x, scale):
        return F.interpolate(x, scale_factor=scale) * self.gain


class Error:
    better = "lower"

    def __init__(self, name, power):
        self.name, self.power, self.convention = name, power, "RGB"

    def measure(self, prediction, target):
        return (prediction - target).abs().double().pow(self.power).flatten(1).mean(1, keepdim=True)

    def reduce(self, rows):
        mean = float(rows.mean())
        return mean if mean > 0 else float("inf")


class Pairs:
    def __init__(self, folder, scale):
        self.paths, self.scale = list_images(folder), scale

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        target = read_image(self.paths[index]).color
        return {"input": target[:, :: self.scale, :: self.scale], "target": target}

    def name(self, index):
        return self.paths[index].stem


class Upscaling:
    """What both kinds have in common."""

    @property
    def outputs(self):
        return {"output": ImageSpec(scale=self.scale)}

    def protocols(self):
        errors = {"mse": Error("mse", 2), "mae": Error("mae", 1)}
        return {
            "both": errors,
            "only-mae": {"mae": errors["mae"]},
        }

    @property
    def default_protocol(self):
        return "both"

    def evaluation_data(self, folder):
        return Pairs(folder or Path("validation"), self.scale)


class Twice(Upscaling, Task[UpscalingSettings, ListedOptions]):
    @property
    def scale(self):
        return self.settings.model.scale

    def networks(self):
        return {"gain": Gain()}

    @property
    def tiling(self):
        return Tiling("exact", 0)

    def predict(self, batch, networks):
        return {"output": networks.gain(batch["input"], self.scale)}

    def phases(self):
        return []

    def dataset(self, split, phase):
        raise AssertionError

    def train_step(self, batch, step):
        raise AssertionError


class Touched(Twice):
    """The same where a second image says so; without an option that would bring it in, in vain."""

    @property
    def inputs(self):
        return {"input": ImageSpec(), "second_mask": ImageSpec(channels=1)}


class Repeat(Upscaling, Method[UpscalingSettings, ScaleOptions, ScaleOptions]):
    """The same without weights, by as much as the option says; it also writes which pixels are bright."""

    @property
    def scale(self):
        return self.predict_options.scale

    def with_options(self, *, predict=None, evaluate=None):
        return super().with_options(predict=predict or evaluate, evaluate=evaluate)

    @property
    def tiling(self):
        return Tiling("whole")

    def predict(self, batch, networks):
        return {"output": F.interpolate(batch["input"], scale_factor=self.scale)}

    def read_inputs(self, path, image):
        if path.stem == "unwanted":
            raise UsageError("this one is not wanted")
        if path.stem == "deadly":
            os.kill(os.getpid(), signal.SIGKILL)
        return super().read_inputs(path, image)

    def render(self, outputs, inputs):
        bright = (outputs["output"].mean(0, keepdim=True) > 0.5).float()
        return {"": outputs["output"], "bright": OutputImage(bright, depth=False, alpha=False, profile=False)}


class Bright(Repeat):
    """Writes nothing but which pixels are bright."""

    always_renders = ()

    def render(self, outputs, inputs):
        return {"bright": super().render(outputs, inputs)["bright"]}


def convert(state):
    if "amplifier.weight" not in state:
        raise WeightsError("it has no amplifier")
    names = {"amplifier.weight": "gain.gain"}
    return {"scale": 3}, {names.get(key, key): tensor for key, tensor in state.items()}


CONVERTERS = {"radio": Converter("An amplifier.", convert)}


@hookimpl
def restore_tasks():
    here, settings = __name__, f"{__name__}:UpscalingSettings"
    imports = f"{here}:CONVERTERS"
    options = {"predict": f"{here}:ScaleOptions", "evaluate": f"{here}:ScaleOptions"}
    return [
        TaskSpec("twice", f"{here}:Twice", settings=settings, imports=imports, predict=f"{here}:ListedOptions"),
        TaskSpec("touched", f"{here}:Touched", settings=settings, imports=imports, predict=f"{here}:MaskOptions"),
        TaskSpec("touched-in-vain", f"{here}:Touched", settings=settings, imports=imports),
        TaskSpec("repeat", f"{here}:Repeat", settings=settings, trains=False, **options),
        TaskSpec("bright", f"{here}:Bright", settings=settings, trains=False, **options),
    ]
