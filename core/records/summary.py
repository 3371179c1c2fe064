"""``summary.json``: what a finished run came to, for people and programs."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict

from restore.core.measuring import Number
from restore.core.records.folder import RunFolder, environment, write_atomically
from restore.core.settings import RunSettings


def write_summary(
    folder: RunFolder, task: str, settings: RunSettings, device: str, numbers: Sequence[Number], seconds: float
) -> None:
    """Write the measured numbers of a run besides what it took to get them."""
    summary = {
        "task": task,
        "seconds": round(seconds, 1),
        "device": device,
        "precision": settings.precision,
        "weights": str(folder.best),
        "metrics": [
            {**asdict(number), "value": number.value if math.isfinite(number.value) else None} for number in numbers
        ],
        "versions": environment(device),
    }
    write_atomically(folder.summary, json.dumps(summary, indent=2).encode())
