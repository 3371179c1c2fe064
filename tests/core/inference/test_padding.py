"""Images are continued beyond their edges."""

import torch

from restore.core.inference.padding import pad


def test_reflection_swings_to_and_fro():
    row = torch.tensor([[[1.0, 2.0, 3.0]]])
    assert pad(row, 2, 8, "reflect").tolist() == [[[1, 2, 3, 2, 1, 2, 3, 2]] * 2]
    assert pad(row, 1, 5, "edge").tolist() == [[[1, 2, 3, 3, 3]]]
    assert pad(row, 1, 5, "zero").tolist() == [[[1, 2, 3, 0, 0]]]
    assert pad(row, 1, 3, "reflect") is row
