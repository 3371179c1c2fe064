"""Numbers of 64 bits, and RNGs, on devices that differ."""

import pytest
import torch

from restore.core.runtime.devices import device_of_float64, in_float64
from restore.core.seeding import seeded


@pytest.mark.parametrize(("device", "place"), [("cpu", "cpu"), ("cuda:1", "cuda:1"), ("mps", "cpu")])
def test_what_a_device_cannot_hold_is_held_by_the_cpu(device, place):
    assert device_of_float64(torch.device(device)) == torch.device(place)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.uint8, torch.bool])
def test_values_stay_what_they_are_in_float64(dtype):
    values = torch.tensor([[0, 1, 1], [1, 0, 1]]).to(dtype)
    precise = in_float64(values)
    assert precise.dtype == torch.float64
    assert torch.equal(precise, values.double())


def test_the_generator_of_apple_metal_is_covered_and_left_as_it_was(monkeypatch):
    told = []
    monkeypatch.setattr(torch.mps, "get_rng_state", lambda: "before")
    monkeypatch.setattr(torch.mps, "manual_seed", lambda seed: told.append(seed))
    monkeypatch.setattr(torch.mps, "set_rng_state", lambda state: told.append(state))
    with seeded(5, torch.device("mps")):
        assert told == [5]
    assert told == [5, "before"]
    with seeded(5, torch.device("cpu")):
        assert told == [5, "before"]
