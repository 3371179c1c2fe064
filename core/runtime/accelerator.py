"""Processes and device of a run, managed by Accelerate."""

from __future__ import annotations

import gc
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType, GradientAccumulationPlugin, broadcast_object_list

from restore.core.errors import UsageError
from restore.core.runtime import processes
from restore.core.runtime.devices import device_of
from restore.core.settings import RunSettings


def make_accelerator(settings: RunSettings) -> Accelerator:
    """Make the accelerator of a run. The engine handles precision itself, because evaluation must not use autocast.

    Raises:
        UsageError: the device is not available, or the way in which the processes were started is not supported.
    """
    accelerator = Accelerator(
        cpu=_device(settings).type == "cpu",  # otherwise Accelerate refuses several processes without a GPU
        mixed_precision="no",
        # our sampler ends epochs, so Accelerate must not track the data loader
        gradient_accumulation_plugin=GradientAccumulationPlugin(
            num_steps=settings.accumulate, sync_with_dataloader=False
        ),
    )
    known = (DistributedType.NO, DistributedType.MULTI_CPU, DistributedType.MULTI_GPU)
    if accelerator.distributed_type not in known:
        raise UsageError(
            f"the launch configuration selects {accelerator.distributed_type.value}, which shards networks; "
            "restore supports data parallelism only (accelerate launch --multi_gpu)"
        )
    if accelerator.num_processes < processes.how_many():
        raise UsageError(
            f"{processes.how_many()} processes were started without a process group, so each would train alone; "
            "start them with --num-processes, accelerate launch or torchrun"
        )
    return accelerator


def _device(settings: RunSettings) -> torch.device:
    device = device_of(settings.device)
    if device.type != "mps" or processes.how_many() == 1:
        return device
    if settings.device == "mps":
        raise UsageError("--device mps: only one process is supported; leave --num-processes out or use --device cpu")
    return torch.device("cpu")


def from_main(accelerator: Accelerator, value: Any) -> Any:
    """Return the main process's value on every process."""
    return broadcast_object_list([value])[0] if accelerator.num_processes > 1 else value


def end_process_group() -> None:
    """End the communication with the other processes, if there are any; call it once, when the work is done.

    A process that exits with an open group may abort, because the group's threads are still running. The threads end
    when the last reference goes, and distributed wrappers hold one: keep no trainer and no wrapped network until then.
    """
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
        gc.collect()  # wrappers are part of reference cycles
