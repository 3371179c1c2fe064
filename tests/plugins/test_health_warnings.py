"""What warnings about failing training recommend exists: every flag in them is one of the task that prints them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest

from restore import registry
from restore.cli.settings.flags import Flags
from restore.cli.settings.specialize import specialize
from restore.core.task import Task

NAMES = ("generator", "discriminator")
FAILURES: tuple[dict[str, float], ...] = (
    {"d_real": 1.0, "d_fake": 0.0},
    *({f"{name}/gradient": norm} for name in NAMES for norm in (1e9, 1e-9)),
    {"generator/gradient": 1e3, "discriminator/gradient": 1e-4},
    {"diversity": 0.0},
    {"checkerboard": 1e3},
    {"sharpness": 0.0},
    {"active_units": 0.0},
    {"warp_outside": 1.0},
)
"""Numbers of a log line, each set of which shows one failure."""
OF_MASKS = {
    "validation/psnr-border": 8.0,
    "validation/psnr-blobs": 15.0,
    "baseline/mean/psnr-border": 12.0,
    "baseline/mean/psnr-blobs": 12.0,
    "progress": 0.9,
}
"""Those of a task that fills masks."""


def families() -> list[str]:
    return [entry.full_name for entry in registry.entries("tasks") if getattr(entry.spec, "trains", False)]


def variants(task_type: type[Task]) -> Iterator[Task]:
    """The task with each of its adversarial losses, if it has any to choose from."""
    settings = task_type.tiny_settings().resolved()
    yield task_type(settings)
    adversarial: Any = getattr(settings, "adversarial", None)
    if "kind" in getattr(type(adversarial), "model_fields", {}):
        for kind in get_args(type(adversarial).model_fields["kind"].annotation):
            yield task_type(task_type.tiny_settings(adversarial={"kind": kind}).resolved())


@pytest.mark.parametrize("name", families())
def test_every_flag_in_a_warning_is_one_of_the_task(name: str) -> None:
    printed: list[str] = []
    for task in variants(registry.get("tasks", name)):
        known = Flags(specialize(type(task.settings), task.settings.model_dump())).all_flags()
        for numbers in (*FAILURES, *([OF_MASKS] if "masks" in type(task.settings).model_fields else [])):
            warning = task.health(numbers) or ""
            printed.append(warning)
            flags = re.findall(r"(?<!\S)\(?(--[a-z][\w.-]*\w)", warning)
            assert not set(flags) - set(known), warning
        assert task.health(dict.fromkeys(FAILURES[0], math.nan)) is None
    if name in ("srgan/srgan", "lbam/lbam", "inpaint_gan/inpaint-gan", "warpgan/warpgan", "vae/vae"):
        assert any("--" in warning for warning in printed)
