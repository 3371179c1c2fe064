"""Tiles change nothing that a person could see."""

import math

import pytest
import torch
import torch.nn.functional as F
from built import networks_of
from hypothesis import given, settings
from hypothesis import strategies as st
from tasks_in_use import Computed, Used, hourglass, image, upscaling, used

from restore.core.errors import UsageError
from restore.core.inference import canvas
from restore.core.inference.engine import predict_image
from restore.core.inference.tiles import tile_spans
from restore.core.specs import ImageSpec, Tiling


@settings(deadline=None, max_examples=60)
@given(st.sampled_from([1, 2, 3, 4]), st.integers(1, 40), st.integers(1, 40), st.integers(1, 48))
def test_exact_tiles_equal_the_whole_image(scale, height, width, tile):
    task, given_image = upscaling(scale), image(height, width)
    whole = used(task, given_image, tile=None)
    assert whole.shape == (3, height * scale, width * scale)
    assert torch.allclose(used(task, given_image, tile=tile), whole, atol=1e-5)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 45), st.integers(1, 45), st.integers(1, 48), st.sampled_from(["exact", "blend"]))
def test_tiles_on_the_grid_of_a_network_of_several_resolutions_equal_the_whole(height, width, tile, mode):
    task, given_image = hourglass(mode), image(height, width)
    whole = used(task, given_image, tile=None)
    assert whole.shape == given_image.shape
    assert torch.allclose(used(task, given_image, tile=tile), whole, atol=1e-5)


def test_a_halo_that_is_too_small_shows_so_the_comparison_can_fail():
    task, given_image = upscaling(2, halo=0), image(20, 20)
    whole, tiled = used(task, given_image, tile=None), used(task, given_image, tile=10)
    assert (whole - tiled).abs().max() > 1e-3


@settings(deadline=None, max_examples=300)
@given(st.integers(1, 300), st.integers(1, 60), st.integers(0, 20), st.sampled_from([1, 4]))
def test_tiles_are_of_one_size_have_their_halo_and_cover_the_axis_once(length, edge, halo, step):
    length, edge, halo = length * step, edge * step, halo * step
    pieces = tile_spans(length, edge, halo, step)
    assert [0, *(piece.stop for piece in pieces)] == [*(piece.start for piece in pieces), length]
    (seen,) = {piece.seen_stop - piece.seen_start for piece in pieces}
    assert seen <= min(length, edge + 2 * halo)
    for piece in pieces:
        assert piece.start < piece.stop
        assert 0 <= piece.seen_start <= max(0, piece.start - halo)
        assert min(length, piece.stop + halo) <= piece.seen_stop <= length
        assert all(place % step == 0 for place in (piece.start, piece.stop, piece.seen_start, piece.seen_stop))


def test_tiles_at_the_ends_take_more_where_they_need_no_halo():
    assert [(piece.start, piece.stop) for piece in tile_spans(1000, 260, 40, 1)] == [
        (0, 270),
        (270, 500),
        (500, 730),
        (730, 1000),
    ]
    assert {piece.seen_stop - piece.seen_start for piece in tile_spans(1000, 260, 40, 1)} == {310}


def test_many_tiles_are_run_and_none_is_larger_than_asked_for():
    task = upscaling(2, halo=3)
    used(task, image(50, 33), tile=16)
    assert len(task.shapes) == 4 * 3
    assert max(max(shape[-2:]) for shape in task.shapes) <= 16 + 2 * 3
    assert len(set(task.shapes)) == 1


@settings(deadline=None, max_examples=40)
@given(
    st.integers(1, 70), st.integers(1, 70), st.integers(1, 40), st.integers(0, 12), st.sampled_from([0.5, 1, 2, 1.5])
)
def test_shares_of_blended_tiles_sum_to_one_everywhere(height, width, tile, halo, scale):
    """What is one everywhere stays one, however the tiles overlap."""

    def ones(x):
        return torch.ones(1, 3, int(x.shape[-2] * scale), int(x.shape[-1] * scale))

    task = Used(Computed(ones), Tiling("blend", halo), outputs={"output": ImageSpec(scale=scale)})
    joined = used(task, image(height, width), tile=tile)
    assert joined.shape == (3, math.ceil(height * scale), math.ceil(width * scale))
    assert torch.allclose(joined, torch.ones_like(joined), atol=1e-6)


def test_blending_leaves_no_step_where_tiles_meet():
    """Each tile has its own brightness, as networks with attention give it; the joined image moves smoothly."""

    def own_brightness(x):
        return x * 0 + x.mean()

    slope = torch.linspace(0, 1, 96).expand(3, 24, 96).contiguous()
    jumps = {}
    for mode in ("exact", "blend"):
        joined = used(Used(Computed(own_brightness), Tiling(mode, 16)), slope, tile=32)
        jumps[mode] = joined.diff(dim=-1).abs().max()
    assert jumps["exact"] > 0.15
    assert jumps["blend"] < 0.03


def test_class_numbers_are_never_mixed():
    numbers = iter(range(100))

    def class_of_tile(x):
        return torch.full_like(x[:, :1], 5.0 * next(numbers))

    task = Used(Computed(class_of_tile), Tiling("blend", 8), outputs={"output": ImageSpec(channels=1, smooth=False)})
    assert set(used(task, image(32, 64), tile=32).unique().tolist()) == {0.0, 5.0}


def test_planes_of_other_scales_are_cut_together():
    class Joined(Used):
        def predict(self, batch, networks):
            mask, small = (F.interpolate(batch[name], size=batch["input"].shape[-2:]) for name in ("mask", "small"))
            wide = F.interpolate(batch["input"] + mask + small, scale_factor=2)
            return {"output": wide, "summary": F.avg_pool2d(batch["input"][:, :1], 4)}

    task = Joined(
        Computed(lambda x: x),
        Tiling("exact", 0),
        {
            "input": ImageSpec(),
            "mask": ImageSpec(1, scale=2, smooth=False),
            "small": ImageSpec(1, scale=0.25, padding="zero"),
        },
        {"output": ImageSpec(scale=2), "summary": ImageSpec(1, scale=0.25)},
    )
    inputs = {"input": image(21, 30), "mask": image(42, 60, 1).round(), "small": image(6, 8, 1)}
    whole = predict_image(task, networks_of(task), inputs, tile=None)
    tiled = predict_image(task, networks_of(task), inputs, tile=8)
    assert whole["output"].shape == (3, 42, 60)
    assert whole["summary"].shape == (1, 6, 8)
    assert all(torch.equal(whole[name], tiled[name]) for name in whole)


def test_large_images_are_cut_by_themselves_and_small_ones_are_not(monkeypatch):
    monkeypatch.setattr(canvas, "AUTO_PIXELS", 64 * 64)
    task = upscaling(2)
    used(task, image(32, 32))
    assert task.shapes == [(1, 3, 32, 32)]
    task.shapes.clear()
    used(task, image(33, 32))  # the output is the larger one: 66 x 64
    assert len(task.shapes) > 1
    assert max(math.prod(shape[-2:]) for shape in task.shapes) * 4 <= 64 * 64


def test_a_task_that_must_see_the_whole_image_is_never_cut(monkeypatch):
    monkeypatch.setattr(canvas, "AUTO_PIXELS", 16)
    task = upscaling(2, mode="whole")
    used(task, image(20, 20))
    assert task.shapes == [(1, 3, 20, 20)]
    with pytest.raises(UsageError, match="must see the whole image"):
        used(task, image(20, 20), tile=16)


def test_progress_counts_the_tiles():
    counted = []
    used(upscaling(2), image(32, 16), tile=16, progress=lambda done, total: counted.append((done, total)))
    assert counted == [(1, 2), (2, 2)]
