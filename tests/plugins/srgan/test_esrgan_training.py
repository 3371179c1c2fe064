"""Training as ESRGAN and Real-ESRGAN do: the U-Net discriminator, relative scores, R1 and a ramp."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from built import networks_of
from pydantic import ValidationError
from recorder import Recorder
from same_run import assert_same_run
from torch import Tensor

from restore import registry
from restore.core.errors import UsageError
from restore.core.events import Event, StepDone
from restore.core.inference.engine import predict_image
from restore.core.training.trainer import RunResult, Trainer
from restore.core.weights.files import open_weights
from restore.plugins.srgan.settings import SRGANSettings
from restore.plugins.srgan.task import SRGAN
from restore.plugins.srgan.unet_discriminator import UNetDiscriminator

pytestmark = pytest.mark.usefixtures("one_thread", "seeded")

UNET = {"architecture": "srgan/unet-discriminator", "channels": 4}
SMALL = {
    "crop_size": 16,
    "model": {"architecture": "srgan/rrdbnet", "channels": 4, "blocks": 1, "growth": 2},
    "discriminator": UNET,
    "perceptual": {"weight": 0},
}


def step_of(progress: float = 0.5, phase_step: int = 0, **adversarial: Any) -> Recorder:
    torch.manual_seed(0)
    task = SRGAN(SRGANSettings(**SMALL, adversarial=adversarial))
    step = Recorder(task, "adversarial", progress=progress)
    object.__setattr__(step, "phase_step", phase_step)
    task.train_step({"input": torch.rand(2, 3, 4, 4), "target": torch.rand(2, 3, 16, 16)}, step)
    return step


def test_the_unet_discriminator_has_the_published_size() -> None:
    assert sum(parameter.numel() for parameter in UNetDiscriminator().parameters()) == 4_376_897


@pytest.mark.parametrize("skip", [True, False])
def test_it_is_a_unet_of_bounded_convolutions(skip: bool) -> None:
    network = UNetDiscriminator(channels=3, skip=skip)
    image = torch.rand(2, 3, 24, 32)
    with torch.no_grad():
        for _ in range(60):  # each pass improves the estimates of the singular values
            network(image)
    network.eval()
    bounded = [getattr(network, f"conv{place}").weight.detach() for place in range(1, 9)]
    for weight in bounded:
        assert float(torch.linalg.matrix_norm(weight.flatten(1), 2)) == pytest.approx(1, abs=0.02)

    def active(x: Tensor) -> Tensor:
        return torch.where(x > 0, x, 0.2 * x)

    with torch.no_grad():
        down = [active(F.conv2d(image, network.conv0.weight, network.conv0.bias, padding=1))]
        for weight in bounded[:3]:
            down.append(active(F.conv2d(down[-1], weight, stride=2, padding=1)))
        x = down.pop()
        for weight, beside in zip(bounded[3:6], reversed(down), strict=True):
            x = active(F.conv2d(F.interpolate(x, scale_factor=2, mode="bilinear"), weight, padding=1))
            x = x + beside if skip else x
        for weight in bounded[6:]:
            x = active(F.conv2d(x, weight, padding=1))
        expected = F.conv2d(x, network.conv9.weight, network.conv9.bias, padding=1)
        assert torch.allclose(network(image), expected, atol=1e-5)


@pytest.mark.parametrize("size", [(8, 8), (17, 30), (96, 96)])
def test_every_pixel_of_images_of_any_size_has_a_score_of_its_own(size: tuple[int, int]) -> None:
    network = UNetDiscriminator(channels=2).eval()
    images = torch.rand(3, 3, *size)
    scores = network(images)
    assert scores.shape == (3, 1, *size)
    assert torch.allclose(scores[1:2], network(images[1:2]), atol=1e-6)  # no other image of the batch counts
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert network(images).dtype == torch.float32


def test_everything_is_off_by_default() -> None:
    usual = SRGANSettings().adversarial
    assert (usual.relativistic, usual.ramp, usual.r1) == ("no", 0.0, 0.0)
    assert set(step_of().terms["discriminator"]) == {"d_loss_real", "d_loss_fake"}
    assert float(step_of(progress=0.0).terms["generator"]["adversarial"]) == pytest.approx(
        float(step_of(progress=0.9).terms["generator"]["adversarial"])
    )


def test_the_adversarial_weight_rises_over_its_ramp() -> None:
    def weight(progress: float) -> float:
        return float(step_of(progress, ramp=0.4).terms["generator"]["adversarial"])

    full = weight(0.4)
    assert full > 0
    assert [weight(progress) / full for progress in (0.0, 0.1, 0.2, 0.8)] == pytest.approx([0, 0.25, 0.5, 1])


def test_r1_is_computed_as_often_as_asked_for_and_weighs_as_much_more() -> None:
    every = step_of(r1=2.0).terms["discriminator"]["r1"]
    assert float(every) > 0
    fourth = [step_of(phase_step=place, r1=2.0, r1_every=4).terms["discriminator"] for place in range(5)]
    assert ["r1" in terms for terms in fourth] == [True, False, False, False, True]
    assert float(fourth[0]["r1"]) == pytest.approx(4 * float(every))


def test_r1_is_refused_where_images_of_a_batch_depend_on_each_other() -> None:
    settings = SRGANSettings(**{**SMALL, "discriminator": {"channels": 2, "hidden": 4}}, adversarial={"r1": 1.0})
    with pytest.raises(UsageError, match=r"srgan/discriminator has batch normalization.*srgan/unet-discriminator"):
        networks_of(SRGAN(settings))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"adversarial": {"relativistic": "average", "kind": "least-squares"}}, "set kind to vanilla or hinge"),
        ({"adversarial": {"r1": 1.0}, "compile": True}, "compile"),
        ({"adversarial": {"ramp": 1.5}}, "less than or equal to 1"),
    ],
)
def test_what_does_not_fit_together_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        SRGANSettings(**given)


@pytest.mark.parametrize("relativistic", ["average", "paired"])
@pytest.mark.parametrize("kind", ["vanilla", "hinge"])
def test_relative_scores_train_both_networks(relativistic: str, kind: str) -> None:
    step = step_of(relativistic=relativistic, kind=kind)
    for name, gradients in step.gradients.items():
        moved = {key for key, slope in gradients.items() if slope is not None and bool(slope.abs().sum() > 0)}
        trained = {key for key in gradients if key.startswith(f"{name}.")}
        assert moved <= trained
        assert len(moved) >= len(trained) - 1  # a bias that all scores share has no effect on relative scores
    assert 0 < step.logged["d_real"] < 1


def test_an_esrgan_of_the_sample_trains_resumes_and_is_used(tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    def kill(event: Event) -> None:
        if isinstance(event, StepDone) and event.run_step == 5:
            raise Killed

    def run(folder: str, **options: Any) -> RunResult:
        settings = SRGANSettings(
            **{**SMALL, "model": {**SMALL["model"], "scale": 2}},  # type: ignore[dict-item]
            adversarial={"relativistic": "average", "ramp": 0.5, "r1": 1.0, "r1_every": 2, "weight": 0.1},
            degradation={"preset": "real-esrgan"},
            epochs=3,
            samples_per_epoch=4,
            batch_size=2,
            checkpoint_every="1",
            out=tmp_path / folder,
            name="run",
            device="cpu",
            precision="fp32",
            workers=0,
            sample_images=1,
        )
        return Trainer(SRGAN, settings.resolved(), name="srgan/srgan", **options).fit()

    whole = run("whole")
    with pytest.raises(Killed):
        run("killed", listeners=[kill])
    resumed = run("killed", resume=tmp_path / "killed" / "run")
    assert_same_run(whole.folder, resumed.folder)
    task, networks = open_weights(resumed.weights, registry.get)
    output = predict_image(task, networks, {"input": torch.rand(3, 18, 21)})["output"]
    assert output.shape == (3, 36, 42)
    assert bool(((output >= 0) & (output <= 1)).all())
