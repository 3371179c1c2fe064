"""The plugin keeps its contracts, and the networks are those of the paper."""

from __future__ import annotations

from pathlib import Path

import torch
from restore_pix2pix.networks import UNetGenerator, build_discriminator
from restore_pix2pix.task import Pix2Pix

from restore import registry
from restore.core import write_image
from restore.core.testing import check_component, check_imports, check_task


def test_the_task_keeps_its_contract(tmp_path: Path) -> None:
    check_task(registry.entry("tasks", "pix2pix"), tmp_path)


def test_the_generator_keeps_the_contract_of_its_role() -> None:
    check_component(registry.entry("architectures", "pix2pix/u-net"))


def test_the_plugin_is_cheap_to_load() -> None:
    check_imports("restore_pix2pix", "restore_pix2pix.settings")


def test_a_score_sees_70_pixels() -> None:
    discriminator = build_discriminator(2).eval()
    images = torch.rand(1, 6, 142, 142, requires_grad=True)
    scores = discriminator(images)
    scores[..., scores.shape[2] // 2, scores.shape[3] // 2].sum().backward()
    assert images.grad is not None
    rows = images.grad.abs().sum((0, 1, 3)).nonzero()
    assert int(rows.max() - rows.min()) + 1 == 70


def test_a_pixel_is_handed_on_past_every_level() -> None:
    generator = UNetGenerator(channels=2, depth=3).eval()
    for _, level in generator.named_modules():
        if hasattr(level, "path"):
            features = torch.rand(1, level.path[1].in_channels, 8, 8)
            assert torch.equal(level(features)[:, : features.shape[1]], features)


def test_pairs_are_learned_and_other_images_are_colorized(tmp_path: Path) -> None:
    for folder, value in (("inputs", 0.2), ("targets", 0.6)):
        (tmp_path / folder).mkdir()
        for index in range(2):
            write_image(tmp_path / folder / f"{index}.png", torch.full((3, 64, 64), value))
    for folder, value in ((tmp_path, 0.2), (tmp_path / "targets", 0.6)):
        task = Pix2Pix(Pix2Pix.tiny_settings(data=folder, val_data=folder))
        sample = task.dataset("validation", task.phases()[0])[0]
        torch.testing.assert_close(sample["input"], torch.full((3, 64, 64), value), atol=1e-6, rtol=0)
        torch.testing.assert_close(sample["target"], torch.full((3, 64, 64), 0.6), atol=1e-6, rtol=0)
