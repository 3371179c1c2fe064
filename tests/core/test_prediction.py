"""Results that are written row by row equal those of the whole image."""

import itertools
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import tifffile
import torch
from built import networks_of
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tasks_in_use import Computed, Used, hourglass, upscaling

from restore.core.images import png16
from restore.core.images.files import OutputImage, open_image, read_image, write_image
from restore.core.inference import rendering
from restore.core.inference.engine import NotFinite, predict_image
from restore.core.inference.predictor import Patch
from restore.core.prediction import predict_to_files
from restore.core.specs import ImageSpec, Tiling

SIDES = st.sampled_from([1, 2, 3, 7, 13, 16, 23, 31, 40])
EVERY = frozenset(itertools.product((1, 2, 3, 4), (8, 16)))
FORMATS = {
    "png": (EVERY, ".png"),
    "chunky": (EVERY, ".tif"),
    "planar": (EVERY, ".tif"),
    "ppm": ({(1, 8), (3, 8), (1, 16), (3, 16)}, ".ppm"),
    "bmp": ({(3, 8)}, ".bmp"),
    "webp": ({(3, 8), (4, 8)}, ".webp"),
    "jpeg": ({(1, 8), (3, 8)}, ".jpg"),
}
"""Formats of inputs: channels and bits that they have here, and their suffix."""
CHANNELS = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def draw(path, height, width, channels, bits, kind="png"):
    """Write an image with smooth parts, noise, and hidden pixels if it has alpha; as PNG if a format has no such."""
    generator = np.random.default_rng(height * 1000 + width * 10 + channels)
    levels = generator.integers(0, 2**bits, (height, width, channels), dtype=np.uint16)
    levels[: height // 2] = levels[: height // 2].mean((0, 1)) if height > 1 else levels[: height // 2]
    if channels in (2, 4):
        levels[..., -1] *= generator.integers(0, 2, (height, width), dtype=np.uint16)
    known, suffix = FORMATS[kind]
    if (channels, bits) in known:
        path = path.with_suffix(suffix)
    else:
        kind = "png"
    if kind in ("chunky", "planar"):
        write_tiff(path, levels.astype(np.uint8) if bits == 8 else levels, planar=kind == "planar" and channels > 1)
    elif kind == "ppm" and bits == 16:
        head = f"P{5 if channels == 1 else 6} {width} {height} 65535\n"
        path.write_bytes(head.encode() + levels.astype(">u2").tobytes())
    elif bits == 16:
        png16.write(path, levels)
    else:
        Image.fromarray(levels.astype(np.uint8).squeeze(-1) if channels == 1 else levels.astype(np.uint8)).save(path)
    return path


def write_tiff(path, levels, planar):
    stored = np.moveaxis(levels, 2, 0) if planar else levels
    extra = {} if levels.shape[2] % 2 else {"extrasamples": ["unassalpha"]}
    if levels.shape[2] == 1:
        stored = levels[..., 0]
    tifffile.imwrite(
        path, stored, photometric="rgb" if levels.shape[2] > 2 else "minisblack",
        planarconfig="separate" if planar else "contig", metadata=None, **extra,
    )  # fmt: skip


def written(path):
    """Return the levels (H, W, C) of a file."""
    if path.suffix == ".tiff":
        levels = tifffile.imread(path)
    elif (deep := png16.read(path)) is not None:
        return deep
    else:
        with Image.open(path) as image:
            levels = np.asarray(image)
    return levels if levels.ndim == 3 else levels[..., None]


def stream(task, path, target, tile, kind="png", **options):
    image = open_image(path)
    names = []

    def open_file(name, rows, size):
        names.append(name)
        file = target.with_stem(f"{target.stem}-{name}") if name else target
        return rows.open_writer(file, size, image, kind)

    with mock.patch.object(rendering, "AUTO_PIXELS", 256):  # strips of a few rows
        return predict_to_files(task, networks_of(task), path, image, open_file, tile=tile, **options)


def write_whole(task, path, target):
    image = read_image(path)
    inputs = task.read_inputs(path, image)
    for name, shown in task.render(predict_image(task, networks_of(task), inputs, tile=None), inputs).items():
        write_image(target.with_stem(f"{target.stem}-{name}") if name else target, shown, image)
    return written(target)


def difference(one, two):
    assert (one.shape, one.dtype) == (two.shape, two.dtype)
    return int(np.abs(one.astype(np.int32) - two).max())


TASKS = {
    "exact": lambda: upscaling(2),
    "upscaled by a half": lambda: Used(
        Computed(lambda x: torch.nn.functional.interpolate(x, scale_factor=1.5)),
        Tiling("exact", 2),
        outputs={"output": ImageSpec(scale=1.5)},
    ),
    "grid of four": hourglass,
    "blended": lambda: hourglass("blend"),
}


@settings(deadline=None, max_examples=60)
@given(
    SIDES,
    SIDES,
    st.sampled_from([1, 2, 3, 4]),
    st.sampled_from([8, 16]),
    st.sampled_from(sorted(FORMATS)),
    st.sampled_from(["png", "tiff"]),
    st.sampled_from(sorted(TASKS)),
    st.sampled_from([None, 3, 8, 16, 29]),
)
def test_rows_equal_the_whole_whatever_the_tiles(height, width, channels, bits, source, kind, name, tile):
    task = TASKS[name]()
    with tempfile.TemporaryDirectory() as folder:
        path = draw(Path(folder) / "in.png", height, width, channels, bits, source)
        whole = write_whole(task, path, Path(folder) / "whole.png")
        (file,) = stream(task, path, Path(folder) / f"rows.{kind}", tile, kind)
        # Rounding of float32 sums may show at 16 bits.
        assert difference(written(file.path), whole) <= (1 if bits == 8 else 3)
        assert (file.height, file.width) == whole.shape[:2]
        assert sorted(each.name for each in Path(folder).iterdir()) == [path.name, f"rows.{kind}", "whole.png"]


class Outlined(Used):
    """Renders the image, and where it differs from the pixel below it."""

    pixel_reach = 1

    def render(self, outputs, inputs):
        image = outputs["output"]
        below = torch.cat([image[:, 1:], image[:, -1:]], dim=1)
        return {"": image, "edges": OutputImage((image - below).abs(), depth=False, alpha=False)}


@pytest.mark.parametrize("height", [1, 2, 37])
def test_what_is_rendered_from_neighbors_does_not_show_where_strips_meet(tmp_path, height):
    task = Outlined(Computed(lambda x: x), Tiling("exact", 0))
    path = draw(tmp_path / "in.png", height, 29, 3, 8)
    write_whole(task, path, tmp_path / "whole.png")
    files = stream(task, path, tmp_path / "rows.png", 8)
    assert [file.path.name for file in files] == ["rows.png", "rows-edges.png"]
    for name in ("", "-edges"):
        assert difference(written(tmp_path / f"rows{name}.png"), written(tmp_path / f"whole{name}.png")) == 0


class Stretched(Used):
    """Renders with the extremes of the whole image, and says nothing about it."""

    def render(self, outputs, inputs):
        image = outputs["output"]
        return {"": (image - image.min()) / (image.max() - image.min())}


def test_a_method_that_does_not_say_how_far_it_looks_gets_the_whole_image(tmp_path):
    task = Stretched(Computed(lambda x: x / 2 + 0.1), Tiling("exact", 0))
    assert Stretched.pixel_reach is None
    path = draw(tmp_path / "in.png", 40, 31, 3, 8)
    whole = write_whole(task, path, tmp_path / "whole.png")
    (file,) = stream(task, path, tmp_path / "rows.png", 8)
    assert difference(written(file.path), whole) == 0


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (2, "L"), (3, "RGB"), (4, "RGB")])
def test_jpeg_files_have_the_pixels_but_for_their_compression(tmp_path, channels, mode):
    task = Used(Computed(lambda x: x), Tiling("exact", 0))
    path = tmp_path / "in.png"
    Image.new(CHANNELS[channels], (37, 41), (40, 90, 200, 255)[:channels] if channels > 1 else 40).save(path)
    whole = write_whole(task, path, tmp_path / "whole.png")
    (file,) = stream(task, path, tmp_path / "rows.jpg", 16, "jpeg")
    with Image.open(file.path) as image:
        assert (image.format, image.mode) == ("JPEG", mode)
    colors = whole.shape[2] - (whole.shape[2] in (2, 4))
    assert np.abs(written(file.path).astype(int) - whole[..., :colors]).mean() < 4


@pytest.mark.parametrize("colored", [False, True])
def test_a_gray_image_stays_gray_unless_a_color_shows_anywhere(tmp_path, colored):
    def tint(x):
        x = x * 0.5
        x[:, 0, -1] += 0.4 * colored
        return x

    path = draw(tmp_path / "in.png", 64, 20, 1, 8)
    (file,) = stream(Used(Computed(tint), Tiling("exact", 0)), path, tmp_path / "out.png", None)
    assert written(file.path).shape == (64, 20, 3 if colored else 1)
    assert len(list(tmp_path.iterdir())) == 2


def test_an_error_in_the_middle_leaves_the_old_file_and_nothing_else(tmp_path):
    calls = []

    def failing(x):
        calls.append(1)
        return x * float("nan") if len(calls) > 5 else x

    path = draw(tmp_path / "in.png", 60, 60, 3, 8)
    target = tmp_path / "out.png"
    target.write_bytes(b"old")
    with pytest.raises(NotFinite):
        stream(Used(Computed(failing), Tiling("exact", 0)), path, target, 16)
    assert target.read_bytes() == b"old"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["in.png", "out.png"]


def test_tiles_that_do_not_fit_in_memory_are_halved_in_the_middle_of_the_image(tmp_path):
    calls, said = [], []

    def short(x):
        calls.append(x.shape[-1])
        if x.shape[-1] > 16 and len(calls) > 3:
            raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 1 bytes")
        return x

    path = draw(tmp_path / "in.png", 64, 50, 3, 8)
    (file,) = stream(Used(Computed(short), Tiling("exact", 0)), path, tmp_path / "out.png", 32, notify=said.append)
    assert difference(written(file.path), written(path)) == 0
    assert said == ["not enough memory on cpu; trying tiles of 16 pixels"]
    assert calls[-1] <= 16


class Spotted(Used):
    """Changes two spots of an image."""

    def patches(self, inputs, networks, device):
        for top, left, height, width in ((0, 3, 9, 5), (5, 1, 20, 4)):
            values = torch.full((3, height, width), top / 10)
            yield Patch(top, left, values, torch.rand(1, height, width, generator=torch.manual_seed(top)) > 0.3)


def test_patches_lie_over_the_rows_of_the_input(tmp_path):
    task = Spotted(Computed(lambda x: x), Tiling("whole"))
    path = draw(tmp_path / "in.png", 31, 17, 3, 8)
    expected = read_image(path).color
    for patch in task.patches({}, {}, None):
        place = slice(None), slice(patch.top, patch.bottom), slice(patch.left, patch.left + patch.values.shape[-1])
        expected[place] = torch.where(patch.chosen, patch.values, expected[place])
    with mock.patch("restore.core.inference.patches.AUTO_PIXELS", 17 * 4 * 4):  # four rows at a time
        (file,) = stream(task, path, tmp_path / "out.png", None)
    assert difference(written(file.path), (expected.permute(1, 2, 0) * 255).round().numpy().astype(np.uint8)) == 0
