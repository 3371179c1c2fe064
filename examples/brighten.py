"""Brighten photographs that were taken too dark: a whole model family in one file."""

from torch import nn
from torch.nn import functional as F
from torchvision.transforms.v2 import RandomCrop

from restore.core import OptimizerSettings, Phase, RunSettings, Task, Tiling, as_dataset
from restore.plugins.common.images.splits import split_images
from restore.plugins.common.metrics import PSNR
from restore.registry import TaskSpec, hookimpl


@hookimpl
def restore_tasks():
    settings, summary = "brighten:BrightenSettings", "Brighten photographs."
    return [TaskSpec("brighten", "brighten:Brighten", settings=settings, summary=summary)]


class BrightenSettings(RunSettings):
    darkness: float = 2.2
    """Exponent by which the photographs are darkened."""
    optimizer: OptimizerSettings = OptimizerSettings(lr=1e-2)
    """The optimizer."""


class Brighten(Task[BrightenSettings]):
    tiling = Tiling("exact", halo=0)

    def networks(self):
        return {"curve": nn.Sequential(nn.Conv2d(3, 32, 1), nn.ReLU(), nn.Conv2d(32, 3, 1), nn.Sigmoid())}

    def phases(self):
        return [Phase("brighten", self.settings.epochs, {"curve": self.settings.optimizer}, monitor="psnr")]

    def dataset(self, split, phase):
        return as_dataset(split_images(split, self.settings), transform=self.dark_crop)

    def dark_crop(self, image):
        crop = RandomCrop(64)(image) / 255
        return crop**self.settings.darkness, crop

    def train_step(self, batch, step):
        step.optimize("curve", lambda nets: {"l1": F.l1_loss(nets.curve(batch["input"]), batch["target"])})

    def predict(self, batch, networks):
        return {"output": networks.curve(batch["input"])}

    def protocols(self):
        return {"rgb": {"psnr": PSNR()}}
