"""Otsu's threshold: the classical baseline of segmentation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import torch
from skimage.filters import threshold_otsu
from torch import Tensor
from typing_extensions import override

from restore.core.dataset import Batch
from restore.core.images.files import ImageFile, OutputImage
from restore.core.method import Method
from restore.core.metrics import EvaluationProtocol
from restore.core.networks import Networks
from restore.core.specs import ClassMaps, ImageSpec, Tiling
from restore.plugins.common.datasets import evaluation_arguments
from restore.plugins.unet import metrics
from restore.plugins.unet.data.dataset import Segments, channels_of
from restore.plugins.unet.data.named import build_source
from restore.plugins.unet.data.splits import select_evaluated, sources
from restore.plugins.unet.options import OutputOptions, SegmentationEvaluateOptions, SegmentationPredictOptions
from restore.plugins.unet.rendering import class_maps, names, render
from restore.plugins.unet.settings import SAMPLE, SegmentationSettings


class Otsu(Method[SegmentationSettings, OutputOptions, SegmentationEvaluateOptions]):
    """Divides an image by brightness (Otsu, 1979); the smaller part is the foreground."""

    pixel_reach: ClassVar[int | None] = 1  # outlines in overlays

    @property
    @override
    def inputs(self) -> Mapping[str, ImageSpec]:
        return {"input": ImageSpec(channels=self.settings.model.input_channels)}

    @property
    @override
    def outputs(self) -> Mapping[str, ImageSpec]:
        return {"probability": ImageSpec(channels=1, smooth=False)}

    @property
    @override
    def main_output(self) -> str:
        return "probability"

    @property
    @override
    def tiling(self) -> Tiling:
        return Tiling("whole")  # the threshold depends on the whole image

    @override
    def predict(self, batch: Batch, networks: Networks) -> Batch:
        """Return 1 on the side of the threshold that has fewer pixels, and 0 everywhere in a uniform image."""
        return {"probability": torch.stack([_find_smaller_side(image) for image in batch["input"]])}

    @override
    def read_inputs(self, path: Path, image: ImageFile) -> dict[str, Tensor]:
        return {"input": channels_of(image, self.settings.model.input_channels)}

    @override
    def render(self, outputs: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> dict[str, OutputImage]:
        options = SegmentationPredictOptions(outputs=self.predict_options.outputs)
        return render(outputs["probability"], inputs["input"], self.settings.model, options)

    @property
    @override
    def always_renders(self) -> tuple[str, ...]:
        return names(self.settings.model, self.predict_options)

    @property
    @override
    def class_maps(self) -> ClassMaps | None:
        return class_maps(self.settings.model, self.predict_options, None)  # its map is 0 and 1

    metric_roles = ("segmentation",)

    @override
    def protocols(self) -> Mapping[str, EvaluationProtocol]:
        return {"overlap": metrics.protocol(self.settings.model.classes or ["foreground"])}

    @override
    def evaluation_data(self, folder: Path | None) -> Segments:
        chosen = self.evaluate_options.dataset
        if chosen.full_name != SAMPLE:
            return Segments(
                build_source(chosen, evaluation_arguments(folder), self.settings.model), self.settings.model
            )
        if folder is None:
            return Segments(sources(self.settings)["validation"], self.settings.model)
        model = self.settings.model.model_copy(update={"size": None})  # a threshold has no training size
        return Segments(select_evaluated(folder, model, self.evaluate_options), model)


def _find_smaller_side(image: Tensor) -> Tensor:
    brightness = image[:3].mean(0, keepdim=True)
    if brightness.amin() == brightness.amax():
        return torch.zeros_like(brightness)
    above = brightness > float(threshold_otsu(brightness[0].cpu().numpy()))  # type: ignore[no-untyped-call]
    fewer: Tensor = above if above.float().mean() <= 0.5 else ~above
    return fewer.to(image.dtype)
