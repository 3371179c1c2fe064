"""The task: trained, pruned, averaged, written and measured."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from built import networks_of
from recorder import Recorder

from restore import registry
from restore.plugins.unet.settings import (
    DeepLabModel,
    DeepLabSettings,
    ModelSettings,
    NestedUNetModel,
    NestedUNetSettings,
    UNetSettings,
)
from restore.plugins.unet.task import DeepLabSegmentation, NestedUNetSegmentation, Segmentation, UNetSegmentation


@pytest.mark.parametrize(
    "task",
    [
        UNetSegmentation(UNetSettings(model=ModelSettings(channels=2)).resolved()),
        NestedUNetSegmentation(NestedUNetSettings(model=NestedUNetModel(channels=2, deep_supervision=True)).resolved()),
        DeepLabSegmentation(DeepLabSettings(model=DeepLabModel(channels=8, backbone="resnet18")).resolved()),
    ],
    ids=lambda task: type(task).__name__,
)
def test_every_parameter_takes_part_in_a_training_step(task: Segmentation) -> None:
    samples = [task.dataset("train", task.phases()[0])[index] for index in range(2)]
    batch = {name: torch.stack([sample[name] for sample in samples]) for name in samples[0]}
    step = Recorder(task, "segment")
    task.train_step(batch, step)
    assert set(step.terms["segmenter"]) == {"bce", "dice"}
    without = [name for name, parameter in networks_of(task).segmenter.named_parameters() if parameter.grad is None]
    assert not without


def test_an_epoch_of_the_drawn_nuclei_is_forty_steps_unless_it_was_set() -> None:
    assert UNetSettings(batch_size=6).resolved().samples_per_epoch == 240
    assert UNetSettings(samples_per_epoch=12).resolved().samples_per_epoch == 12


def test_settings_refuse_what_cannot_be() -> None:
    with pytest.raises(ValueError, match=r"2 number\(s\) for 3 input channel"):
        ModelSettings(mean=[0.1, 0.2])
    with pytest.raises(ValueError, match="background"):
        ModelSettings(classes=["a"], multiclass=True)
    with pytest.raises(ValueError, match="twice"):
        ModelSettings(classes=["a", "a"])
    with pytest.raises(ValueError, match="become part of file names"):
        ModelSettings(classes=["a/b"])


def test_settings_and_registration_import_no_torch() -> None:
    code = (
        "import sys, restore.plugins.unet, restore.plugins.unet.settings\n"
        "heavy = {'torch', 'torchvision', 'accelerate', 'skimage', 'scipy'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_registered_name_resolves() -> None:
    for kind in ("tasks", "architectures", "datasets", "losses", "metrics"):
        own = [entry for entry in registry.entries(kind) if entry.plugin == "unet"]
        assert own
        for entry in own:
            assert callable(registry.get(kind, entry.full_name))
