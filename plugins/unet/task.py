"""Segmentation as a task: one network, its data, its loss, and how it predicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from torch import Tensor, nn
from typing_extensions import TypeVar, override

from restore.core.dataset import Batch
from restore.core.errors import UsageError
from restore.core.images.files import ImageFile, OutputImage
from restore.core.method import Method
from restore.core.metrics import EvaluationProtocol
from restore.core.networks import Networks
from restore.core.settings import RunSettings, default_of
from restore.core.specs import ClassMaps, ImageSpec, Tiling
from restore.core.task import Task
from restore.core.training_step import Phase, Terms, TrainStep
from restore.plugins.common.architectures import build_network, find_tiling
from restore.plugins.common.datasets import evaluation_arguments
from restore.plugins.common.images.folders import Split, split_arguments
from restore.plugins.common.weighted_losses import WeightedLosses
from restore.plugins.unet import inference, metrics
from restore.plugins.unet.data.dataset import Segments, Source, channels_of
from restore.plugins.unet.data.named import build_source
from restore.plugins.unet.data.splits import select_evaluated, sources
from restore.plugins.unet.losses import EveryHead
from restore.plugins.unet.networks.unet import NestedUNet
from restore.plugins.unet.options import NetworkOptions, SegmentationEvaluateOptions, SegmentationPredictOptions
from restore.plugins.unet.otsu import Otsu
from restore.plugins.unet.rendering import as_color, class_maps, names, overlay, regions, render
from restore.plugins.unet.settings import (
    SAMPLE,
    DeepLabSettings,
    ModelSettings,
    NestedUNetSettings,
    SegmentationSettings,
    UNetSettings,
)
from restore.plugins.unet.targets import one_hot_target

THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(1, 20))


S = TypeVar("S", bound=SegmentationSettings, default=Any)


class Segmentation(Task[S, SegmentationPredictOptions, SegmentationEvaluateOptions]):
    """Segmentation: ``input`` (C, H, W) in [0, 1] becomes ``probability`` (classes, H, W) in [0, 1]."""

    channels_last: ClassVar[bool] = True
    pixel_reach: ClassVar[int | None] = 1  # outlines in overlays

    def __init__(self, settings: S) -> None:
        super().__init__(settings)
        self.model: ModelSettings = settings.model
        self.classes = tuple(self.model.classes or ())
        if not self.classes:
            raise UsageError("model.classes is empty; call settings.resolved() first")

    @override
    def with_options(
        self, *, predict: SegmentationPredictOptions | None = None, evaluate: SegmentationEvaluateOptions | None = None
    ) -> Self:
        if evaluate is not None and predict is None:  # an evaluation uses its network options to predict
            predict = SegmentationPredictOptions(**evaluate.model_dump(include=set(NetworkOptions.model_fields)))
        return super().with_options(predict=predict, evaluate=evaluate)

    @classmethod
    @override
    def tiny_settings(cls, **changes: Any) -> RunSettings:
        model = default_of(cls.settings_type.model_fields["model"])
        least = {"channels": 4, "depth": 2, "size": (32, 32)}
        known = {name: value for name, value in least.items() if name in type(model).model_fields}
        return super().tiny_settings(**{"model": known, **changes})

    @override
    def networks(self) -> dict[str, nn.Module]:
        return {"segmenter": build_network(self.model, **self.model.given)}

    @override
    def helper_networks(self) -> dict[str, nn.Module]:
        return {name: member.network for name, member in self._ensemble.items()}

    # --- training ---------------------------------------------------------------------------------------------

    @override
    def phases(self) -> Sequence[Phase]:
        return [Phase("segment", self.settings.epochs, {"segmenter": self.settings.optimizer}, monitor="iou")]

    @override
    def dataset(self, split: Literal["train", "validation"], phase: Phase) -> Segments:
        chosen = self._sources[split]
        if split == "validation":
            return Segments(chosen, self.model)
        from restore.plugins.unet.data.augmentation import make_augmentation  # imports torchvision, which takes seconds

        return Segments(chosen, self.model, make_augmentation(self.settings.augment, self.model.input_channels))

    @override
    def train_step(self, batch: Batch, step: TrainStep) -> None:
        def loss(nets: Networks) -> Terms:
            return self._loss(nets.segmenter(inference.normalize(batch["input"], self.model)), batch)

        step.optimize("segmenter", loss)

    @cached_property
    def _sources(self) -> Mapping[str, Source]:
        if self.settings.dataset.full_name == SAMPLE:
            return sources(self.settings)
        chosen: tuple[Split, ...] = ("train", "validation")
        return {
            split: build_source(self.settings.dataset, split_arguments(self.settings, split), self.model)
            for split in chosen
        }

    @cached_property
    def _loss(self) -> EveryHead:
        return EveryHead(WeightedLosses(self.settings.loss))

    # --- using ------------------------------------------------------------------------------------------------

    @property
    @override
    def inputs(self) -> Mapping[str, ImageSpec]:
        return {"input": ImageSpec(channels=self.model.input_channels)}

    @property
    @override
    def outputs(self) -> Mapping[str, ImageSpec]:
        return {"probability": ImageSpec(channels=len(self.classes))}

    @property
    @override
    def main_output(self) -> str:
        return "probability"

    @property
    @override
    def tiling(self) -> Tiling:
        if self._resizes or any(member.resize for member in self._ensemble.values()):  # they need the whole image
            return Tiling("whole")
        return self._tiling_of_network

    @cached_property
    def _tiling_of_network(self) -> Tiling:
        return find_tiling(self.model, **self.model.given)

    @property
    def _resizes(self) -> bool:
        at = self.predict_options.inference_size
        return at == "training" or (at == "auto" and self.model.fit == "resize")

    @cached_property
    def _ensemble(self) -> dict[str, inference.NetworkPredictor]:
        opened = inference.open_ensemble(self.predict_options.ensemble, self.model)
        return {f"ensemble {number}": member for number, member in enumerate(opened, 1)}

    def predictor(self, networks: Networks) -> inference.Predictor:
        """Return the predictor of these networks with the pruning, ensemble and test-time augmentation asked for."""
        own = inference.NetworkPredictor(self._at_level(networks.segmenter), self.model, self._resizes)
        others = [replace(member, network=networks[name]) for name, member in self._ensemble.items()]
        return inference.tta(inference.ensemble([own, *others]), self.predict_options.tta)

    def _at_level(self, network: nn.Module) -> nn.Module:
        if self.predict_options.level is None:
            return network
        if not isinstance(network, NestedUNet):
            raise UsageError(f"--level works with UNet++ only; these weights are of {self.model.architecture}")
        try:
            return network.prune(self.predict_options.level)
        except ValueError as error:
            raise UsageError(f"--level {self.predict_options.level}: {error}") from error

    @override
    def predict(self, batch: Batch, networks: Networks) -> Batch:
        """Return ``probability`` (B, classes, H, W) for ``input`` (B, C, H, W)."""
        return {"probability": self.predictor(networks)(batch["input"])}

    @override
    def read_inputs(self, path: Path, image: ImageFile) -> dict[str, Tensor]:
        return {"input": channels_of(image, self.model.input_channels)}

    @override
    def render(self, outputs: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> dict[str, OutputImage]:
        return render(outputs["probability"], inputs["input"], self.model, self.predict_options)

    @property
    @override
    def always_renders(self) -> tuple[str, ...]:
        return names(self.model, self.predict_options)

    @property
    @override
    def class_maps(self) -> ClassMaps | None:
        return class_maps(self.model, self.predict_options, self.predict_options.threshold)

    # --- measuring --------------------------------------------------------------------------------------------

    metric_roles = ("segmentation",)

    @override
    def protocols(self) -> Mapping[str, EvaluationProtocol]:
        """Return ``overlap`` (IoU and Dice) and, unless classes exclude each other, ``sweep`` (IoU per threshold)."""
        threshold = self.evaluate_options.threshold
        overlap = metrics.protocol(self.classes, threshold=threshold, multiclass=self.model.multiclass)
        if self.model.multiclass:
            return {"overlap": overlap}
        return {"overlap": overlap, "sweep": metrics.sweep(self.classes, THRESHOLDS)}

    @property
    @override
    def default_protocol(self) -> str:
        return "sweep" if self.evaluate_options.sweep and not self.model.multiclass else "overlap"

    @property
    @override
    def training_protocol(self) -> EvaluationProtocol:
        """The protocol ``overlap`` plus the loss, which only a run knows: weights files do not name it."""
        name = " + ".join(term.to_text() for term in self.settings.loss)
        loss = metrics.MeanLoss(self._loss.loss, name, self.model.multiclass)
        return {**self.protocols()["overlap"], loss.name: loss}

    @override
    def evaluation_data(self, folder: Path | None) -> Segments:
        chosen = self.evaluate_options.dataset
        if chosen.full_name != SAMPLE:
            return Segments(build_source(chosen, evaluation_arguments(folder), self.model), self.model)
        if folder is None:
            return Segments(self._sources["validation"], self.model)
        return Segments(select_evaluated(folder, self.model, self.evaluate_options), self.model)

    @override
    def baselines(self) -> Mapping[str, Method]:
        return {"otsu": Otsu(self.settings)} if len(self.classes) == 1 else {}

    @override
    def sample_row(self, batch: Batch, networks: Networks) -> list[Tensor]:
        """Return the image, the image with the predicted regions, and the image with the target regions."""
        image = as_color(batch["input"][0])
        found = regions(self.predict(batch, networks)["probability"][0], self.model.multiclass)
        target = batch["target"][0]
        right = one_hot_target(target[None], len(self.classes), image.dtype).maps[0] > 0.5
        skip = self.model.multiclass
        return [image, overlay(image, found, skip_first=skip), overlay(image, right, skip_first=skip)]


class UNetSegmentation(Segmentation[UNetSettings]):
    """Segmentation with a U-Net."""


class NestedUNetSegmentation(Segmentation[NestedUNetSettings]):
    """Segmentation with a UNet++."""


class DeepLabSegmentation(Segmentation[DeepLabSettings]):
    """Segmentation with DeepLabV3 or V3+."""

    @override
    def networks(self) -> dict[str, nn.Module]:
        pretrained: dict[str, Any] = {"pretrained": True} if self.settings.pretrained else {}
        return {"segmenter": build_network(self.model, **self.model.given, **pretrained)}
