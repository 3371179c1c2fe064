"""The task: which images the network sees, what it learns from them, how it is used and measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Literal

from torch import Tensor, nn
from typing_extensions import override

from restore import registry
from restore.core import (
    Batch,
    EvaluationProtocol,
    ImageSpec,
    Networks,
    OutputImage,
    Phase,
    RunSettings,
    Task,
    Tiling,
    TrainStep,
)
from restore.core.contracts import tiling_of
from restore_outline.network import OutlineNetwork
from restore_outline.settings import OutlineSettings


class OutlineTask(Task[OutlineSettings]):
    """Find the regions of one class."""

    pixel_reach = 0  # render looks at single pixels

    @classmethod
    def tiny_settings(cls, **changes: Any) -> RunSettings:
        """Return settings of a run of a second, for tests; keep it that small if you change the network."""
        return super().tiny_settings(**{"model": {"channels": 4}, "size": 32, **changes})

    def networks(self) -> dict[str, nn.Module]:
        """Build the network; a weights file stores it."""
        return {"segmenter": OutlineNetwork(channels=self.settings.model.channels)}

    # --- training ---------------------------------------------------------------------------------------------

    @cached_property
    def reader(self) -> Any:
        """The task of the unet family, which reads and varies images with masks, and draws the sample.

        To train on data of your own kind, return datasets of your own below instead.
        """
        names = ("data", "val_data", "val_fraction", "seed")
        given = {name: getattr(self.settings, name) for name in names}
        model = {"size": (self.settings.size, self.settings.size), "classes": ["foreground"]}
        unet = registry.get("tasks", "unet/unet")
        return unet(unet.settings_type(**given, model=model, mask_encoding="binary").resolved())

    def phases(self) -> Sequence[Phase]:
        """Return one phase, which keeps the weights with the highest IoU."""
        return [Phase("train", self.settings.epochs, {"segmenter": self.settings.optimizer}, monitor="iou")]

    @override
    def dataset(self, split: Literal["train", "validation"], phase: Phase) -> Any:
        """Return ``input`` (3, H, W) in [0, 1] and ``target`` (1, H, W), one in the region; --data: images/, masks/."""
        return self.reader.dataset(split, phase)

    def train_step(self, batch: Batch, step: TrainStep) -> None:
        """Do one step; change the loss here. A loss function only calls networks, each of them once."""
        loss = registry.get("losses", "unet/bce-dice")()
        step.optimize("segmenter", lambda nets: loss(nets.segmenter(batch["input"]), batch))

    # --- using ------------------------------------------------------------------------------------------------

    @property
    def outputs(self) -> Mapping[str, ImageSpec]:
        """Declare one map of probabilities."""
        return {"output": ImageSpec(channels=1)}

    @property
    def tiling(self) -> Tiling:
        """Declare how large images may be cut into tiles: the network says it."""
        return tiling_of(self.networks()["segmenter"])

    def predict(self, batch: Batch, networks: Networks) -> Batch:
        """Find the probability (B, 1, H, W) that a pixel of images (B, 3, H, W) belongs to a region."""
        return {"output": networks.segmenter(batch["input"]).sigmoid()}

    @override
    def render(self, outputs: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> Mapping[str, OutputImage]:
        """Write a mask that is white in the regions."""
        mask = (outputs["output"] > 0.5).float()
        return {"": OutputImage(mask, depth=False, alpha=False, profile=False)}

    # --- measuring --------------------------------------------------------------------------------------------

    metric_roles = ("segmentation",)

    def protocols(self) -> Mapping[str, EvaluationProtocol]:
        """Return IoU and Dice over all pixels of the set."""
        overlap = registry.get("metrics", "unet/overlap")
        return {"overlap": {name: overlap(score=name) for name in ("iou", "dice")}}
