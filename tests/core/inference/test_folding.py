"""Batch normalization becomes part of the convolutions, and only in the copy that is used."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from restore.core.inference.folding import fold_batch_norm


class Block(nn.Module):
    normalized_by: ClassVar[dict[str, str]] = {"conv": "norm"}

    def __init__(self, norm: nn.Module) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(4, 4, 3, padding=1, bias=False), norm

    def forward(self, x: Tensor) -> Tensor:
        return x + self.norm(self.conv(x)).relu()


def network(norm: nn.Module | None = None) -> nn.Module:
    """A small network that has learned its running statistics."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), Block(norm or nn.BatchNorm2d(4)))
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d) and module.affine:
            nn.init.uniform_(module.weight, 0.5, 2.0)
            nn.init.uniform_(module.bias, -1.0, 1.0)
    for _ in range(3):
        net(torch.rand(8, 3, 9, 9))
    return net


def norms(net: nn.Module) -> int:
    return sum(isinstance(module, nn.BatchNorm2d) for module in net.modules())


def test_outputs_are_the_same_and_no_normalization_is_left():
    net = network()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    folded = fold_batch_norm({"net": net})["net"]
    assert norms(folded) == 0
    assert norms(net) == 2
    assert net.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    x = torch.rand(2, 3, 12, 10)
    with torch.inference_mode():
        assert torch.allclose(folded(x), net.eval()(x), atol=1e-5)


def test_statistics_of_the_batch_and_other_layers_stay():
    assert norms(fold_batch_norm({"net": network(nn.BatchNorm2d(4, track_running_stats=False))})["net"]) == 1
    assert isinstance(fold_batch_norm({"net": network(nn.InstanceNorm2d(4))})["net"][3].norm, nn.InstanceNorm2d)


def test_layers_that_are_used_twice_stay():
    shared = nn.BatchNorm2d(4)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), shared, nn.Conv2d(4, 4, 3), shared).eval()
    folded = fold_batch_norm({"net": net})["net"]
    assert isinstance(folded[1], nn.BatchNorm2d)
    x = torch.rand(1, 3, 9, 9)
    assert torch.equal(folded(x), net(x))
