"""The processes and the device of a run, as Accelerate sees them."""

from __future__ import annotations

from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType, GradientAccumulationPlugin, broadcast_object_list

from restore.core.errors import UsageError
from restore.core.runtime import processes
from restore.core.runtime.devices import device_of
from restore.core.settings import RunSettings


def make_accelerator(settings: RunSettings) -> Accelerator:
    """The processes and the device of a run. Precision is the engine's own: evaluation must not be wrapped by it.

    Raises:
        UsageError: the device is not there, or the processes were started in a way that cannot work.
    """
    accelerator = Accelerator(
        cpu=_device(settings).type == "cpu",  # else Accelerate would not let processes without a GPU train together
        mixed_precision="no",
        # our own sampler ends epochs, so Accelerate must not look for their end
        gradient_accumulation_plugin=GradientAccumulationPlugin(
            num_steps=settings.accumulate, sync_with_dataloader=False
        ),
    )
    known = (DistributedType.NO, DistributedType.MULTI_CPU, DistributedType.MULTI_GPU)
    if accelerator.distributed_type not in known:
        raise UsageError(
            f"the launch configuration asks for {accelerator.distributed_type.value}, which shards networks; "
            "restore trains with plain data parallelism only (accelerate launch --multi_gpu)"
        )
    if accelerator.num_processes < processes.how_many():
        raise UsageError(
            f"{processes.how_many()} processes were started, but do not know of each other, so each would train alone; "
            "start them by --num-processes, accelerate launch or torchrun"
        )
    return accelerator


def _device(settings: RunSettings) -> torch.device:
    device = device_of(settings.device)
    if device.type != "mps" or processes.how_many() == 1:
        return device
    if settings.device == "mps":
        raise UsageError("--device mps: processes cannot train together there; train in one, or with --device cpu")
    return torch.device("cpu")


def from_main(accelerator: Accelerator, value: Any) -> Any:
    """What the main process has, on every process."""
    return broadcast_object_list([value])[0] if accelerator.num_processes > 1 else value
