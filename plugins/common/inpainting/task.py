"""Base classes of inpainting: inputs, use on images of any size, and evaluation."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from restore import registry
from restore.core.contracts import tiling_of
from restore.core.dataset import Batch, ImageDataset
from restore.core.errors import DataError, UsageError
from restore.core.images.files import ImageFile, OutputImage, SourceImage
from restore.core.inference.predictor import Patch
from restore.core.inference.readers import ComputedReader, ImageReader, TensorReader, as_tensor
from restore.core.method import Method, S
from restore.core.metrics import EvaluationProtocol
from restore.core.networks import Networks
from restore.core.specs import ImageSpec, Tiling
from restore.core.task import R, Task
from restore.plugins.common.inpainting.blending import blend
from restore.plugins.common.inpainting.chosen import open_evaluation_images
from restore.plugins.common.inpainting.hole import HoleReader, is_gray_outside, read_hole
from restore.plugins.common.inpainting.mask_input import read_input_hole
from restore.plugins.common.inpainting.metrics import inpainting_protocols, measure_samples
from restore.plugins.common.inpainting.regions import Box, Hole, find_groups
from restore.plugins.common.inpainting.windowed import WindowedInpainting
from restore.plugins.common.masks.settings import InpaintingEvaluateOptions, InpaintingPredictOptions, MaskSettings

_COVERED = "the mask covers the whole image, so no known pixel is left"

MASK = ImageSpec(channels=1, padding="zero", smooth=False)


def list_stages(output: Tensor | Sequence[Tensor]) -> list[Tensor]:
    """Return the stages of a generator's output, images (B, 3, H, W) from coarse to fine; the last one counts."""
    return [output] if isinstance(output, Tensor) else list(output)


class Inpainting(Method[S, InpaintingPredictOptions, InpaintingEvaluateOptions]):
    """Base of all inpainting methods, learned or classical. Subclasses add `fill`, and networks with their training."""

    @property
    def window(self) -> int:
        """Largest side in pixels that the networks process at once; larger holes are filled coarse to fine."""
        return 256

    @abstractmethod
    def fill(self, image: Tensor, mask: Tensor, networks: Networks) -> Tensor:
        """Inpaint images of any height and width. A network that needs multiples pads and crops here.

        Args:
            image: images (B, 3, H, W) in [0, 1], black inside the hole.
            mask: masks (B, 1, H, W), 1 inside the hole, else 0.
            networks: the networks.

        Returns:
            Images (B, 3, H, W) in [0, 1]; only the pixels inside the hole are used.
        """

    # --- using ------------------------------------------------------------------------------------------------

    @property
    @override
    def inputs(self) -> Mapping[str, ImageSpec]:
        """The image, and a mask with ones inside the hole. The content of the image there does not matter."""
        return {"input": ImageSpec(), "mask": MASK}

    @property
    @override
    def tiling(self) -> Tiling:
        return Tiling("whole", halo=0)  # `predict` cuts windows around the holes

    pixel_reach: ClassVar[int | None] = 0

    @override
    def read_inputs(self, path: Path, image: ImageFile) -> dict[str, Tensor]:
        """Read the image and its mask; `read_input_hole` lists the errors.

        Raises UsageError if the feather is wider than the processed context of a hole.
        """
        mask = HoleReader(self._read_hole(path, image))
        return {"input": image.color, "mask": as_tensor(mask)}

    @override
    def open_inputs(self, path: Path, image: SourceImage) -> Mapping[str, Tensor | ImageReader]:
        color = ComputedReader((3, *image.size), lambda rows, columns: image.crop(rows, columns).color)
        return {"input": color, "mask": HoleReader(self._read_hole(path, image))}

    def _read_hole(self, path: Path, image: ImageFile | SourceImage) -> Hole:
        hole = read_input_hole(path, image, self.predict_options)
        self._refuse_wide_feather(path, self.predict_options.feather, hole)
        return hole

    def _refuse_wide_feather(self, path: Path, feather: int, hole: Hole) -> None:
        """Raise UsageError if the feather around a hole would end outside the processed window."""
        window, context = self._window_and_context()
        if self._fits(*hole.shape) or feather <= context:
            return
        for box, _ in find_groups(hole, context // 2):
            if box.largest_side + 2 * feather > window:
                raise UsageError(
                    f"{path}: --feather {feather} is too wide: the hole with its feather does not fit into the window "
                    f"of {window} pixels, so only {context} pixels around it are processed; use --feather {context} "
                    "or less, a larger --context (less than half of the window), or a larger --window"
                )

    @override
    def predict(self, batch: Batch, networks: Networks) -> Batch:
        """Return ``output``: the image with its hole filled by values in [0, 1].

        Pixels outside the hole are unchanged, bit for bit, unless an option of `InpaintingPredictOptions` changes them.
        Raises DataError if the mask covers the whole image.
        """
        images, masks = batch["input"], (batch["mask"] > 0.5).to(batch["input"].dtype)
        if bool(masks.flatten(1).all(1).any()):
            raise DataError(_COVERED)
        if not masks.any():
            return {"output": images}
        if self._fits(images.shape[-2], images.shape[-1]):
            return {"output": self._fill_whole(images, masks, networks, gray=None)}
        results = []
        for image, mask in zip(images, masks, strict=True):
            result = image.clone()
            hole = read_hole(TensorReader(mask))
            for patch in self._patches(TensorReader(image), hole, networks, image.device):
                rows, columns = slice(patch.top, patch.bottom), slice(patch.left, patch.left + patch.values.shape[-1])
                chosen, values = patch.chosen.to(image.device), patch.values.to(image)
                result[:, rows, columns] = torch.where(chosen, values, result[:, rows, columns])
            results.append(result)
        return {"output": torch.stack(results)}

    @override
    def export_forward(self, batch: Batch, networks: Networks) -> Tensor:
        """Return the image with its hole filled, in [0, 1]: `predict` without windows, feather and blending."""
        image, mask = batch["input"], (batch["mask"] > 0.5).to(batch["input"].dtype)
        answer = self.fill(image * (1 - mask), mask, networks).clamp(0, 1)
        return torch.where(mask > 0.5, answer, image)

    @override
    def export_multiple_of(self, networks: Networks) -> int:
        return math.lcm(*(tiling_of(network).multiple_of for network in networks.values()))

    @override
    def patches(self, inputs: Mapping[str, ImageReader], networks: Networks, device: torch.device) -> Iterator[Patch]:
        """Return one patch for each group of holes, or a single one if the image is processed as a whole.

        Raises DataError if the mask covers the whole image.
        """
        hole = read_hole(inputs["mask"])
        if bool(hole.all()):
            raise DataError(_COVERED)
        if not hole.any():
            return iter(())
        if self._fits(*hole.shape):
            return self.single_patch(inputs["input"], hole, networks, device)
        return self._patches(inputs["input"], hole, networks, device)

    def _fits(self, height: int, width: int) -> bool:
        """Return whether an image is processed as a whole."""
        return max(height, width) <= self._window_and_context()[0]

    def _fill_whole(self, images: Tensor, masks: Tensor, networks: Networks, gray: bool | None) -> Tensor:
        """Fill images (B, 3, H, W) with masks (B, 1, H, W) as a whole."""
        answers = self.fill(images * (1 - masks), masks, networks).to(images.dtype)
        return torch.stack([self.blend(*each, gray) for each in zip(answers, images, masks, strict=True)])

    def blend(self, answer: Tensor, image: Tensor, mask: Tensor, gray: bool | None) -> Tensor:
        """Return an image (3, h, w) with the answer blended into its hole, as the options say; see `blend`."""
        options = self.predict_options
        return blend(answer, image, mask, feather=options.feather, poisson=options.blend == "poisson", gray=gray)

    def single_patch(
        self, reader: ImageReader, hole: Hole, networks: Networks, device: torch.device
    ) -> Iterator[Patch]:
        """Yield the patch of an image that is processed as a whole."""
        image, mask = as_tensor(reader).to(device), torch.from_numpy(hole)[None].to(device, torch.float32)
        values = self._fill_whole(image[None], mask[None], networks, gray=None)[0].cpu()
        yield Patch(0, 0, values, torch.ones(1, *hole.shape, dtype=torch.bool))

    def _patches(self, reader: ImageReader, hole: Hole, networks: Networks, device: torch.device) -> Iterator[Patch]:
        """Yield a patch for each group of holes of an image that does not fit into the window."""
        window, context = self._window_and_context()
        feather = self.predict_options.feather
        parts = WindowedInpainting(lambda image, mask: self.fill(image, mask, networks), window, context, feather)

        def read(box: Box) -> tuple[Tensor, Tensor]:
            mask = torch.from_numpy(hole[box.rows, box.columns])[None]
            return reader.window(box.rows, box.columns).to(device), mask.to(device, torch.float32)

        gray = is_gray_outside(reader, hole)
        for box, own in parts.groups(hole):
            answer = parts.answer(box, own, (hole.shape[0], hole.shape[1]), read)
            values = torch.where(answer.wanted, answer.values, answer.image)
            values = self.blend(values, answer.image, answer.mask, gray)
            changed = box.widen(feather, *hole.shape).common(answer.seen)
            place = changed.relative_to(answer.seen).place
            yield Patch(changed.top, changed.left, values[place].cpu(), answer.wanted[place].cpu())

    def _window_and_context(self) -> tuple[int, int]:
        """Return the largest side that is processed at once, and how much of it is context of a hole, in pixels."""
        options = self.predict_options
        window = options.window or self.window
        return window, min(options.context or window // 4, (window - 1) // 2)

    @override
    def render(self, outputs: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> Mapping[str, Tensor | OutputImage]:
        """Return the inpainted image. Transparent pixels that served as the mask become opaque."""
        return {"": OutputImage(outputs["output"], alpha=self.predict_options.automatic != "alpha")}

    # --- measuring --------------------------------------------------------------------------------------------

    metric_roles = ("image", "inpainting")

    @override
    def protocols(self) -> Mapping[str, EvaluationProtocol]:
        """Return ``inpainting``, ``kinds`` and ``buckets``."""
        return inpainting_protocols(self.evaluate_options.masks.kinds)

    @property
    @override
    def default_protocol(self) -> str:
        return "inpainting"

    @override
    def evaluation_data(self, folder: Path | None) -> ImageDataset:
        return open_evaluation_images(folder, self.evaluate_options.dataset, self.evaluate_options.masks)

    @override
    def measure(self, batch: Batch, networks: Networks, protocol: EvaluationProtocol) -> dict[str, Tensor]:
        return measure_samples(self.predict(batch, networks)["output"], batch, protocol)


class InpaintingTask(Inpainting[R], Task[R, InpaintingPredictOptions, InpaintingEvaluateOptions]):
    """Base of the inpainting families that are trained."""

    @property
    @override
    def training_protocol(self) -> EvaluationProtocol:
        """``kinds`` if several kinds of masks are drawn, so that the log shows each; else ``inpainting``."""
        masks: MaskSettings = self.settings.masks  # type: ignore[attr-defined]  # every such family has them
        several = masks.folder is None and len(masks.kinds) > 1
        return inpainting_protocols(masks.kinds)["kinds" if several else "inpainting"]

    @override
    def baselines(self) -> Mapping[str, Method]:
        methods = {name: registry.get("tasks", f"classic/{name}") for name in ("mean", "nearest-known", "smooth")}
        return {name: method(method.settings_type()) for name, method in methods.items()}
