"""Networks are used on the device, in the mode and in the memory format that they are meant for."""

import pytest
import torch
from built import networks_of
from tasks_in_use import Computed, Used, image, upscaling, used
from torch import nn

from restore.core.evaluation import evaluate
from restore.core.networks import for_inference, frozen
from restore.core.specs import Tiling


class Numbered(list):
    """Samples that have numbers for names."""

    def name(self, index):
        return str(index)


def measured(task):
    return evaluate(task, networks_of(task), Numbered([{"input": image(4, 4)}]), {}, of="x")


def test_networks_run_in_evaluation_mode_without_gradients_and_are_left_as_they_were():
    def looked(x):
        assert not torch.is_grad_enabled()
        assert not network.training
        return x

    network = Computed(looked)
    task = Used(network, Tiling("exact", 0))
    network.train()
    result = used(task, image(4, 4))
    assert network.training
    result += 1  # an ordinary tensor, not one of inference mode
    measured(task)
    assert network.training


def test_all_networks_go_to_the_device_and_the_frozen_ones_stay_frozen():
    eye = frozen({"eye": nn.Linear(1, 1)})
    with for_inference(eye, "meta") as view:
        assert view.eye.weight.device.type == "meta"
        assert not view.eye.weight.requires_grad
    assert eye["eye"].weight.device.type == "meta"
    assert not eye["eye"].training


@pytest.mark.parametrize("fast", [False, True])
def test_networks_are_used_in_the_memory_format_that_they_are_trained_in(fast, monkeypatch):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    task = upscaling(2)
    task.channels_last = fast
    used(task, image(8, 6))
    for weight in (task.network.first.weight, task.network.last.weight):
        assert weight.is_contiguous(memory_format=torch.channels_last if fast else torch.contiguous_format)
        assert weight.is_contiguous() is not fast
    other = upscaling(2)
    other.network.load_state_dict(task.network.state_dict())
    torch.testing.assert_close(used(task, image(8, 6)), used(other, image(8, 6)), rtol=0, atol=1e-6)


@pytest.mark.parametrize(("capability", "fast"), [("AVX512", True), ("AVX2", False), ("DEFAULT", True)])
def test_processors_without_avx512_keep_the_usual_memory_format(capability, fast, monkeypatch):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    task = upscaling(2)
    task.channels_last = True
    used(task, image(8, 6))
    assert task.network.first.weight.is_contiguous(memory_format=torch.channels_last) is fast
