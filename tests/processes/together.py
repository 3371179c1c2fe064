"""What several tests look at, done by two processes that are started once: ``together.py OUT {settings as JSON}``.

In OUT are afterward: ``gradients.0`` and ``.1`` of `gradients`, the run ``whole/run`` of `train_toy` with the settings,
and ``seen.json`` of `traps`.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import gradients
import train_toy
import traps

from restore.core.runtime.accelerator import end_process_group


def main(out: Path, changes: str) -> None:
    gradients.main(str(out / "gradients"))
    train_toy.train("TwoPhases", str(out / "whole"), changes)
    traps.main(str(out))  # last: its broken rules may leave processes that no longer agree
    end_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
