"""The photographs that ship with scikit-image."""

from __future__ import annotations

import socket
import sys

import pytest
import torch

from restore.core.errors import DataError
from restore.plugins.common.images import samples
from restore.plugins.common.images.samples import SCENES, Photographs, photographs


def test_no_scene_is_in_both_splits() -> None:
    train, validation = SCENES["train"], SCENES["validation"]
    scenes = [{name.partition(".")[0].partition("_")[0] for name in names} for names in (train, validation)]
    assert not scenes[0] & scenes[1]
    assert {"motorcycle_left.png", "motorcycle_right.png"} <= set(train)


def test_they_are_read_without_network_and_without_the_data_module_of_scikit_image(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("somebody wanted to go online")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.delitem(sys.modules, "skimage.data", raising=False)
    samples._read.cache_clear()
    assert len(photographs("train")) == len(SCENES["train"])
    assert "skimage.data" not in sys.modules


def test_validation_images_are_small_and_in_color() -> None:
    images = photographs("validation")
    assert [images.name(index) for index in range(len(images))] == ["chelsea", "coffee", "rocket"]
    for index in range(len(images)):
        assert images.size(index) == (256, 256)
        assert images[index].shape == (3, 256, 256)
        assert images[index].dtype == torch.uint8
        assert not images.gray(index)
        assert not torch.equal(images[index][0], images[index][2])


def test_the_middle_is_kept() -> None:
    whole, cut = Photographs(["chelsea.png"]), Photographs(["chelsea.png"], 100)
    assert whole.size(0) == (300, 451)
    assert torch.equal(cut[0], whole[0][:, 100:200, 175:275])


def test_gray_photographs_have_three_equal_channels() -> None:
    images = Photographs(["camera.png", "astronaut.png"])
    assert [images.gray(0), images.gray(1)] == [True, False]
    assert torch.equal(images[0][0], images[0][2])


def test_a_missing_photograph_is_named() -> None:
    with pytest.raises(DataError, match=r"selfie\.png"):
        Photographs(["selfie.png"])
