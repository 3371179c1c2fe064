"""Segmentation as a task: one network, its pictures and masks, and how it is used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

from torch import Tensor, nn

from restore import registry
from restore.core.errors import UsageError
from restore.core.measuring import EvaluationProtocol
from restore.core.pictures.files import Picture
from restore.core.planes import Plane, Rendered, Tiling
from restore.core.settings import RunSettings, Settings
from restore.core.steps import Batch, Modules, Phase, Step, Terms, Turn
from restore.core.task import Task
from restore.plugins.unet import inference, metrics
from restore.plugins.unet.data.dataset import Segments, Source, channels_of
from restore.plugins.unet.data.splits import evaluated_source, sources
from restore.plugins.unet.losses import EveryHead
from restore.plugins.unet.networks.unet import NestedUNet
from restore.plugins.unet.options import EvaluateSettings, MeasuredSettings, PredictSettings, UseSettings
from restore.plugins.unet.otsu import Otsu
from restore.plugins.unet.rendering import as_colour, overlay, regions, render
from restore.plugins.unet.settings import (
    DeepLabModel,
    DeepLabSettings,
    ModelSettings,
    NestedUNetSettings,
    SegmentationSettings,
    UNetModel,
    UNetSettings,
)
from restore.plugins.unet.targets import one_hot_target

HALO = 64
"""Pixels around a tile: the first two levels see less than this, the coarser ones more, which cross-fading hides."""

THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(1, 20))


class Segmentation(Task):
    """Find regions: ``input`` (C, H, W) in [0, 1] becomes ``probability`` (classes, H, W)."""

    settings: SegmentationSettings
    settings_type: ClassVar[type[RunSettings]] = SegmentationSettings
    channels_last: ClassVar[bool] = True

    def __init__(self, settings: RunSettings, options: Settings | None = None) -> None:
        assert isinstance(settings, SegmentationSettings)
        # Without the names of the classes there is no telling how many maps the network has.
        super().__init__(settings if settings.model.classes else settings.decided(), options)
        self.model = self.settings.model
        self.use = options if isinstance(options, UseSettings) else UseSettings()
        self.classes = tuple(self.model.classes or ())

    @classmethod
    def miniature(cls, **changes: Any) -> RunSettings:
        """Small pictures, and as narrow and shallow a network as the architecture knows."""
        model = cls.settings_type.model_fields["model"].annotation
        assert isinstance(model, type)
        assert issubclass(model, ModelSettings)
        least = {"width": 4, "depth": 2, "size": (32, 32)}
        known = {name: value for name, value in least.items() if name in model.model_fields}
        return super().miniature(**{"model": known, **changes})

    def networks(self) -> dict[str, nn.Module]:
        """The network, under the name ``segmenter``."""
        return {"segmenter": registry.get("architectures", self.model.architecture)(**self.model.arguments())}

    def frozen(self) -> dict[str, nn.Module]:
        """The networks of ``--ensemble``, where these weights are used."""
        return {name: member.network for name, member in self._ensemble.items()}

    # --- training ---------------------------------------------------------------------------------------------

    def phases(self) -> Sequence[Phase]:
        """One phase, whose best weights are those with the highest IoU over the set."""
        return [Phase("segment", self.settings.epochs, {"segmenter": self.settings.optimizer}, monitor="iou")]

    def data(self, split: Literal["train", "validation"], phase: Phase) -> Segments:  # noqa: ARG002 - there is one
        """Varied pictures to train on, plain ones to validate on."""
        chosen = self._sources[split]
        if split == "validation":
            return Segments(chosen, self.model)
        from restore.plugins.unet.data.augmentation import (
            make_augmentation,  # it imports torchvision, which takes seconds
        )

        return Segments(chosen, self.model, make_augmentation(self.settings.augment, self.model.input_channels))

    def train_step(self, batch: Batch, turn: Turn, step: Step) -> None:  # noqa: ARG002 - every step is alike
        """Move the network by the loss of its logits, averaged over its heads."""

        def closure(modules: Modules) -> Terms:
            return self._loss(modules.segmenter(inference.normalize(batch["input"], self.model)), batch)

        turn("segmenter", closure)

    @cached_property
    def _sources(self) -> Mapping[str, Source]:
        return sources(self.settings)

    @cached_property
    def _loss(self) -> EveryHead:
        return EveryHead(registry.get("losses", self.settings.loss)())

    # --- using ------------------------------------------------------------------------------------------------

    @property
    def inputs(self) -> Mapping[str, Plane]:
        """The picture with as many channels as the network reads."""
        return {"input": Plane(channels=self.model.input_channels)}

    @property
    def outputs(self) -> Mapping[str, Plane]:
        """One map of probabilities for each class."""
        return {"probability": Plane(channels=len(self.classes))}

    @property
    def tiling(self) -> Tiling:
        """Cross-faded tiles; networks that look at pictures at their training size must see them whole."""
        if self._resizes or any(member.resize for member in self._ensemble.values()):
            return Tiling("whole")
        halvings = self.model.depth if isinstance(self.model, UNetModel) else 4
        return Tiling("blend", halo=HALO, multiple_of=2**halvings)

    @property
    def _resizes(self) -> bool:
        at = self.use.inference_size if isinstance(self.use, PredictSettings) else "auto"
        return at == "training" or (at == "auto" and self.model.fit == "resize")

    @cached_property
    def _ensemble(self) -> dict[str, inference.NetworkPredictor]:
        opened = inference.open_ensemble(self.use.ensemble, self.model)
        return {f"ensemble {number}": member for number, member in enumerate(opened, 1)}

    def predictor(self, modules: Modules) -> inference.Predictor:
        """Probabilities by these networks with the pruning, ensemble and test-time augmentation of the options."""
        own = inference.NetworkPredictor(self._at_level(modules.segmenter), self.model, self._resizes)
        others = [replace(member, network=self.fixed[name]) for name, member in self._ensemble.items()]
        return inference.tta(inference.ensemble([own, *others]), self.use.tta)

    def _at_level(self, network: nn.Module) -> nn.Module:
        if self.use.level is None:
            return network
        if not isinstance(network, NestedUNet):
            raise UsageError(f"--level prunes a UNet++; these weights are of {self.model.architecture}")
        try:
            return network.pruned(self.use.level)
        except ValueError as error:
            raise UsageError(f"--level {self.use.level}: {error}") from error

    def predict(self, batch: Batch, modules: Modules) -> Batch:
        """Probabilities (B, classes, H, W) of pictures (B, C, H, W)."""
        return {"probability": self.predictor(modules)(batch["input"])}

    def read_inputs(self, path: Path, picture: Picture) -> dict[str, Tensor]:  # noqa: ARG002 - the picture is all
        """The planes that the network reads."""
        return {"input": channels_of(picture, self.model.input_channels)}

    def render(self, outputs: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> dict[str, Rendered]:
        """Masks, probability maps and overlays, as far as they are asked for."""
        options = self.use if isinstance(self.use, PredictSettings) else PredictSettings()
        return render(outputs["probability"], inputs["input"], self.model, options)

    # --- measuring --------------------------------------------------------------------------------------------

    def protocols(self) -> Mapping[str, EvaluationProtocol]:
        """``overlap``: IoU and Dice; ``sweep``: IoU at 19 thresholds. With --sweep the second one comes first."""
        options = self.use if isinstance(self.use, EvaluateSettings) else EvaluateSettings()
        overlap = metrics.protocol(self.classes, threshold=options.threshold, multiclass=self.model.multiclass)
        if self.options is None:  # a run: what it trains is worth watching, but is no property of the weights
            loss = metrics.MeanLoss(self._loss.loss, self.settings.loss, self.model.multiclass)
            overlap = EvaluationProtocol(overlap.name, {**overlap.metrics, loss.name: loss})
        if self.model.multiclass:
            return {"overlap": overlap}
        sweep = metrics.sweep(self.classes, THRESHOLDS)
        return {"sweep": sweep, "overlap": overlap} if options.sweep else {"overlap": overlap, "sweep": sweep}

    def evaluation_data(self, folder: Path | None) -> Segments:
        """Pictures and masks of a folder, or the part of it that was asked for; without one those of validation."""
        if folder is None:
            return Segments(self._sources["validation"], self.model)
        options = self.use if isinstance(self.use, MeasuredSettings) else MeasuredSettings()
        return Segments(evaluated_source(folder, self.model, options), self.model)

    def baselines(self) -> Mapping[str, Task]:
        """Otsu's threshold, where there is one class."""
        return {"otsu": Otsu(self.settings)} if len(self.classes) == 1 else {}

    def sample_row(self, batch: Batch, modules: Modules) -> list[Tensor]:
        """The picture, the picture with what was found, and with what is right."""
        picture = as_colour(batch["input"][0])
        found = regions(self.predict(batch, modules)["probability"][0], self.model.multiclass)
        target = batch["target"][0]
        right = one_hot_target(target[None], len(self.classes), picture.dtype).maps[0] > 0.5
        skip = self.model.multiclass
        return [picture, overlay(picture, found, skip_first=skip), overlay(picture, right, skip_first=skip)]


class UNetSegmentation(Segmentation):
    """Segmentation by a U-Net."""

    settings_type: ClassVar[type[RunSettings]] = UNetSettings


class NestedUNetSegmentation(Segmentation):
    """Segmentation by a UNet++."""

    settings_type: ClassVar[type[RunSettings]] = NestedUNetSettings


class DeepLabSegmentation(Segmentation):
    """Segmentation by a DeepLab."""

    settings_type: ClassVar[type[RunSettings]] = DeepLabSettings

    def networks(self) -> dict[str, nn.Module]:
        """The network, under the name ``segmenter``; with ``pretrained`` its backbone is downloaded."""
        assert isinstance(self.settings, DeepLabSettings)
        assert isinstance(self.model, DeepLabModel)
        build = registry.get("architectures", self.model.architecture)
        return {"segmenter": build(**self.model.arguments(), pretrained=self.settings.pretrained)}
