"""A convolution to few channels gives what nn.Conv2d gives, and so do its gradients."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from restore.core.graphs.tracing import simplify_layers
from restore.plugins.common.narrow_conv import NarrowConv2d


def pair(*arguments: Any, **options: Any) -> tuple[nn.Conv2d, NarrowConv2d]:
    """The usual convolution and the narrow one, with the same weights from the same seed."""
    torch.manual_seed(0)
    usual = nn.Conv2d(*arguments, **options)
    torch.manual_seed(0)
    narrow = NarrowConv2d(*arguments, **options)
    assert all(torch.equal(a, b) for a, b in zip(usual.parameters(), narrow.parameters(), strict=True))
    return usual, narrow


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ((8, 3, 9), {"padding": 4}),
        ((8, 3, 3), {"padding": 1}),
        ((5, 1, (3, 5)), {"padding": (1, 2), "bias": False}),
        ((4, 3, (3, 4)), {"padding": (1, 0)}),
        # which are left to nn.Conv2d
        ((8, 3, 3), {}),
        ((8, 3, 3), {"padding": "same"}),
        ((8, 3, 3), {"padding": 1, "stride": 2}),
        ((8, 4, 3), {"padding": 1, "groups": 2}),
        ((8, 3, 3), {"padding": 1, "padding_mode": "reflect"}),
    ],
)
def test_results_and_gradients_are_those_of_the_usual_one(arguments, options, layout):
    usual, narrow = pair(*arguments, **options)
    given = torch.rand(2, arguments[0], 11, 13).contiguous(memory_format=layout)
    results = []
    for layer in (usual, narrow):
        x = given.clone().requires_grad_()
        output = layer(x)
        output.square().sum().backward()
        results.append((output.detach(), x.grad, *(p.grad for p in layer.parameters())))
    for expected, got in zip(*results, strict=True):
        assert got.shape == expected.shape
        assert torch.allclose(got, expected, rtol=1e-4, atol=1e-5)


def test_it_is_differentiable_twice():
    _, narrow = pair(2, 1, 3, padding=1)
    narrow.double()
    assert torch.autograd.gradgradcheck(narrow, torch.rand(1, 2, 4, 4, dtype=torch.float64, requires_grad=True))


def test_it_can_be_replaced_by_the_usual_one():
    _, narrow = pair(8, 3, 9, padding=4)
    network = nn.Sequential(nn.Sequential(narrow.double()))
    x = torch.rand(1, 8, 12, 12, dtype=torch.float64)
    expected = network(x)
    assert simplify_layers(network) is network
    assert type(network[0][0]) is nn.Conv2d
    assert torch.allclose(network(x), expected)
