"""Otsu's threshold as a task without weights: what segmentation is worth before anything is learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Literal

import torch
from skimage.filters import threshold_otsu
from torch import Tensor, nn

from restore.core.errors import NothingToTrain
from restore.core.measuring import EvaluationProtocol
from restore.core.pictures.files import Picture
from restore.core.planes import Plane, Rendered, Tiling
from restore.core.settings import RunSettings, Settings
from restore.core.steps import Batch, Modules, Phase, Step, Turn
from restore.core.task import Task
from restore.plugins.unet import metrics
from restore.plugins.unet.data.dataset import Segments, channels_of
from restore.plugins.unet.data.splits import evaluated_source, sources
from restore.plugins.unet.options import MeasuredSettings, PredictSettings, WriteSettings
from restore.plugins.unet.rendering import render
from restore.plugins.unet.settings import SegmentationSettings


class Otsu(Task):
    """Divide a picture by brightness (Otsu, 1979); the smaller part is the foreground."""

    settings: SegmentationSettings
    settings_type: ClassVar[type[RunSettings]] = SegmentationSettings

    def __init__(self, settings: RunSettings, options: Settings | None = None) -> None:
        assert isinstance(settings, SegmentationSettings)
        super().__init__(settings if settings.model.classes else settings.decided(), options)

    def networks(self) -> dict[str, nn.Module]:
        """None."""
        return {}

    def phases(self) -> Sequence[Phase]:
        """None: there is nothing to learn."""
        return []

    def data(self, split: Literal["train", "validation"], phase: Phase) -> Segments:  # noqa: ARG002 - there is none
        """Plain pictures of a split."""
        return Segments(sources(self.settings)[split], self.settings.model)

    def train_step(self, batch: Batch, turn: Turn, step: Step) -> None:  # noqa: ARG002
        """Raises NothingToTrain."""
        raise NothingToTrain("Otsu's threshold is computed from each picture; there is nothing to train")

    @property
    def inputs(self) -> Mapping[str, Plane]:
        """The picture."""
        return {"input": Plane(channels=self.settings.model.input_channels)}

    @property
    def outputs(self) -> Mapping[str, Plane]:
        """0 or 1 for each pixel."""
        return {"probability": Plane(channels=1, smooth=False)}

    @property
    def tiling(self) -> Tiling:
        """The threshold depends on the whole picture."""
        return Tiling("whole")

    def predict(self, batch: Batch, modules: Modules) -> Batch:  # noqa: ARG002 - there are none
        """1 on the side of the threshold that has fewer pixels; nowhere in a picture of one brightness."""
        return {"probability": torch.stack([_smaller_side(picture) for picture in batch["input"]])}

    def read_inputs(self, path: Path, picture: Picture) -> dict[str, Tensor]:  # noqa: ARG002 - the picture is all
        """The planes of the picture."""
        return {"input": channels_of(picture, self.settings.model.input_channels)}

    def render(self, outputs: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> dict[str, Rendered]:
        """Masks and overlays."""
        chosen = self.options if isinstance(self.options, WriteSettings) else WriteSettings()
        options = PredictSettings(outputs=chosen.outputs)
        return render(outputs["probability"], inputs["input"], self.settings.model, options)

    def protocols(self) -> Mapping[str, EvaluationProtocol]:
        """IoU and Dice."""
        return {"overlap": metrics.protocol(self.settings.model.classes or ["foreground"])}

    def evaluation_data(self, folder: Path | None) -> Segments:
        """Pictures and masks of a folder; without one those that a run validates on."""
        if folder is None:
            return Segments(sources(self.settings)["validation"], self.settings.model)
        options = self.options if isinstance(self.options, MeasuredSettings) else MeasuredSettings()
        model = self.settings.model.model_copy(update={"size": None})  # a threshold has no training size
        return Segments(evaluated_source(folder, model, options), model)


def _smaller_side(picture: Tensor) -> Tensor:
    brightness = picture[:3].mean(0, keepdim=True)
    if brightness.amin() == brightness.amax():
        return torch.zeros_like(brightness)
    above = brightness > float(threshold_otsu(brightness[0].cpu().numpy()))  # type: ignore[no-untyped-call]
    fewer: Tensor = above if above.float().mean() <= 0.5 else ~above
    return fewer.to(picture.dtype)
