"""Small tasks that train in a second: two phases with a discriminator, a penalty, several heads, and a fixed method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from restore.core.dataset import Batch
from restore.core.method import Method
from restore.core.metrics import EvaluationProtocol
from restore.core.networks import Networks
from restore.core.optimizer_settings import OptimizerSettings
from restore.core.settings import RunSettings, Settings
from restore.core.specs import ImageSpec
from restore.core.task import Task
from restore.core.training_step import Phase, TrainStep

torch.set_num_threads(1)  # networks this small only lose time by sharing their work


class MeanSquaredError:
    """Squared error in float64, pooled over images."""

    name = "mse"
    convention = "mean over pixels"
    better: Literal["higher", "lower"] = "lower"

    def measure(self, prediction: Tensor, target: Tensor) -> Tensor:
        error = (prediction.double() - target.double()).square().flatten(1)
        return torch.stack([error.sum(1), torch.full((len(error),), error.shape[1], dtype=torch.float64)], dim=1)

    def reduce(self, rows: Tensor) -> float:
        return float(rows[:, 0].sum() / rows[:, 1].sum())


class Noise:
    """Drawn images; training samples are flipped at random."""

    in_memory = True

    def __init__(self, count: int, size: int, seed: int, augment: bool) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.images = torch.rand(count, 1, size, size, generator=generator)
        self.augment = augment

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        image = self.images[index]
        if self.augment and torch.rand(()) < 0.5:
            image = image.flip(-1)
        if self.augment:
            image = image + 0.01 * torch.randn_like(image)
        return {"input": image, "target": 1 - image}

    def name(self, index: int) -> str:
        return f"noise-{index}"


class ToyModel(Settings):
    width: int = 4
    """Channels."""


class ToySettings(RunSettings):
    model: ToyModel = ToyModel()
    first_epochs: Annotated[int, Field(ge=1)] = 1
    """Epochs of the first phase."""
    batch_norm: bool = True
    """Whether the discriminator has batch normalization."""
    optimizer: OptimizerSettings = OptimizerSettings(lr=1e-2)
    epochs: int = 2
    batch_size: int = 4
    samples_per_epoch: int | None = 16
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "fp32"
    device: Literal["auto", "cpu", "cuda", "mps"] = "cpu"
    sample_images: int = 1
    report: bool = False


class OneNetwork(Task[ToySettings]):
    """Learns to invert images."""

    def networks(self) -> dict[str, nn.Module]:
        width = self.settings.model.width
        return {"net": nn.Sequential(nn.Conv2d(1, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, 1, 3, padding=1))}

    def phases(self) -> Sequence[Phase]:
        return [Phase("only", self.settings.epochs, {"net": self.settings.optimizer}, monitor="mse")]

    def dataset(self, split: str, phase: Phase) -> Noise:
        return Noise(6, 8, seed=1, augment=True) if split == "train" else Noise(3, 8, seed=2, augment=False)

    def train_step(self, batch: Batch, step: TrainStep) -> None:
        step.optimize("net", lambda m: {"mse": F.mse_loss(m.net(batch["input"]), batch["target"])})

    @property
    def inputs(self) -> Mapping[str, ImageSpec]:
        return {"input": ImageSpec(channels=1)}

    @property
    def outputs(self) -> Mapping[str, ImageSpec]:
        return {"output": ImageSpec(channels=1)}

    def predict(self, batch: Batch, networks: Networks) -> Batch:
        return {"output": networks.net(batch["input"])}

    def protocols(self) -> Mapping[str, EvaluationProtocol]:
        return {"plain": {"mse": MeanSquaredError()}}


class Heads(OneNetwork):
    """Deep supervision: two heads, of which the last predicts."""

    class TwoHeads(nn.Module):
        def __init__(self, width: int) -> None:
            super().__init__()
            self.body = nn.Sequential(nn.Conv2d(1, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU())
            self.heads = nn.ModuleList([nn.Conv2d(width, 1, 1), nn.Conv2d(width, 1, 3, padding=1)])

        def forward(self, x: Tensor) -> list[Tensor]:
            features = self.body(x)
            return [head(features) for head in self.heads]

    def networks(self) -> dict[str, nn.Module]:
        return {"net": self.TwoHeads(self.settings.model.width)}

    def train_step(self, batch: Batch, step: TrainStep) -> None:
        step.optimize(
            "net",
            lambda m: {f"head{i}": F.mse_loss(out, batch["target"]) / 2 for i, out in enumerate(m.net(batch["input"]))},
        )

    def predict(self, batch: Batch, networks: Networks) -> Batch:
        return {"output": networks.net(batch["input"])[-1]}


class Variational(OneNetwork):
    """Draws in its training step, as a VAE does."""

    def train_step(self, batch: Batch, step: TrainStep) -> None:
        def loss(m: Networks) -> dict[str, Tensor]:
            mean = m.net(batch["input"])
            drawn = mean + 0.1 * torch.randn_like(mean)
            return {"reconstruction": F.mse_loss(drawn, batch["target"]), "kl": 1e-3 * mean.square().mean()}

        step.optimize("net", loss)


class TwoPhases(OneNetwork):
    """Pretraining, then a discriminator with vanilla adversarial terms, as SRGAN."""

    def training_networks(self) -> dict[str, nn.Module]:
        norm = nn.BatchNorm2d(4) if self.settings.batch_norm else nn.Identity()
        return {
            "discriminator": nn.Sequential(
                nn.Conv2d(1, 4, 3, 2, 1), norm, nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(64, 1)
            )
        }

    def phases(self) -> Sequence[Phase]:
        first = min(self.settings.first_epochs, self.settings.epochs)
        optimizer = self.settings.optimizer
        return [
            Phase("pretrain", first, {"net": optimizer}, monitor="mse"),
            Phase("adversarial", self.settings.epochs - first, {"net": optimizer, "discriminator": optimizer}),
        ]

    def train_step(self, batch: Batch, step: TrainStep) -> None:
        if step.phase == "pretrain":
            super().train_step(batch, step)
            return

        def discriminator(m: Networks) -> dict[str, Tensor]:
            with torch.no_grad():
                fake = m.net(batch["input"])
            real, fake = m.discriminator(torch.cat([batch["target"], fake])).chunk(2)
            step.log(d_real=real.sigmoid().mean())
            return {"real": F.softplus(-real).mean(), "fake": F.softplus(fake).mean()}

        def generator(m: Networks) -> dict[str, Tensor]:
            fake = m.net(batch["input"])
            return {
                "mse": F.mse_loss(fake, batch["target"]),
                "adversarial": 1e-2 * F.softplus(-m.discriminator(fake)).mean(),
            }

        step.optimize("discriminator", discriminator)
        step.optimize("net", generator)


class Penalty(TwoPhases):
    """A Wasserstein critic with gradient penalty: a double backward, and random numbers in the step."""

    no_compile = frozenset({"discriminator"})

    def __init__(self, settings: ToySettings) -> None:
        super().__init__(settings.model_copy(update={"batch_norm": False}))

    def train_step(self, batch: Batch, step: TrainStep) -> None:
        if step.phase == "pretrain":
            OneNetwork.train_step(self, batch, step)
            return

        def discriminator(m: Networks) -> dict[str, Tensor]:
            with torch.no_grad():
                fake = m.net(batch["input"])
            mix = self.mix(len(fake))
            between = (mix * batch["target"] + (1 - mix) * fake).requires_grad_()
            scores = m.discriminator(torch.cat([batch["target"], fake, between]))
            real, false, middle = scores.chunk(3)
            (slope,) = torch.autograd.grad(middle.sum(), between, create_graph=True)
            penalty = (slope.flatten(1).norm(dim=1) - 1).square().mean()
            return {"wasserstein": false.mean() - real.mean(), "penalty": 10 * penalty}

        step.optimize("discriminator", discriminator)
        step.optimize("net", lambda m: {"adversarial": -m.discriminator(m.net(batch["input"])).mean()})

    def mix(self, count: int) -> Tensor:
        """Where between real and generated the slope is measured."""
        return torch.rand(count, 1, 1, 1)


class PenaltyFixedMix(Penalty):
    """Draws nothing, so that its gradient can be compared between numbers of processes."""

    def mix(self, count: int) -> Tensor:
        return torch.full((count, 1, 1, 1), 0.4)


class Fixed(Method[ToySettings]):
    """A method without weights."""

    inputs, outputs = OneNetwork.inputs, OneNetwork.outputs

    def predict(self, batch: Batch, networks: Networks) -> Batch:
        return {"output": 1 - batch["input"]}

    def protocols(self) -> Mapping[str, EvaluationProtocol]:
        return {"plain": {"mse": MeanSquaredError()}}

    def evaluation_data(self, folder: Path | None) -> Noise:
        return Noise(3, 8, seed=2, augment=False)


def toy_settings(out: Path, **changes: Any) -> ToySettings:
    """Settings of a run of a second on the CPU."""
    return ToySettings(out=out, **changes)
