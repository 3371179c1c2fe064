"""Any map-style dataset can be trained on and measured."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import Dataset, TensorDataset
from toy_tasks import Noise, OneNetwork, toy_settings

from restore.core.dataset import ImageDataset, as_dataset
from restore.core.training.trainer import Trainer
from restore.core.training_step import Phase


def test_tuples_become_samples_and_numbers_names() -> None:
    stock = as_dataset(TensorDataset(torch.zeros(3, 1, 2, 2), torch.ones(3, 1, 2, 2)))
    assert isinstance(stock, ImageDataset)
    assert len(stock) == 3
    assert {name: float(value.mean()) for name, value in stock[1].items()} == {"input": 0, "target": 1}
    assert stock.name(2) == "2"
    assert not stock.in_memory


def test_what_a_dataset_says_of_itself_is_kept() -> None:
    noise = as_dataset(Noise(2, 8, seed=0, augment=False))
    assert noise.in_memory
    assert noise.name(1) == "noise-1"
    assert as_dataset(noise) is noise


def test_parts_can_be_named_and_items_transformed() -> None:
    def doubled(item: tuple[Tensor]) -> tuple[Tensor, Tensor]:
        return item[0], 2 * item[0]

    found = as_dataset(TensorDataset(torch.ones(1, 2)), ("small", "large"), transform=doubled)[0]
    assert {name: float(value.mean()) for name, value in found.items()} == {"small": 1, "large": 2}


def test_a_task_may_give_a_stock_dataset(tmp_path: Path) -> None:
    class Stock(OneNetwork):
        def dataset(self, split: str, phase: Phase) -> Dataset[tuple[Tensor, ...]]:
            noise = torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))
            return TensorDataset(noise, 1 - noise)

    result = Trainer(Stock, toy_settings(tmp_path, workers=0), name="toy/stock").fit()
    assert result.weights.is_file()
