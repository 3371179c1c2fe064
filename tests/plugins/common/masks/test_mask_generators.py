"""Drawn holes: their share, their looks, and that a seed decides them."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from torch import Tensor

from restore.plugins.common.masks.generators import draw_mask
from restore.plugins.common.masks.graffiti import write_word
from restore.plugins.common.masks.settings import KINDS, MaskKind


def seeded(kind: MaskKind, side: int = 64, coverage: float = 0.3, seed: int = 0) -> Tensor:
    return draw_mask(kind, side, side, coverage, torch.Generator().manual_seed(seed))


@given(
    kind=st.sampled_from(KINDS),
    height=st.integers(16, 90),
    width=st.integers(16, 90),
    coverage=st.floats(0.02, 0.9),
    seed=st.integers(0, 2**63 - 1),
)
@settings(max_examples=80, deadline=None)
def test_the_share_is_what_was_asked_for(kind: MaskKind, height: int, width: int, coverage: float, seed: int) -> None:
    mask = draw_mask(kind, height, width, coverage, torch.Generator().manual_seed(seed))
    assert mask.shape == (1, height, width)
    assert set(mask.unique().tolist()) == {0.0, 1.0}
    assert abs(float(mask.mean()) - coverage) <= 0.02


@given(kind=st.sampled_from(KINDS), height=st.integers(1, 15), width=st.integers(2, 40), coverage=st.floats(0.01, 0.99))
@settings(max_examples=40, deadline=None)
def test_the_smallest_images_have_a_hole_and_something_known(
    kind: MaskKind, height: int, width: int, coverage: float
) -> None:
    mask = draw_mask(kind, height, width, coverage, torch.Generator().manual_seed(0))
    assert 0 < float(mask.mean()) < 1


@given(kind=st.sampled_from(KINDS), seed=st.integers(0, 2**63 - 1))
@settings(max_examples=25, deadline=None)
def test_a_seed_decides_a_mask_whether_it_is_the_generators_or_the_global_one(kind: MaskKind, seed: int) -> None:
    own = seeded(kind, 48, seed=seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        assert torch.equal(draw_mask(kind, 48, 48, 0.3), own)
    assert torch.equal(seeded(kind, 48, seed=seed), own)


@pytest.mark.parametrize("kind", KINDS)
def test_seeds_differ(kind: MaskKind) -> None:
    assert len({hashlib.sha256(seeded(kind, seed=seed).numpy().tobytes()).hexdigest() for seed in range(8)}) > 5


# Of 96 x 64 pixels, a third of them hole, from seed 7; whole numbers make them the same on any platform.
DIGESTS = {
    "rectangles": "c474989f35b3c2a5",
    "strokes": "2054d402202ed06e",
    "scratches": "1c869638bfa5a764",
    "graffiti": "4fe1c926da29e4db",
    "blobs": "260dd5c742112816",
    "border": "c452a0f19ba19da9",
}


@pytest.mark.parametrize("kind", KINDS)
def test_masks_are_the_same_everywhere(kind: MaskKind) -> None:
    mask = draw_mask(kind, 96, 64, 1 / 3, torch.Generator().manual_seed(7))
    assert hashlib.sha256(mask.byte().numpy().tobytes()).hexdigest()[:16] == DIGESTS[kind]


def test_another_process_with_another_number_of_threads_draws_the_same() -> None:
    program = (
        "import torch; torch.set_num_threads(2)\n"
        "from restore.plugins.common.masks.generators import draw_mask\n"
        "mask = draw_mask('blobs', 64, 64, 0.3, torch.Generator().manual_seed(0))\n"
        "print(''.join(str(int(pixel)) for pixel in mask.flatten()))"
    )
    drawn = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
    assert drawn == "".join(str(int(pixel)) for pixel in seeded("blobs").flatten())


def thickness(mask: Tensor) -> float:
    """Twice the largest distance of a hole's pixel to what is known."""
    return 2 * float(ndimage.distance_transform_edt(mask[0].numpy()).max())


def test_scratches_are_thin_strokes_broader_and_blobs_broadest() -> None:
    mean = {
        kind: sum(thickness(seeded(kind, 128, 0.1, seed)) for seed in range(8)) / 8
        for kind in ("scratches", "strokes", "blobs")
    }
    assert mean["scratches"] < 8 < mean["strokes"] < mean["blobs"]


def test_a_border_leaves_one_rectangle_known() -> None:
    for seed in range(10):
        known = 1 - seeded("border", 128, seed=seed)[0]
        rows, columns = known.any(1).nonzero().flatten(), known.any(0).nonzero().flatten()
        assert int(known.sum()) == len(rows) * len(columns)
        assert (int(rows[-1] - rows[0]) + 1, int(columns[-1] - columns[0]) + 1) == (len(rows), len(columns))
        edges = [known[0], known[-1], known[:, 0], known[:, -1]]
        assert not all(bool(edge.any()) for edge in edges)


def test_rectangles_have_straight_sides() -> None:
    for seed in range(10):
        hole = seeded("rectangles", seed=seed)[0]
        corners = (hole[1:, 1:] + hole[:-1, :-1] + hole[1:, :-1] + hole[:-1, 1:]) % 2
        assert int(corners.sum()) <= 40  # a ragged edge of one of them would have dozens


def test_letters_stand_side_by_side_at_the_size_that_was_asked_for() -> None:
    first, both = write_word("I", 60), write_word("IL", 60)
    assert len(both) == len(first) + 1
    rows, columns = zip(*((line[:, 0], line[:, 1]) for line in both), strict=True)
    assert min(row.min() for row in rows) == 0
    assert max(row.max() for row in rows) == 60 * 256
    assert columns[-1].min() > max(column.max() for column in columns[:-1])


@pytest.mark.parametrize("coverage", [0, 1, -0.1, 1.5])
def test_a_share_that_leaves_nothing_is_refused(coverage: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        seeded("blobs", coverage=coverage)
    with pytest.raises(ValueError, match="too small for a mask"):
        draw_mask("blobs", 1, 1, 0.5)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_thousand_masks_keep_their_share(kind: MaskKind) -> None:
    for seed in range(1000):
        coverage = 0.02 + 0.88 * (seed * 617 % 1000) / 1000
        assert abs(float(seeded(kind, 128, coverage, seed).mean()) - coverage) <= 0.02, (seed, coverage)
