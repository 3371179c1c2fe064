"""The plugin keeps its contracts, and the network is that of the paper."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from restore_fsrcnn.network import FSRCNN
from restore_fsrcnn.settings import FSRCNNSettings

from restore import registry
from restore.core.testing import check_component, check_imports, check_task


def test_the_task_keeps_its_contract(tmp_path: Path) -> None:
    check_task(registry.entry("tasks", "fsrcnn"), tmp_path)


def test_the_network_keeps_the_contract_of_its_role() -> None:
    check_component(registry.entry("architectures", "fsrcnn/fsrcnn"))


def test_the_plugin_is_cheap_to_load() -> None:
    check_imports("restore_fsrcnn", "restore_fsrcnn.settings")


@pytest.mark.parametrize(("sizes", "weights"), [((56, 12, 4), 12464), ((32, 5, 1), 3937)])
def test_the_network_has_the_weights_of_table_1_for_one_channel(sizes: tuple[int, int, int], weights: int) -> None:
    features = sizes[0]
    counted = sum(weight.numel() for weight in FSRCNN(3, *sizes).parameters() if weight.dim() == 4)
    more_colors = 2 * features * (25 + 81)  # two channels more in the first layer and in the last one
    assert counted - more_colors == weights


@pytest.mark.parametrize("scale", [1, 2, 3, 4, 8])
def test_every_scale_is_exact(scale: int) -> None:
    assert FSRCNN(scale)(torch.zeros(1, 3, 7, 9)).shape == (1, 3, 7 * scale, 9 * scale)


def test_the_deconvolution_learns_at_a_tenth_of_the_rate() -> None:
    assert FSRCNNSettings().optimizer.lr_factors == {"generator.deconvolution.*": 0.1}
