"""Which samples make a step, and with what random numbers, depends on the seed alone."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from toy_tasks import Noise, toy_settings

from restore.core.dataset import as_dataset
from restore.core.errors import UsageError
from restore.core.seeding import derive_seed, random_states, restore_random_states, seed_everything, seeded
from restore.core.training.dataloading import SeededSamples, make_plan


@given(
    processes=st.sampled_from([1, 2, 4]),
    accumulate=st.sampled_from([1, 2]),
    images=st.integers(1, 30),
    epoch=st.integers(0, 5),
)
def test_a_step_has_the_same_samples_however_it_is_shared(
    processes: int, accumulate: int, images: int, epoch: int
) -> None:
    settings = toy_settings(Path(), batch_size=8, samples_per_epoch=20, accumulate=accumulate)
    alone = make_plan(settings.model_copy(update={"accumulate": 1}), images)
    whole = list(alone.keys(epoch, 0, 0))
    assert len(whole) == alone.steps == 2  # the incomplete third step is dropped
    plan = make_plan(settings, images, processes=processes)
    shares = [list(plan.keys(epoch, 0, rank)) for rank in range(processes)]
    for step in range(2):
        micro = range(step * accumulate, (step + 1) * accumulate)
        together = [key for m in micro for share in shares for key in share[m]]
        assert together == whole[step]


@given(images=st.integers(1, 40), first=st.integers(0, 4))
def test_an_epoch_goes_on_from_any_step(images: int, first: int) -> None:
    plan = make_plan(toy_settings(Path(), batch_size=4), images)
    assert list(plan.keys(3, first, 0)) == list(plan.keys(3, 0, 0))[first:]


def test_every_image_comes_equally_often_and_each_epoch_has_its_order() -> None:
    plan = make_plan(toy_settings(Path(), batch_size=4, samples_per_epoch=24), 8)
    epochs = [[image for batch in plan.keys(e, 0, 0) for _, _, image in batch] for e in range(2)]
    assert Counter(epochs[0]) == dict.fromkeys(range(8), 3)
    assert epochs[0] != epochs[1]


def test_repeats_of_an_image_differ_and_leave_the_global_rng_alone() -> None:
    samples = SeededSamples(as_dataset(Noise(2, 8, seed=0, augment=True)), seed=5)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first, repeat, again = samples[0, 0, 1], samples[0, 2, 1], samples[0, 0, 1]
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first["input"], again["input"])
    assert not torch.equal(first["input"], repeat["input"])


def test_a_batch_that_cannot_be_shared_is_refused() -> None:
    with pytest.raises(UsageError, match="multiple of 6"):
        make_plan(toy_settings(Path(), batch_size=8, accumulate=2), 10, processes=3)
    with pytest.raises(UsageError, match="fewer than one batch"):
        make_plan(toy_settings(Path(), batch_size=32, samples_per_epoch=16), 10)


def test_few_images_make_an_epoch_of_fifty_steps() -> None:
    assert make_plan(toy_settings(Path(), samples_per_epoch=None), 5).steps == 50


def test_seeds_of_neighbors_have_nothing_in_common() -> None:
    assert len({derive_seed(0, "sample", epoch, i) for epoch in range(10) for i in range(100)}) == 1000
    assert all(0 <= derive_seed(seed, "weights") < 2**63 for seed in range(100))


def test_random_state_of_python_numpy_and_torch_is_taken_up_again() -> None:
    import random

    import numpy as np

    seed_everything(3)
    tensors, plain = random_states()
    drawn = (random.random(), np.random.rand(), torch.rand(()).item())
    with seeded(9):
        inside = (random.random(), np.random.rand(), torch.rand(()).item())
    restore_random_states(tensors, plain)
    assert (random.random(), np.random.rand(), torch.rand(()).item()) == drawn
    with seeded(9):
        assert (random.random(), np.random.rand(), torch.rand(()).item()) == inside
