"""Other colors for the same images."""

from __future__ import annotations

import torch

from restore.plugins.common.images.augment import recolor


def test_recoloring_is_alike_in_both_images_and_gives_gray_ones_a_tint() -> None:
    torch.manual_seed(0)
    gray = torch.linspace(0.1, 1.0, 16).view(1, 1, 4, 4).expand(50, 3, 4, 4)
    batch = recolor({"input": gray[..., ::2, ::2], "target": gray})
    torch.testing.assert_close(batch["input"], batch["target"][..., ::2, ::2])
    gains = batch["target"] / gray
    torch.testing.assert_close(gains, gains[..., :1, :1].expand_as(gains))
    assert 0.4 <= gains.min() <= gains.max() <= 1
    assert (gains[..., 0, 0].std(0) > 0.1).all()


def test_recoloring_exchanges_the_channels_of_each_sample_apart() -> None:
    torch.manual_seed(0)
    red = torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1).expand(30, 3, 2, 2)
    brightest = recolor({"input": red, "target": red})["target"].sum((2, 3)).argmax(1)
    assert set(brightest.tolist()) == {0, 1, 2}
