"""The mean over flips and turns."""

import pytest
import torch
from tasks_in_use import Computed, Used, upscaling

from restore.core.errors import UsageError
from restore.core.inference.engine import predict_image
from restore.core.inference.self_ensemble import add_self_ensemble
from restore.core.networks import Networks
from restore.core.specs import ImageSpec, Tiling


def equivariant(task):
    task.equivariant = True
    return task


def test_it_is_the_mean_of_eight_calls_in_float64():
    task = equivariant(upscaling(2))
    networks = Networks({name: network.double() for name, network in task.networks().items()})
    image = torch.rand(2, 3, 9, 14, dtype=torch.float64)
    with torch.no_grad():
        found = add_self_ensemble(task).predict({"input": image}, networks)["output"]
        results = []
        for mirrored in (False, True):
            for turns in range(4):
                seen = torch.flip(image, (3,)) if mirrored else image
                seen = torch.rot90(seen, turns, (2, 3))
                back = torch.rot90(networks.network(seen), -turns, (2, 3))
                results.append(torch.flip(back, (3,)) if mirrored else back)
    assert len({tuple(result.flatten().tolist()) for result in results}) == 8  # the network itself is not equivariant
    assert torch.equal(found, sum(results) / 8)


def test_every_input_is_turned_and_a_formula_stays_as_it_is():
    two = {"input": ImageSpec(), "guide": ImageSpec(channels=1, scale=2)}
    task = equivariant(Used(Computed(lambda x: x), Tiling("exact", 0), inputs=two))

    def predict(batch, networks):
        return {"output": batch["input"] * batch["guide"][..., ::2, ::2].clamp(0, 1)}

    task.predict = predict
    inputs = {"input": torch.rand(3, 5, 8), "guide": torch.rand(1, 10, 16).round().repeat_interleave(1, 0)}
    inputs["guide"] = inputs["guide"][:, ::2, ::2].repeat_interleave(2, 1).repeat_interleave(2, 2)
    plain, averaged = (predict_image(each, {}, inputs)["output"] for each in (task, add_self_ensemble(task)))
    assert torch.allclose(plain, averaged, atol=1e-6)


def test_tiles_equal_the_whole():
    task = add_self_ensemble(equivariant(upscaling(2)))
    networks, image = task.networks(), torch.rand(3, 40, 33)
    whole, tiled = (predict_image(task, networks, {"input": image}, tile=tile)["output"] for tile in (None, 16))
    assert torch.allclose(whole, tiled, atol=1e-5)


def test_a_method_that_knows_up_from_down_is_refused():
    with pytest.raises(UsageError, match="is not made for flipped and turned images"):
        add_self_ensemble(upscaling(2))
