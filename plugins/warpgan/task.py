"""WarpGAN: caricatures by style transfer and warping that keep the identity (Shi et al., 2019)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from typing_extensions import override

from restore.core.dataset import Batch, ImageDataset
from restore.core.errors import NotExportable, UsageError
from restore.core.images.files import ImageFile, OutputImage, read_image
from restore.core.metrics import EvaluationProtocol
from restore.core.networks import Networks
from restore.core.runtime.devices import in_float64
from restore.core.settings import RunSettings
from restore.core.specs import ImageSpec, Tiling
from restore.core.task import Task
from restore.core.training_step import Phase, TrainStep
from restore.plugins.common.adversarial.diagnostics import Remedies, gan_health
from restore.plugins.common.architectures import build_network
from restore.plugins.common.learned.inception import inception_features
from restore.plugins.warpgan import metrics
from restore.plugins.warpgan.data.dataset import FaceFiles, Pairs, galleries, read_identities
from restore.plugins.warpgan.letterbox import Letterbox
from restore.plugins.warpgan.networks.generator import Drawing
from restore.plugins.warpgan.networks.warping import warp
from restore.plugins.warpgan.options import WarpGANEvaluateOptions, WarpGANPredictOptions
from restore.plugins.warpgan.rendering import check_sheet, draw_points, mark_points
from restore.plugins.warpgan.settings import WarpGANSettings
from restore.plugins.warpgan.step import WarpGANStep

PRETRAIN, ADVERSARIAL = "pretrain", "adversarial"

OUTSIDE_LIMIT = 0.5
"""Fraction of control points outside the image above which training needs a remedy."""

REMEDIES = Remedies(
    discriminator_won="lower --adversarial.discriminator.lr, or pretrain shorter",
    vanished="raise its learning rate (lr)",
    apart="bring --adversarial.generator.lr and --adversarial.discriminator.lr together",
    collapsed="raise --loss.caricature-texture, or raise --batch-size",
    checkerboard="train longer, or raise --loss.photograph-texture and --loss.caricature-texture",
)


class WarpGAN(Task[WarpGANSettings, WarpGANPredictOptions, WarpGANEvaluateOptions]):
    """WarpGAN: caricatures by style transfer and learned control-point warping that keep the identity.

    The discriminator first learns face recognition (``pretrain``). Then generator and discriminator train against each
    other: in one phase with less image detail for each size in ``adversarial.progressive``, then with all detail
    (``adversarial``). Weights files contain the discriminator too, because it measures how well identities are kept. A
    weights file without one, such as an imported one, knows no identities and needs another embedder.
    """

    @classmethod
    @override
    def tiny_settings(cls, **changes: Any) -> RunSettings:
        discriminator = {"channels": 2, "embedding": 8}
        model = {"size": 32, "channels": 2, "points": 4, "style": 3, "discriminator": discriminator}
        return super().tiny_settings(**{"model": model, **changes})

    # --- networks ---------------------------------------------------------------------------------------------

    @override
    def networks(self) -> dict[str, nn.Module]:
        model = self.settings.model
        faces = (model.size, model.size)
        generator = build_network(model, input_size=faces, size=model.size, style=model.style)
        if not model.identities:  # as in imported weights
            return {"generator": generator}
        discriminator = build_network(
            model.discriminator, input_size=faces, size=model.size, identities=model.identities
        )
        return {"generator": generator, "discriminator": discriminator}

    # --- training ---------------------------------------------------------------------------------------------

    @override
    def phases(self) -> Sequence[Phase]:
        chosen = self.settings.adversarial
        pretrain, _ = self.settings.split()
        *growing, last = self.settings.parts()
        adversarial = {"discriminator": chosen.discriminator, "generator": chosen.generator}
        found = [Phase(PRETRAIN, pretrain, {"discriminator": self.settings.pretrain.optimizer})] if pretrain else []
        for size, epochs in zip(chosen.progressive, growing, strict=True):
            found.append(Phase(f"{ADVERSARIAL}-{size}", epochs, adversarial, start="last"))
        return [*found, Phase(ADVERSARIAL, last, adversarial, start="last")]

    @override
    def dataset(self, split: Literal["train", "validation"], phase: Phase) -> ImageDataset:
        detail = phase.name.removeprefix(f"{ADVERSARIAL}-")
        gallery, training = galleries(self.settings)[split], split == "train"
        return Pairs(
            gallery,
            training=training,
            flip=self.settings.flip,
            detail=int(detail) if training and detail.isdigit() else None,
        )

    @override
    def train_step(self, batch: Batch, step: TrainStep) -> None:
        photograph, caricature = 2 * batch["input"] - 1, 2 * batch["target"] - 1
        identity = batch["identity"]
        style = None
        if step.phase != PRETRAIN:
            style = torch.randn(len(identity), self.settings.model.style, device=identity.device)
        losses = WarpGANStep(photograph, caricature, identity, style, self.settings.loss, step.log)
        if style is None:
            step.optimize("discriminator", losses.pretraining_loss)
            return
        step.optimize("discriminator", losses.discriminator_loss)
        step.optimize("generator", losses.generator_loss)

    @override
    def health(self, numbers: Mapping[str, float]) -> str | None:
        # Without sharpness: drawn lines are sharper than anything that a generator makes early in training.
        found = [gan_health({name: value for name, value in numbers.items() if name != "sharpness"}, REMEDIES)]
        if numbers.get("warp_outside", 0) > OUTSIDE_LIMIT:
            found.append(
                f"more than {OUTSIDE_LIMIT:.0%} of the control points are outside the image, where they have no "
                "visible effect; raise --loss.outside"
            )
        return "\n".join(filter(None, found)) or None

    # --- using ------------------------------------------------------------------------------------------------

    @property
    @override
    def outputs(self) -> Mapping[str, ImageSpec]:
        """One image per style, one per style and exaggeration of the sweep, and the warp if it is drawn."""
        asked, named = self.predict_options, self._style_names()
        planes = {name: ImageSpec() for name in named}
        planes |= {f"{name}@{number}": ImageSpec() for name in named for number in range(len(asked.exaggerations))}
        if asked.draw_points:
            planes |= {"marks": ImageSpec(3, smooth=False), "flow": ImageSpec(2)}
        return planes

    @property
    @override
    def main_output(self) -> str:
        return self._style_names()[0]

    @property
    @override
    def tiling(self) -> Tiling:
        return Tiling("whole")  # the networks need the whole face

    @override
    def read_inputs(self, path: Path, image: ImageFile) -> dict[str, Tensor]:
        """Make the input tensor. Raises UsageError if the sheet of the sweep would be too large."""
        check_sheet(path, image.size, len(self._style_names()), len(self.predict_options.exaggerations))
        return super().read_inputs(path, image)

    def _style_names(self) -> list[str]:
        asked = self.predict_options
        return ["styled"] if asked.style_of else [f"style{number + 1}" for number in range(asked.styles)]

    def styles(self, networks: Networks, *, count: int, seed: int, like: Path | None = None) -> Tensor:
        """Return random style codes (count, style), or the style code (1, style) of a caricature.

        Raises UsageError or DataError if the caricature cannot be read.

        Args:
            networks: the networks.
            count: number of random codes.
            seed: seed of the random codes.
            like: file of the caricature; None returns random codes.
        """
        if like is None:
            return torch.randn(count, self.settings.model.style, generator=torch.Generator().manual_seed(seed))
        device = next(networks.generator.parameters()).device
        face = Letterbox.of(read_image(like).color[None], self.settings.model.size).faces.to(device)
        style: Tensor = networks.generator(2 * face - 1).encoded_style
        return style.cpu()

    def draw(
        self, faces: Tensor, networks: Networks, style: Tensor, scale: float, moved: Tensor | None = None
    ) -> Drawing:
        """Draw faces in one style.

        Args:
            faces: images (B, 3, size, size) in [0, 1].
            networks: the networks.
            style: style code (style,).
            scale: exaggeration: factor of the displacements.
            moved: control points and where they move, (2, P, 2) as rows and columns of the faces; None: predicted.
        """
        styles = style.to(faces).expand(len(faces), -1)
        drawing: Drawing = networks.generator(2 * faces - 1, styles, faces.new_full((len(faces),), scale))
        if moved is None:
            return drawing
        points, goals = moved.to(faces.device).expand(len(faces), -1, -1, -1).unbind(1)
        displacements = scale * (goals - points)
        points, displacements = points.to(drawing.points), displacements.to(drawing.points)
        warped = warp(drawing.rendered, points, displacements)
        return drawing._replace(image=warped.image, points=points, displacements=displacements, flow=warped.flow)

    @override
    def choose_options(self, inputs: Batch, networks: Networks) -> Mapping[str, Any]:
        """Return the predicted control points as ``control_points``, unless they are given."""
        if self.predict_options.control_points is not None:
            return {}
        letterbox = Letterbox.of(inputs["input"], self.settings.model.size)
        drawing = self.draw(letterbox.faces, networks, torch.zeros(self.settings.model.style), 1.0)
        # In float64, so that the way back gives the same float32.
        points, displacements = in_float64(drawing.points), in_float64(drawing.displacements)
        moved = torch.cat([letterbox.places(points), letterbox.places(points + displacements)], -1)
        return {"control_points": moved[0][:, [1, 0, 3, 2]].tolist()}

    def _get_given_points(self, letterbox: Letterbox) -> Tensor | None:
        """Return the control points of the options and where they move, (2, P, 2) as rows and columns of the faces."""
        if self.predict_options.control_points is None:
            return None
        given = torch.tensor(self.predict_options.control_points, dtype=torch.float64)  # (P, 4): x, y, to_x, to_y
        return letterbox.places_in_faces(torch.stack([given[:, [1, 0]], given[:, [3, 2]]]))

    @override
    def predict(self, batch: Batch, networks: Networks) -> Batch:
        """Draw every image in every style.

        The networks draw at their training size; the outputs have the size of the inputs. Images that are not square
        are padded to a square by repeating their edges.
        """
        asked = self.predict_options
        letterbox = Letterbox.of(batch["input"], self.settings.model.size)
        styles = self.styles(networks, count=asked.styles, seed=asked.seed, like=asked.style_of)
        moved = self._get_given_points(letterbox)
        outputs: Batch = {}
        for name, style in zip(self._style_names(), styles, strict=True):
            drawing = self.draw(letterbox.faces, networks, style, asked.exaggeration, moved)
            outputs[name] = letterbox.back((drawing.image + 1) / 2).clamp(0, 1)
            for number, scale in enumerate(asked.exaggerations):
                warped = self.draw(letterbox.faces, networks, style, scale, moved).image
                outputs[f"{name}@{number}"] = letterbox.back((warped + 1) / 2).clamp(0, 1)
        if asked.draw_points:  # the warp does not depend on the style
            outputs["flow"] = letterbox.back(drawing.flow) * letterbox.factor
            placed = zip(letterbox.places(drawing.points), letterbox.factor * drawing.displacements, strict=True)
            outputs["marks"] = torch.stack([mark_points(*each, letterbox.height, letterbox.width) for each in placed])
        return outputs

    @property
    @override
    def always_renders(self) -> tuple[str, ...]:
        options = self.predict_options
        return (*self._style_names(), *["sweep"] * bool(options.exaggerations), *["points"] * options.draw_points)

    @override
    def export_forward(self, batch: Batch, networks: Networks) -> Tensor:
        """Refuse: a caricature needs a style code and an exaggeration besides the photograph."""
        raise NotExportable(
            "a caricature is drawn from a photograph, a style code and an exaggeration, and a graph gets images alone"
        )

    @override
    def render(self, outputs: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> dict[str, Tensor | OutputImage]:
        """Return the image of each style, ``sweep`` (one row per style) and ``points``.

        They do not inherit alpha, because the warp has moved the shapes.
        """
        named, scales = self._style_names(), range(len(self.predict_options.exaggerations))
        images = {name: outputs[name] for name in named}
        if scales:
            rows = [torch.cat([outputs[f"{name}@{number}"] for number in scales], dim=2) for name in named]
            images["sweep"] = torch.cat(rows, dim=1)
        if self.predict_options.draw_points:
            images["points"] = draw_points(inputs["input"], outputs["marks"], outputs["flow"])
        return {name: OutputImage(image, alpha=False) for name, image in images.items()}

    # --- measuring --------------------------------------------------------------------------------------------

    @override
    def evaluation_data(self, folder: Path | None) -> ImageDataset:
        listed = self.evaluate_options.list_file
        if folder is None:
            if listed is not None:
                raise UsageError("--list needs --data")
            return Pairs(galleries(self.settings)["validation"], training=False)
        return Pairs(FaceFiles(read_identities(folder, listed), self.settings.model.size), training=False)

    metric_roles = ()  # a target is another drawing of the person, not what the output should be

    @override
    def protocols(self) -> Mapping[str, EvaluationProtocol]:
        """Return ``caricature``: statistics of the warp, the texture error, and how well identities are kept."""
        return {"caricature": self._protocol(known=False)}

    @property
    @override
    def training_protocol(self) -> EvaluationProtocol:
        """The protocol ``caricature`` with the discriminator's accuracy on the identities of the run added."""
        return self._protocol(known=True)

    def _protocol(self, *, known: bool) -> EvaluationProtocol:
        return metrics.metrics(self._embedder(), known, self.evaluate_options.fid)

    def _embedder(self) -> metrics.FaceEmbedder | None:
        """Return the network that compares faces: the given recognizer, else the discriminator if there is one."""
        options = self.evaluate_options
        if options.embedder is not None:
            return metrics.OnnxEmbedder.read(options.embedder, options.embedder_size)
        return metrics.DiscriminatorEmbedder() if self.settings.model.identities else None

    @override
    def measure(self, batch: Batch, networks: Networks, protocol: EvaluationProtocol) -> dict[str, Tensor]:
        """Compute the statistics of each photograph, drawn in two random styles."""
        fid = self.evaluate_options.fid
        looks = inception_features(fid) if fid else None
        numbers = metrics.numbers(batch, networks, self.settings.model.style, self._embedder(), looks)
        return {name: metric.measure(numbers[name], batch["target"]) for name, metric in protocol.items()}

    @override
    def sample_row(self, batch: Batch, networks: Networks) -> list[Tensor]:
        """Return the photograph, its drawing without warp, with the learned warp and with twice the warp, and a real
        caricature."""
        style = torch.randn(self.settings.model.style)
        drawing, twice = (self.draw(batch["input"], networks, style, scale) for scale in (1.0, 2.0))
        drawn = [(image + 1) / 2 for image in (drawing.rendered, drawing.image, twice.image)]
        return [image[0].clamp(0, 1) for image in (batch["input"], *drawn, batch["target"])]
