"""Holes that are filled together, in masks of any size."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from restore.plugins.common.inpainting.regions import dilate_hole, find_groups
from restore.plugins.common.masks.reading import dilate


def by_definition(hole: NDArray[np.bool_], gap: int) -> list[tuple[int, int, NDArray[np.bool_]]]:
    joined = dilate(torch.from_numpy(hole)[None].float(), gap)[0].numpy() > 0
    labels, _ = ndimage.label(joined, structure=np.ones((3, 3), int))
    found = []
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        own = hole[rows, columns] & (labels[rows, columns] == number)
        (down,), (across,) = np.nonzero(own.any(1)), np.nonzero(own.any(0))
        inner = own[down[0] : down[-1] + 1, across[0] : across[-1] + 1]
        found.append((rows.start + int(down[0]), columns.start + int(across[0]), inner))
    return sorted(found, key=lambda each: each[:2])


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 400),
    st.integers(1, 400),
    st.sampled_from([0, 1, 3, 31, 32, 70]),
    st.lists(st.tuples(*[st.floats(0, 0.999)] * 2, *[st.integers(1, 20)] * 2), min_size=1, max_size=20),
)
def test_dividing_a_mask_at_empty_spaces_changes_no_group(
    height: int, width: int, gap: int, boxes: list[tuple[float, float, int, int]]
) -> None:
    hole = np.zeros((height, width), np.bool_)
    for top, left, rows, columns in boxes:
        first_row, first_column = int(top * height), int(left * width)
        hole[first_row : first_row + rows, first_column : first_column + columns] = True
    groups, expected = find_groups(hole, gap), by_definition(hole, gap)
    assert [(box.top, box.left) for box, _ in groups] == [each[:2] for each in expected]
    assert all(np.array_equal(own, each[2]) for (_, own), each in zip(groups, expected, strict=True))


def test_dilation_is_that_of_tensors() -> None:
    hole = np.random.default_rng(0).random((23, 17)) > 0.97
    for pixels in (0, 1, 5, 40):
        assert np.array_equal(
            dilate_hole(hole, pixels), dilate(torch.from_numpy(hole)[None].float(), pixels)[0].numpy() > 0
        )
