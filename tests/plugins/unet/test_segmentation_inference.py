"""Levels, views, ensembles and sizes of what is answered."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from small_segmentation import frozen, nested
from torch import Tensor

from restore import registry
from restore.core.errors import UsageError
from restore.core.networks import Networks, for_inference
from restore.core.weights.files import open_weights, save_weights
from restore.plugins.unet import inference
from restore.plugins.unet.networks.unet import NestedUNet
from restore.plugins.unet.options import SegmentationPredictOptions
from restore.plugins.unet.settings import (
    ModelSettings,
    UNetSettings,
)
from restore.plugins.unet.task import Segmentation, UNetSegmentation


def test_deep_supervision_is_measured_by_its_last_head() -> None:
    task = nested()
    networks = frozen(task)
    image = torch.rand(1, 3, 32, 32)
    heads = networks.segmenter(inference.normalize(image, task.model))
    assert len(heads) == 4
    assert torch.equal(task.predict({"input": image}, networks)["probability"], heads[-1].sigmoid())


def test_a_level_is_that_head() -> None:
    whole = nested()
    networks = frozen(whole)
    image = torch.rand(1, 3, 32, 32)
    heads = networks.segmenter(inference.normalize(image, whole.model))
    pruned = nested(predict=SegmentationPredictOptions(level=2)).predict({"input": image}, networks)["probability"]
    assert torch.equal(pruned, heads[1].sigmoid())


def test_a_level_needs_a_deeply_supervised_network() -> None:
    task = nested(predict=SegmentationPredictOptions(level=2), deep_supervision=False)
    with pytest.raises(UsageError, match="without deep supervision"):
        task.predict({"input": torch.rand(1, 3, 16, 16)}, frozen(task))
    plain = UNetSegmentation(UNetSettings(model=ModelSettings(channels=2)).resolved())
    plain = plain.with_options(predict=SegmentationPredictOptions(level=2))
    with pytest.raises(UsageError, match="works with UNet"):
        plain.predict({"input": torch.rand(1, 3, 16, 16)}, frozen(plain))


@pytest.mark.parametrize(("tta", "count"), [("none", 1), ("flips", 4), ("all", 8)])
def test_test_time_augmentation_looks_at_every_view_and_turns_it_back(tta: str, count: int) -> None:
    seen: list[Tensor] = []

    def itself(images: Tensor) -> Tensor:
        seen.append(images)
        return images

    image = torch.rand(1, 1, 5, 7)
    assert torch.allclose(inference.tta(itself, tta)(image), image)  # type: ignore[arg-type]
    assert len({(view.shape, view.numpy().tobytes()) for view in seen}) == len(seen) == count


def test_with_all_views_the_answer_turns_with_the_image() -> None:
    task = nested(predict=SegmentationPredictOptions(tta="all"))
    networks = frozen(task)
    image = torch.rand(1, 3, 32, 32)
    answer = task.predict({"input": image}, networks)["probability"]
    tta = task.predict({"input": image.rot90(1, (-2, -1)).flip(-1)}, networks)["probability"]
    assert torch.allclose(tta, answer.rot90(1, (-2, -1)).flip(-1), atol=1e-6)


def saved(path: Path, task: Segmentation, networks: Networks, name: str = "unet/nested-unet") -> Path:
    return save_weights(path, task=name, model=task.model.model_dump(mode="json"), networks=networks)


def test_an_ensemble_is_the_mean_of_its_members(tmp_path: Path) -> None:
    one = nested()
    other = nested(channels=3, mean=[0.1, 0.2, 0.3])
    first, second = frozen(one, 1), frozen(other, 2)
    path = saved(tmp_path / "other.safetensors", other, second)
    image = {"input": torch.rand(1, 3, 32, 32)}
    task = nested(predict=SegmentationPredictOptions(ensemble=[path]))
    both = task.predict(image, Networks({**first, **task.helper_networks()}))["probability"]
    mean = (one.predict(image, first)["probability"] + other.predict(image, second)["probability"]) / 2
    assert torch.allclose(both, mean)


def test_members_of_an_ensemble_go_where_the_first_network_goes(tmp_path: Path) -> None:
    one = nested()
    path = saved(tmp_path / "other.safetensors", one, frozen(one))
    task = nested(predict=SegmentationPredictOptions(ensemble=[path]))
    with for_inference({**frozen(task), **task.helper_networks()}, "meta") as view:
        assert task.predict({"input": torch.rand(1, 3, 32, 32, device="meta")}, view)["probability"].is_meta
        assert all(weight.is_meta for weight in view["ensemble 1"].parameters())


def test_members_of_an_ensemble_find_the_same_classes(tmp_path: Path) -> None:
    other = nested(classes=["cell"])
    path = saved(tmp_path / "other.safetensors", other, frozen(other))
    task = nested(predict=SegmentationPredictOptions(ensemble=[path]))
    with pytest.raises(UsageError, match="has the classes cell, but the first weights have nucleus"):
        task.helper_networks()


def test_weights_rebuild_the_task(tmp_path: Path) -> None:
    task = nested()
    networks = frozen(task)
    again, opened = open_weights(saved(tmp_path / "w.safetensors", task, networks), registry.get)
    image = {"input": torch.rand(1, 3, 20, 28)}
    found = again.predict(image, opened)["probability"]
    assert torch.equal(found, task.predict(image, networks)["probability"])


def test_resized_networks_see_their_training_size_and_answer_at_the_images() -> None:
    seen: list[tuple[int, ...]] = []

    class Looking(NestedUNet):
        def forward(self, x: Tensor) -> Tensor | list[Tensor]:
            seen.append(tuple(x.shape[-2:]))
            return super().forward(x)

    network = Networks({"segmenter": Looking(channels=2).eval()})
    image = {"input": torch.rand(1, 3, 50, 70)}
    for fit, at, size in (
        ("resize", "auto", (32, 48)),
        ("resize", "native", (50, 70)),
        ("crop", "auto", (50, 70)),
        ("crop", "training", (32, 48)),
    ):
        task = nested(
            predict=SegmentationPredictOptions(inference_size=at), fit=fit, size=(32, 48), deep_supervision=False
        )  # type: ignore[arg-type]
        found = task.predict(image, network)["probability"]
        assert seen[-1] == size
        assert found.shape == (1, 1, 50, 70)
        assert task.tiling.mode == ("whole" if size == (32, 48) else "blend")
