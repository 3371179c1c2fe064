"""Memory that runs out, and memory that does not grow."""

import pytest
import torch
from built import networks_of
from tasks_in_use import Computed, Used, image, upscaling, used

from restore.core.dataset import Batch
from restore.core.errors import DataError
from restore.core.inference import canvas, engine
from restore.core.inference.engine import OutOfMemory
from restore.core.networks import Networks
from restore.core.specs import Tiling


def short_of_memory(limit, message="DefaultCPUAllocator: not enough memory: you tried to allocate 1 bytes"):
    def identity(x):
        if x.numel() > limit:
            raise RuntimeError(message)
        return x * 2

    return identity


def test_tiles_are_halved_until_they_fit():
    task, said = Used(Computed(short_of_memory(3 * 20 * 20)), Tiling("exact", 0)), []
    given_image = image(64, 64)
    assert torch.equal(used(task, given_image, notify=said.append), given_image * 2)
    assert said == [f"not enough memory on cpu; trying tiles of {edge} pixels" for edge in (32, 16)]


def test_memory_that_is_never_enough_is_a_clear_error():
    task = Used(Computed(short_of_memory(3)), Tiling("exact", 0))
    with pytest.raises(OutOfMemory, match="not enough memory on cpu for the smallest tile"):
        used(task, image(64, 64))
    whole = Used(Computed(short_of_memory(3)), Tiling("whole"))
    with pytest.raises(OutOfMemory, match=r"the whole image \(this task supports no tiles\)"):
        used(whole, image(64, 64))


def test_other_errors_of_a_network_are_not_taken_for_a_lack_of_memory():
    task = Used(Computed(short_of_memory(3, "sizes do not match")), Tiling("exact", 0))
    with pytest.raises(RuntimeError, match="sizes do not match"):
        used(task, image(8, 8))
    assert len(task.shapes) == 1


def test_an_output_larger_than_the_memory_is_refused_before_it_is_tried(monkeypatch):
    monkeypatch.setattr(engine, "host_memory", lambda: 1000.0)
    task = upscaling(4)
    with pytest.raises(DataError, match="160 x 80 pixels"):
        used(task, image(20, 40))
    assert task.shapes == []


def test_validation_on_a_large_image_takes_no_more_memory_than_on_a_small_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from toy_tasks import OneNetwork, ToySettings

    task = OneNetwork(ToySettings())
    seen: list[int] = []
    predict = task.predict

    def watched(batch: Batch, networks: Networks) -> Batch:
        seen.append(batch["input"].shape[-2] * batch["input"].shape[-1])
        return predict(batch, networks)

    monkeypatch.setattr(task, "predict", watched)
    monkeypatch.setattr(engine, "AUTO_PIXELS", 64 * 64)
    monkeypatch.setattr(canvas, "AUTO_PIXELS", 64 * 64)
    image = torch.rand(1, 1, 200, 230)
    protocol = task.protocols()["plain"]
    networks = Networks({name: module.eval() for name, module in networks_of(task).items()})
    task.measure({"input": image, "target": 1 - image}, networks, protocol)
    assert len(seen) > 4
    assert max(seen) <= 4 * 64 * 64  # a tile and its surroundings
    seen.clear()
    task.measure({"input": image[..., :50, :50], "target": image[..., :50, :50]}, networks, protocol)
    assert seen == [50 * 50]
