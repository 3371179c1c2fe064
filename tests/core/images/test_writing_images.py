"""Images are written whole or not at all."""

import numpy as np
import pytest
import tifffile
import torch
from image_files import levels, reopened

from restore.core.errors import DataError, RestoreError
from restore.core.images import streaming, tiff_rows
from restore.core.images.decoding import decode
from restore.core.images.files import write_image
from restore.core.images.metadata import Metadata
from restore.core.images.row_format import RowFormat


def test_values_outside_of_the_range_are_clipped(tmp_path):
    path = write_image(tmp_path / "out.png", torch.tensor([-1.0, 0.5, 2.0]).reshape(1, 1, 3))
    assert np.asarray(reopened(path)).tolist() == [[0, 128, 255]]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_an_image_with_values_that_are_no_numbers_is_never_written(tmp_path, value):
    image = torch.zeros(3, 4, 4)
    image[1, 2, 3] = value
    with pytest.raises(DataError, match="NaN or infinite"):
        write_image(tmp_path / "out.png", image)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = write_image(tmp_path / "out.png", torch.zeros(3, 4, 4))
    before = path.read_bytes()

    def full(file, form, strips):
        next(strips)
        file.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(streaming.ENCODERS, "png", full)
    with pytest.raises(RestoreError, match=r"out\.png: cannot be written: the disk is full"):
        write_image(path, torch.ones(3, 4, 4))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_writing_into_a_missing_folder_is_a_clear_error(tmp_path):
    with pytest.raises(RestoreError, match="no such folder"):
        write_image(tmp_path / "none" / "out.png", torch.zeros(3, 4, 4))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_tiff_that_would_be_too_large_for_the_format_is_written_as_bigtiff(tmp_path, monkeypatch, dtype):
    values = levels(40, 30, 3, dtype)
    form = RowFormat(40, 30, 3, 8 * np.dtype(dtype).itemsize, Metadata())
    for largest, magic in ((2**32 - 2**25, b"II*\0"), (40 * form.row_bytes, b"II+\0")):
        monkeypatch.setattr(tiff_rows, "_LARGEST", largest)
        tiff_rows.encode_tiff(tmp_path / "out.tif", form, iter([values[:17], values[17:]]))
        assert (tmp_path / "out.tif").read_bytes()[:4] == magic
        assert np.array_equal(tifffile.imread(tmp_path / "out.tif"), values)
        assert np.array_equal(decode(tmp_path / "out.tif").levels, values)
