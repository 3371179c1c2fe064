"""The plain autoencoder, and the variational one, which adds a distribution of codes to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from typing_extensions import TypeVar, override

from restore.core.dataset import Batch, ImageDataset
from restore.core.method import E
from restore.core.metrics import EvaluationProtocol
from restore.core.networks import Networks
from restore.core.optimizer_settings import ScheduleSettings
from restore.core.settings import RunSettings, Settings
from restore.core.specs import ImageSpec, Tiling
from restore.core.task import Task
from restore.core.training_step import Phase, Terms, TrainStep
from restore.plugins.common.images.augment import recolor
from restore.plugins.common.losses import MSE
from restore.plugins.common.metrics import PrecomputedMetric, measured
from restore.plugins.common.super_resolution.dataset import evaluation_pairs, super_resolution_images
from restore.plugins.common.super_resolution.protocols import super_resolution_protocols
from restore.plugins.vae.metrics import ActiveUnits, moments
from restore.plugins.vae.networks import Decoder, Encoder
from restore.plugins.vae.settings import AutoencoderEvaluateOptions, AutoencoderSettings, VAESettings
from restore.plugins.vae.variational import Gaussian, Posterior, charged, importance_weighted, log_weights

WARMUP = "warm-up"


A = TypeVar("A", bound=AutoencoderSettings, default=AutoencoderSettings)


class Autoencoder(Task[A, Settings, E]):
    """Image to code and back; with ``model.scale`` above 1 the image comes back larger than it went in."""

    channels_last: ClassVar[bool] = True

    @classmethod
    def tiny_settings(cls, **changes: Any) -> RunSettings:
        """A code of few numbers from small crops."""
        return super().tiny_settings(**{"model": {"channels": 4, "depth": 2, "latent": 3}, "crop_size": 8, **changes})

    def networks(self) -> dict[str, nn.Module]:
        """Encoder and decoder: two networks, since one may be used where the other is not."""
        model = self.settings.model
        return {
            "encoder": Encoder(model.latent, model.channels, model.depth),
            "decoder": Decoder(model.latent, model.channels, model.depth, model.scale),
        }

    trained: ClassVar[tuple[str, ...]] = ("encoder", "decoder")
    """Names of all networks; one optimizer trains them."""

    def code(self, encoded: Tensor) -> Tensor:
        """The code (B, latent, h, w) to keep or send, from the encoder's output."""
        return encoded

    def phases(self) -> Sequence[Phase]:
        """One phase; its best weights have the highest PSNR. One optimizer trains every network."""
        optimizers, trains = {"autoencoder": self.settings.optimizer}, {"autoencoder": self.trained}
        return [Phase("reconstruction", self.settings.epochs, optimizers, trains, monitor="psnr")]

    @override
    def dataset(self, split: Literal["train", "validation"], phase: Phase) -> ImageDataset:
        """Crops of images to train on, whole images to validate on."""
        return super_resolution_images(
            split, self.settings, scale=self.settings.model.scale, crop=self.settings.crop_size
        )

    def evaluation_data(self, folder: Path | None) -> ImageDataset:
        """Whole images; what is encoded is made from them, smaller by the scale."""
        return evaluation_pairs(folder, self.settings.model.scale)

    def train_step(self, batch: Batch, step: TrainStep) -> None:
        """Mean squared error between an image and what comes through the bottleneck."""
        batch = recolor(batch) if self.settings.recolor else batch

        def reconstruct(nets: Networks) -> Terms:
            encoded = nets.encoder(batch["input"])
            return MSE()(nets.decoder(encoded, *batch["target"].shape[-2:]), batch)

        step.optimize("autoencoder", reconstruct)

    @property
    def inputs(self) -> Mapping[str, ImageSpec]:
        """An image, which its last pixels continue, as the encoder itself does it."""
        return {"input": ImageSpec(padding="edge")}

    @property
    def outputs(self) -> Mapping[str, ImageSpec]:
        """The image again, ``scale`` times as high and wide."""
        return {"output": ImageSpec(scale=self.settings.model.scale)}

    @property
    def tiling(self) -> Tiling:
        """A pixel depends on at most 12 places of the code to each side, and on nothing else of the image."""
        stride = 2**self.settings.model.depth
        return Tiling("exact", halo=12 * stride, multiple_of=stride)

    def predict(self, batch: Batch, networks: Networks) -> Batch:
        """Each image as its code describes it, in [0, 1]."""
        height, width = (self.settings.model.scale * side for side in batch["input"].shape[-2:])
        code = self.code(networks.encoder(batch["input"]))
        return {"output": networks.decoder(code, height, width).clamp(0, 1)}

    def own_metrics(self) -> list[PrecomputedMetric]:
        """What is measured besides the image that comes out."""
        return [PrecomputedMetric("compression", "values per number of the code")]

    def protocols(self) -> Mapping[str, EvaluationProtocol]:
        """Those of super-resolution, and our own metrics in each."""
        named = super_resolution_protocols(self.settings.model.scale)
        own = {metric.name: metric for metric in self.own_metrics()}
        return {name: EvaluationProtocol(name, {**protocol.metrics, **own}) for name, protocol in named.items()}

    @property
    @override
    def default_protocol(self) -> str:
        return "rgb"

    def measure(self, batch: Batch, networks: Networks, protocol: EvaluationProtocol) -> dict[str, Tensor]:
        """Statistics of each sample: our own metrics are given `numbers`, all others the image that comes out."""
        output = self.predict(batch, networks)["output"]
        return measured(output, batch["target"], self.numbers(batch, networks), protocol)

    def numbers(self, batch: Batch, networks: Networks) -> dict[str, Tensor]:
        """Numbers (B, K) of each sample for each of our own metrics."""
        code, target = self.code(networks.encoder(batch["input"])), batch["target"]
        values = 3 * target.shape[-2] * target.shape[-1]  # a gray target has one channel, but is decoded in three
        return {"compression": torch.full((len(code), 1), values / code[0].numel())}


class VariationalAutoencoder(Autoencoder[VAESettings, AutoencoderEvaluateOptions]):
    """Trained by the evidence lower bound, the price of KL rising during a phase of its own (Bowman et al., 2016)."""

    def networks(self) -> dict[str, nn.Module]:
        """The plain ones, but the encoder gives a mean and a log-variance; and the likelihood."""
        model = self.settings.model
        encoder = Encoder(2 * model.latent, model.channels, model.depth)
        return {**super().networks(), "encoder": encoder, "likelihood": Gaussian()}

    trained: ClassVar[tuple[str, ...]] = (*Autoencoder.trained, "likelihood")

    @override
    def code(self, encoded: Tensor) -> Tensor:
        """The posterior's mean."""
        return Posterior.of(encoded).mean

    def phases(self) -> Sequence[Phase]:
        """Warm-up, where there are epochs for it; then the full objective, whose best weights have the highest ELBO."""
        (plain,) = super().phases()
        warmup, rest = self.settings.split()
        full = replace(plain, name="full", epochs=rest, monitor="elbo")
        constant = self.settings.optimizer.model_copy(update={"schedule": ScheduleSettings()})  # it falls in the end
        first = replace(plain, name=WARMUP, epochs=warmup, monitor=None, optimizers={"autoencoder": constant})
        return [first, full] if warmup else [full]

    def train_step(self, batch: Batch, step: TrainStep) -> None:
        """Negative evidence lower bound, per value of the image, with one drawn code."""
        batch = recolor(batch) if self.settings.recolor else batch
        image, values = batch["target"], batch["target"][0].numel()
        price = self.settings.beta * (step.progress if step.phase == WARMUP else 1.0)

        def bound(nets: Networks) -> Terms:
            posterior = Posterior.of(nets.encoder(batch["input"]))
            code = posterior.draw(torch.randn_like(posterior.mean))
            likelihood = nets.likelihood(nets.decoder(code, *image.shape[-2:]), image).mean()
            if step.phase != WARMUP and step.progress > 0.1:  # sooner, an idle unit may only be untrained
                step.log(active_units=ActiveUnits("", "").reduce(moments(posterior.mean.detach())))
            kl = charged(posterior.kl(), self.settings.free_bits)
            return {"reconstruction": -likelihood / values, "kl": price * kl / values}

        step.optimize("autoencoder", bound)

    def health(self, numbers: Mapping[str, float]) -> str | None:
        """Posterior collapse: fewer than a tenth of the latent units, or none, depend on the image."""
        if numbers.get("active_units", torch.inf) >= max(1.0, self.settings.model.latent / 10):
            return None
        return (
            "posterior collapse: hardly any latent unit depends on the image, so the decoder returns almost the same "
            "output for every image; set --free-bits 0.1, a smaller --beta or a longer --warmup"
        )

    @property
    def draws(self) -> int:
        """Codes drawn for each image that is measured."""
        return self.evaluate_options.draws

    def own_metrics(self) -> list[PrecomputedMetric]:
        """Compression, two bounds on the likelihood, KL and active units."""
        estimator = f"{self.draws} log-weights"
        return [
            *super().own_metrics(),
            PrecomputedMetric("elbo", f"nats per value, mean of {estimator}"),
            PrecomputedMetric("iw_bound", f"nats per value, importance-weighted, {estimator}"),
            PrecomputedMetric("kl", "nats per place, closed form", better="lower"),
            ActiveUnits("active_units", f"of {self.settings.model.latent}, variance of the mean > 0.01"),
        ]

    def protocols(self) -> Mapping[str, EvaluationProtocol]:
        """Besides those of the plain autoencoder ``units``: the KL of each latent unit."""
        names = [f"kl_of_unit_{unit}" for unit in range(self.settings.model.latent)]
        units = {name: PrecomputedMetric(name, "nats per place, closed form", better="lower") for name in names}
        return {**super().protocols(), "units": EvaluationProtocol("units", units)}

    def numbers(self, batch: Batch, networks: Networks) -> dict[str, Tensor]:
        """Numbers (B, K) of each sample; both bounds are estimated from the same draws."""
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
            "iw_bound": importance_weighted(weights).unsqueeze(1) / image[0].numel(),
            "active_units": moments(posterior.mean),
            "kl": kl,
            **{f"kl_of_unit_{unit}": kl[:, [unit]] for unit in range(kl.shape[1])},
        }
