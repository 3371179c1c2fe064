"""What is hidden takes no part in what is seen."""

import numpy as np
import pytest
import torch
from image_files import reopened, saved
from PIL import Image

from restore.core.images.files import read_image, write_image
from restore.core.images.transparency import bleed_colors, resize_alpha


def test_no_dark_fringe_shows_around_a_figure_on_transparent_black(tmp_path):
    values = np.zeros((16, 16, 4), np.uint8)
    values[4:11, 5:12] = (200, 120, 40, 255)
    image = read_image(saved(tmp_path, Image.fromarray(values)))
    upscaled = torch.nn.functional.interpolate(image.color[None], scale_factor=4, mode="bilinear")[0]
    written = np.asarray(reopened(write_image(tmp_path / "out.png", upscaled, image))).astype(int)
    assert written.shape == (64, 64, 4)
    visible = written[written[..., 3] > 0][:, :3]
    assert np.abs(visible - [200, 120, 40]).max() <= 1
    assert written[0, 0, 3] == 0
    assert written[30, 34, 3] == 255


def test_hidden_colors_are_continued_and_visible_ones_left_alone():
    color = torch.rand(3, 9, 13, generator=torch.Generator().manual_seed(1))
    alpha = torch.zeros(1, 9, 13)
    alpha[:, 2:4, 3:7] = 0.5
    filled = bleed_colors(color, alpha)
    seen = alpha[0] > 0
    assert torch.equal(filled[:, seen], color[:, seen])
    for channel in range(3):
        inside = color[channel, seen]
        assert inside.min() - 1e-6 <= filled[channel].min()
        assert filled[channel].max() <= inside.max() + 1e-6


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_an_even_alpha_plane_changes_nothing(value):
    color = torch.rand(3, 5, 5, generator=torch.Generator().manual_seed(1))
    alpha = torch.full((1, 5, 5), value)
    assert torch.equal(bleed_colors(color, alpha), color)
    assert torch.allclose(resize_alpha(alpha, 11, 15), torch.full((1, 11, 15), value))
