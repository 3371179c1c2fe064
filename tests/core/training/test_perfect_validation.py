"""A run whose validation images are perfect as they are for a baseline, and too small for one of its metrics."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from toy_tasks import Noise, OneNetwork, toy_settings

from restore.cli.console.report import Report
from restore.core import events
from restore.core.dataset import Batch
from restore.core.errors import DataError
from restore.core.method import Method
from restore.core.metrics import EvaluationProtocol
from restore.core.networks import Networks
from restore.core.reports.run_report import write_report
from restore.core.training.trainer import Trainer
from restore.core.training_step import Phase
from restore.plugins.common.metrics import PSNR, SSIM, Comparison

PSNR_OF_RGB, SSIM_OF_RGB = PSNR(Comparison("rgb")), SSIM(Comparison("rgb"))


class Kept(Noise):
    """The first image equals its target."""

    def __init__(self, count: int, size: int, seed: int, augment: bool) -> None:
        super().__init__(count, size, seed, augment)
        self.images[0] = 0.5


class Identity(Method[Any]):
    """Changes nothing."""

    inputs, outputs = OneNetwork.inputs, OneNetwork.outputs

    def predict(self, batch: Batch, networks: Networks) -> Batch:
        return {"output": batch["input"]}

    def protocols(self) -> Mapping[str, EvaluationProtocol]:
        return {"plain": {"psnr": PSNR_OF_RGB, "ssim": SSIM_OF_RGB}}

    def evaluation_data(self, folder: Path | None) -> Noise:
        return Kept(3, 8, seed=2, augment=False)


class WithKeptImages(OneNetwork):
    """Inverts images, one of which is its own inverse."""

    monitor = "psnr"

    def dataset(self, split: str, phase: Phase) -> Noise:
        return Kept(3, 8, seed=2, augment=False) if split == "validation" else super().dataset(split, phase)

    def phases(self) -> Sequence[Phase]:
        return [Phase("only", self.settings.epochs, {"net": self.settings.optimizer}, monitor=self.monitor)]

    def protocols(self) -> Mapping[str, EvaluationProtocol]:
        return Identity.protocols(self)  # type: ignore[arg-type]

    def baselines(self) -> Mapping[str, Method]:
        return {"identity": Identity(None)}


def test_a_run_says_over_how_many_images_its_numbers_are(tmp_path: Path) -> None:
    seen: list[events.Event] = []
    result = Trainer(WithKeptImages, toy_settings(tmp_path), name="toy/toy", listeners=[seen.append]).fit()
    first = next(event for event in seen if isinstance(event, events.Evaluated))
    images = Kept(3, 8, seed=2, augment=False).images[1:]
    rows = [PSNR_OF_RGB.measure(image[None], 1 - image[None]) for image in images]
    psnr, ssim = first.numbers
    assert psnr.value == pytest.approx(PSNR_OF_RGB.reduce(torch.cat(rows)))
    assert math.isnan(ssim.value)
    assert f"psnr (RGB) {psnr.value:.4f} over 2 of 3 images" in Report().evaluation_in_words(first)
    warned = [event.message for event in seen if isinstance(event, events.Warned)]
    assert warned[:2] == [
        "psnr (RGB) of identity: 1 of 3 images is perfect, which makes it infinite, and left out: noise-0",
        "ssim (RGB): 3 of 3 images are smaller than 11 pixels and left out: noise-0, noise-1, noise-2",
    ]
    assert warned[-1].startswith(
        "psnr (RGB) of only leaves out 0 images, that of identity 1: these values are not of the same images."
    )
    assert len(warned) == len(set(warned)) == 4  # and that the targets are gray
    summary = json.loads((result.folder / "summary.json").read_text("utf-8"))
    kept = {row["of"]: (row["images"], row["left_out"]) for row in summary["metrics"] if row["name"] == "psnr"}
    assert kept == {"identity": (3, 1), "only": (3, 0)}
    page = write_report(result.folder).read_text("utf-8")
    assert f"{psnr.value:.4f} over 2 of 3 images" in page
    assert "gain over the best baseline" not in page  # values of different images have no difference


def test_weights_cannot_be_chosen_by_a_metric_that_no_image_is_large_enough_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WithKeptImages, "monitor", "ssim")
    with pytest.raises(DataError, match=r"too small for ssim, which chooses the best weights; it needs 11x11 pixels"):
        Trainer(WithKeptImages, toy_settings(tmp_path), name="toy/toy").fit()


def test_a_perfect_evaluation_is_not_the_best_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    errors = iter([0.05, 0.001, 0.0])

    def predict(self: OneNetwork, batch: Batch, networks: Networks) -> Batch:
        # the first image is perfect in the first epoch alone, in which the others are worst
        perfect = level[0] == 0.1 and bool((batch["input"] == 0.5).all())
        return {"output": batch["target"] + (0 if perfect else level[0])}

    level = [0.1]

    def evaluated(event: events.Event) -> None:
        if isinstance(event, events.Evaluated) and event.phase == "only":
            best.append(event.best)
            level[0] = next(errors)

    best: list[bool] = []
    monkeypatch.setattr(WithKeptImages, "predict", predict)
    monkeypatch.setattr(WithKeptImages, "baselines", lambda self: {})
    settings = toy_settings(tmp_path, epochs=3)
    Trainer(WithKeptImages, settings, name="toy/toy", listeners=[evaluated]).fit()
    assert best == [True, False, True]
