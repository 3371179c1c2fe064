"""Values that are NaN or infinite are computed again, or refused."""

import pytest
import torch
from tasks_in_use import Computed, Used, image, upscaling, used

from restore.core.errors import DataError
from restore.core.inference.engine import NotFinite
from restore.core.specs import Tiling


def overflowing(x):
    return x * 1e30 if x.dtype == torch.float32 and not torch.is_autocast_enabled("cpu") else x * float("nan")


def test_what_overflows_in_half_precision_is_repeated_in_full():
    task, said = Used(Computed(overflowing), Tiling("exact", 0)), []
    result = used(task, torch.ones(3, 4, 4), precision="bf16", notify=said.append)
    assert torch.equal(result, torch.full((3, 4, 4), 1e30))
    assert len(said) == 1
    assert "bf16; repeating the image in fp32" in said[0]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_no_numbers_are_an_error(value):
    task = Used(Computed(lambda x: x + value), Tiling("exact", 0))
    with pytest.raises(NotFinite):
        used(task, image(4, 4))
    with pytest.raises(DataError, match="NaN or infinite"):
        used(upscaling(2), image(4, 4) + value)
