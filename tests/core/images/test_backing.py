"""Large images lie in a file that has no name, and are the same."""

import numpy as np
import pytest
from PIL import Image

from restore.core.images import backing, decoding
from restore.core.images.files import open_image, read_image


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "CMYK", "1", "I;16"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_images_in_a_file_are_those_in_memory(tmp_path, monkeypatch, mode, orientation):
    levels = np.random.default_rng(0).integers(0, 256, (23, 31, 4), dtype=np.uint8)
    levels[5:9, :, 3] = 0
    if mode == "I;16":
        image = Image.fromarray(levels[..., 0].astype(np.uint16) * 201)
    else:
        image = Image.fromarray(levels).convert("RGB" if mode == "CMYK" else "RGBA").convert(mode)
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(tmp_path / "in.tif", exif=exif)
    whole = read_image(tmp_path / "in.tif")
    monkeypatch.setattr(backing, "IN_MEMORY", 0)
    monkeypatch.setattr(decoding, "_AT_ONCE", 100)
    stored = open_image(tmp_path / "in.tif")
    assert stored.size == whole.size == ((23, 31) if orientation == 1 else (31, 23))
    assert (stored.read_whole().color == whole.color).all()
    part = stored.crop(slice(3, 20), slice(1, 11))
    assert (part.color == whole.color[:, 3:20, 1:11]).all()
    if whole.alpha is not None:
        assert (part.alpha == whole.alpha[:, 3:20, 1:11]).all()
    assert list(tmp_path.iterdir()) == [tmp_path / "in.tif"]


def test_without_room_on_the_disk_an_image_stays_in_memory(tmp_path, monkeypatch):
    Image.new("RGB", (40, 30), (1, 2, 3)).save(tmp_path / "in.png")
    monkeypatch.setattr(backing, "IN_MEMORY", 0)
    monkeypatch.setattr(decoding, "_AT_ONCE", 100)
    monkeypatch.setattr(backing, "_has_room", lambda size: False)
    monkeypatch.setattr(backing.tempfile, "TemporaryFile", None)
    assert (open_image(tmp_path / "in.png").levels == [1, 2, 3]).all()
