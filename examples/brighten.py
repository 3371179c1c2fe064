"""Brighten photographs that were taken too dark: a whole model family in one file."""

import torch
from torch import nn
from torch.nn import functional as F

from restore.core import EvaluationProtocol, OptimizerSettings, Phase, RunSettings, Task, Tiling
from restore.plugins.common.images.samples import photographs
from restore.plugins.common.metrics import PSNR
from restore.registry import hookimpl


@hookimpl
def restore_tasks(register):
    register("brighten", "brighten:Brighten", settings="brighten:BrightenSettings", summary="Brighten photographs.")


class BrightenSettings(RunSettings):
    darkness: float = 2.2
    """Exponent by which the photographs are darkened."""
    optimizer: OptimizerSettings = OptimizerSettings(lr=1e-2)
    """The optimizer."""


class DarkCrops(torch.utils.data.Dataset):
    def __init__(self, originals, darkness):
        self.originals, self.darkness, self.in_memory, self.name = originals, darkness, True, originals.name

    def __len__(self):
        return len(self.originals)

    def __getitem__(self, index):
        picture = self.originals[index]
        top, left = (int(torch.randint(side - 63, ())) for side in picture.shape[-2:])
        crop = picture[:, top : top + 64, left : left + 64] / 255
        return {"input": crop**self.darkness, "target": crop}


class Brighten(Task):
    settings_type = BrightenSettings
    tiling = Tiling("exact", halo=0)

    def networks(self):
        return {"curve": nn.Sequential(nn.Conv2d(3, 32, 1), nn.ReLU(), nn.Conv2d(32, 3, 1), nn.Sigmoid())}

    def phases(self):
        return [Phase("brighten", self.settings.epochs, {"curve": self.settings.optimizer}, monitor="psnr")]

    def data(self, split, phase):
        return DarkCrops(photographs(split), self.settings.darkness)

    def train_step(self, batch, turn, step):
        turn("curve", lambda modules: {"l1": F.l1_loss(modules.curve(batch["input"]), batch["target"])})

    def predict(self, batch, modules):
        return {"output": modules.curve(batch["input"])}

    def protocols(self):
        return {"rgb": EvaluationProtocol("rgb", {"psnr": PSNR()})}
