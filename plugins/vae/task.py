"""The autoencoder and the variational autoencoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from typing_extensions import TypeVar, override

from restore.core.contracts import tiling_of
from restore.core.dataset import Batch, ImageDataset
from restore.core.images.files import ImageFile, SourceImage, read_image
from restore.core.inference.readers import ComputedReader, ImageReader
from restore.core.metrics import EvaluationProtocol
from restore.core.networks import Networks
from restore.core.optimizer_settings import ScheduleSettings
from restore.core.settings import RunSettings
from restore.core.specs import ImageSpec, Tiling
from restore.core.task import Task
from restore.core.training_step import Phase, Terms, TrainStep
from restore.plugins.common.animation import resize_to_cover
from restore.plugins.common.architectures import build_network, build_without_weights
from restore.plugins.common.images.augment import recolor
from restore.plugins.common.losses import MSE
from restore.plugins.common.metrics import PrecomputedMetric, measure_samples
from restore.plugins.common.super_resolution.chosen import open_evaluation_pairs, training_pairs
from restore.plugins.common.super_resolution.protocols import super_resolution_protocols
from restore.plugins.common.super_resolution.settings import SuperResolutionEvaluateOptions
from restore.plugins.vae.metrics import ActiveUnits, moments
from restore.plugins.vae.settings import (
    AutoencoderEvaluateOptions,
    AutoencoderPredictOptions,
    AutoencoderSettings,
    VAESettings,
)
from restore.plugins.vae.variational import Gaussian, Posterior, charge_free_bits, importance_weight, log_weights

WARMUP = "warm-up"


A = TypeVar("A", bound=AutoencoderSettings, default=AutoencoderSettings)
E = TypeVar("E", bound=SuperResolutionEvaluateOptions, default=SuperResolutionEvaluateOptions)


class Autoencoder(Task[A, AutoencoderPredictOptions, E]):
    """Encodes an image into a latent code and decodes it, larger than the input if ``model.scale`` is above 1."""

    channels_last: ClassVar[bool] = True

    @classmethod
    @override
    def tiny_settings(cls, **changes: Any) -> RunSettings:
        return super().tiny_settings(**{"model": {"channels": 4, "depth": 2, "latent": 3}, "crop_size": 8, **changes})

    variational: ClassVar[bool] = False
    """Whether the encoder returns the mean and the log-variance of a code instead of the code."""

    @override
    def networks(self) -> dict[str, nn.Module]:
        network: Any = build_network(self.settings.model, **self._network_arguments)
        return {"encoder": network.encoder, "decoder": network.decoder}  # separate, because each can be used alone

    @property
    def _network_arguments(self) -> dict[str, Any]:
        """The arguments that a network of the role gets."""
        model = self.settings.model
        return {"latent": model.latent, "scale": model.scale, "variational": self.variational}

    trained: ClassVar[tuple[str, ...]] = ("encoder", "decoder")
    """Names of all networks; one optimizer trains them."""

    def code(self, encoded: Tensor) -> Tensor:
        """Return the latent code (B, latent, h, w) of an encoder's output."""
        return encoded

    @override
    def phases(self) -> Sequence[Phase]:
        optimizers, trains = {"autoencoder": self.settings.optimizer}, {"autoencoder": self.trained}
        return [Phase("reconstruction", self.settings.epochs, optimizers, trains, monitor="psnr")]

    @override
    def dataset(self, split: Literal["train", "validation"], phase: Phase) -> ImageDataset:
        scale, crop_size = self.settings.model.scale, self.settings.crop_size
        return training_pairs(split, self.settings, self.settings.dataset, scale=scale, crop_size=crop_size)

    @override
    def evaluation_data(self, folder: Path | None) -> ImageDataset:
        return open_evaluation_pairs(folder, self.evaluate_options.dataset, self.settings.model.scale)

    @override
    def train_step(self, batch: Batch, step: TrainStep) -> None:
        batch = recolor(batch) if self.settings.recolor else batch

        def reconstruct(nets: Networks) -> Terms:
            encoded = nets.encoder(batch["input"])
            return MSE()(nets.decoder(encoded, *batch["target"].shape[-2:]), batch)

        step.optimize("autoencoder", reconstruct)

    @property
    @override
    def inputs(self) -> Mapping[str, ImageSpec]:
        names = ["input"] if self.predict_options.toward is None else ["input", "toward"]
        return {name: ImageSpec(padding="edge") for name in names}  # the encoder pads in the same way

    @property
    @override
    def outputs(self) -> Mapping[str, ImageSpec]:
        return {"output": ImageSpec(scale=self.settings.model.scale)}

    @cached_property
    def _without_weights(self) -> Any:
        return build_without_weights(self.settings.model, **self._network_arguments)

    @property
    @override
    def tiling(self) -> Tiling:
        return tiling_of(self._without_weights)

    @property
    def stride(self) -> int:
        """Pixels of an input image, along a side, that a position of the code stands for."""
        return int(self._without_weights.stride)

    pixel_reach: ClassVar[int | None] = 0

    @override
    def read_inputs(self, path: Path, image: ImageFile) -> dict[str, Tensor]:
        """Return the image, and the one to interpolate toward. Raises UsageError or DataError if that cannot be
        read."""
        height, width = image.size
        return {**super().read_inputs(path, image), **self._read_toward(height, width)}

    @override
    def open_inputs(self, path: Path, image: SourceImage) -> Mapping[str, Tensor | ImageReader]:
        color = ComputedReader((3, *image.size), lambda rows, columns: image.crop(rows, columns).color)
        return {"input": color, **self._read_toward(*image.size)}

    def _read_toward(self, height: int, width: int) -> dict[str, Tensor]:
        toward = self.predict_options.toward
        return {} if toward is None else {"toward": resize_to_cover(read_image(toward).color, height, width)}

    @override
    def predict(self, batch: Batch, networks: Networks) -> Batch:
        """Return ``output`` (B, 3, H * scale, W * scale) in [0, 1], decoded from the code of ``input`` (B, 3, H, W).

        With an image ``toward`` (B, 3, H, W), the code lies between those of both.
        """
        height, width = (self.settings.model.scale * side for side in batch["input"].shape[-2:])
        code = self.code(networks.encoder(batch["input"]))
        if self.predict_options.toward is not None:
            code = torch.lerp(code, self.code(networks.encoder(batch["toward"])), self.predict_options.position)
        return {"output": networks.decoder(code, height, width).clamp(0, 1)}

    def own_metrics(self) -> list[PrecomputedMetric]:
        """Return the metrics besides those of super-resolution."""
        return [PrecomputedMetric("compression", "values per number of the code")]

    @override
    def protocols(self) -> Mapping[str, EvaluationProtocol]:
        """Return the protocols of super-resolution, each with `own_metrics` added."""
        named = super_resolution_protocols(self.settings.model.scale)
        own = {metric.name: metric for metric in self.own_metrics()}
        return {name: {**protocol, **own} for name, protocol in named.items()}

    @property
    @override
    def default_protocol(self) -> str:
        return "rgb"

    @override
    def measure(self, batch: Batch, networks: Networks, protocol: EvaluationProtocol) -> dict[str, Tensor]:
        output = self.predict(batch, networks)["output"]
        return measure_samples(output, batch, self.numbers(batch, networks), protocol)

    def numbers(self, batch: Batch, networks: Networks) -> dict[str, Tensor]:
        """Return the statistics (B, K) of each of `own_metrics`, by name."""
        code, target = self.code(networks.encoder(batch["input"])), batch["target"]
        values = 3 * target.shape[-2] * target.shape[-1]  # a gray target has one channel, but is decoded in three
        return {"compression": torch.full((len(code), 1), values / code[0].numel())}


class VariationalAutoencoder(Autoencoder[VAESettings, AutoencoderEvaluateOptions]):
    """Variational autoencoder, trained on the evidence lower bound (Kingma and Welling, 2014).

    In a first phase of its own, the weight of the KL term rises from zero (Bowman et al., 2016).
    """

    variational: ClassVar[bool] = True

    @override
    def networks(self) -> dict[str, nn.Module]:
        return {**super().networks(), "likelihood": Gaussian()}

    trained: ClassVar[tuple[str, ...]] = (*Autoencoder.trained, "likelihood")

    @override
    def code(self, encoded: Tensor) -> Tensor:
        return Posterior.of(encoded).mean

    @override
    def phases(self) -> Sequence[Phase]:
        (plain,) = super().phases()
        warmup, rest = self.settings.split()
        full = replace(plain, name="full", epochs=rest, monitor="elbo")
        # Only the last phase decays the learning rate.
        constant = self.settings.optimizer.model_copy(update={"schedule": ScheduleSettings()})
        first = replace(plain, name=WARMUP, epochs=warmup, monitor=None, optimizers={"autoencoder": constant})
        return [first, full] if warmup else [full]

    @override
    def train_step(self, batch: Batch, step: TrainStep) -> None:
        """Minimize the negative evidence lower bound per value of the image, estimated with one sampled code."""
        batch = recolor(batch) if self.settings.recolor else batch
        image, values = batch["target"], batch["target"][0].numel()
        price = self.settings.beta * (step.progress if step.phase == WARMUP else 1.0)

        def bound(nets: Networks) -> Terms:
            posterior = Posterior.of(nets.encoder(batch["input"]))
            code = posterior.draw(torch.randn_like(posterior.mean))
            likelihood = nets.likelihood(nets.decoder(code, *image.shape[-2:]), image).mean()
            if step.phase != WARMUP and step.progress > 0.1:  # before that, an inactive unit may just be untrained
                step.log(active_units=ActiveUnits("", "").reduce(moments(posterior.mean.detach())))
            kl = charge_free_bits(posterior.kl(), self.settings.free_bits)
            return {"reconstruction": -likelihood / values, "kl": price * kl / values}

        step.optimize("autoencoder", bound)

    @override
    def health(self, numbers: Mapping[str, float]) -> str | None:
        if numbers.get("active_units", torch.inf) >= max(1.0, self.settings.model.latent / 10):
            return None
        return (
            "posterior collapse: hardly any latent unit depends on the image, so the decoder returns almost the same "
            "output for every image; set --free-bits 0.1, a smaller --beta or a longer --warmup"
        )

    @property
    def draws(self) -> int:
        """Number of codes sampled per image in an evaluation."""
        return self.evaluate_options.draws

    @override
    def own_metrics(self) -> list[PrecomputedMetric]:
        estimator = f"{self.draws} log-weights"
        return [
            *super().own_metrics(),
            PrecomputedMetric("elbo", f"nats per value, mean of {estimator}"),
            PrecomputedMetric("iw_bound", f"nats per value, importance-weighted, {estimator}"),
            PrecomputedMetric("kl", "nats per place, closed form", better="lower"),
            ActiveUnits("active_units", f"of {self.settings.model.latent}, variance of the mean > 0.01"),
        ]

    @override
    def protocols(self) -> Mapping[str, EvaluationProtocol]:
        """Return the protocols of the autoencoder and ``units``: the KL of each latent unit."""
        names = [f"kl_of_unit_{unit}" for unit in range(self.settings.model.latent)]
        units = {name: PrecomputedMetric(name, "nats per place, closed form", better="lower") for name in names}
        return {**super().protocols(), "units": units}

    @override
    def numbers(self, batch: Batch, networks: Networks) -> dict[str, Tensor]:
        posterior = Posterior.of(networks.encoder(batch["input"]))
        image = batch["target"].expand(-1, 3, -1, -1)
        noise = torch.randn(self.draws, *posterior.mean.shape, device=image.device)
        weights = log_weights(
            posterior, noise, lambda z: networks.likelihood(networks.decoder(z, *image.shape[-2:]), image)
        )
        kl = posterior.kl().flatten(2).mean(2)  # (B, latent)
        return {
            **super().numbers(batch, networks),
            "elbo": weights.mean(0).unsqueeze(1) / image[0].numel(),
            "iw_bound": importance_weight(weights).unsqueeze(1) / image[0].numel(),
            "active_units": moments(posterior.mean),
            "kl": kl,
            **{f"kl_of_unit_{unit}": kl[:, [unit]] for unit in range(kl.shape[1])},
        }
