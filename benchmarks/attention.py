"""Compare contextual attention with the usual implementation, which uses patches as kernels of convolutions.

    python benchmarks/attention.py            a table
    python benchmarks/attention.py --json     ratios to the usual implementation, and peak memory

Input: the features of an image of 512 pixels (128 channels, a quarter of its size). Both implementations take turns in
one process, and the fastest round of each counts, because other load can only add time. Peak memory is the difference
between a process that computes attention once and one that only has the features. Both results are compared first.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from restore.plugins.inpaint_gan.attention import Attention

CHANNELS = 128
GOAL_RATIO, GOAL_MEGABYTES = 2.0, 2000


def run_with_kernels(features: Tensor, hole: Tensor, scale: float = 10.0) -> Tensor:
    """Use each sample's patches as kernels: a convolution compares, two with diagonals fuse, a transposed one
    pastes."""
    drawn = []
    for sample in range(len(features)):
        x = features[sample : sample + 1]
        channels, (height, width) = x.shape[1], x.shape[-2:]
        rows, columns = height // 2, width // 2
        pasted = F.unfold(x, 4, padding=1, stride=2)[0].T.reshape(-1, channels, 4, 4)
        grid = x[..., ::2, ::2]
        compared = F.unfold(grid, 3, padding=1)[0].T.reshape(-1, channels, 3, 3)
        lengths = (compared.square() + 1e-4).sum(dim=(1, 2, 3), keepdim=True).sqrt()
        scores = F.conv2d(grid, compared / lengths, padding=1)  # (1, patches, rows, columns)
        diagonal = torch.eye(3, dtype=x.dtype)[None, None]
        flat = F.conv2d(scores.reshape(1, 1, rows * columns, rows * columns), diagonal, padding=1)
        turned = flat.reshape(rows, columns, rows, columns).permute(1, 0, 3, 2)
        flat = F.conv2d(turned.reshape(1, 1, rows * columns, rows * columns), diagonal, padding=1)
        turned = flat.reshape(columns, rows, columns, rows).permute(1, 0, 3, 2)
        cells = hole[sample : sample + 1, :, :: hole.shape[-2] // rows, :: hole.shape[-1] // columns]
        known = (F.max_pool2d(cells, 3, stride=1, padding=1) == 0).reshape(1, -1, 1, 1)
        attention = (turned.reshape(1, -1, rows, columns) * known * scale).softmax(dim=1) * known
        drawn.append(F.conv_transpose2d(attention, pasted, stride=2, padding=1) / 4)
    return torch.cat(drawn)


WAYS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "patches as kernels": run_with_kernels,
    "restorekit": Attention(),
    "nothing": lambda features, _: features,
}


def example(side: int) -> tuple[Tensor, Tensor]:
    """Return the features of an image with this side in pixels, and its mask."""
    torch.manual_seed(0)
    hole = torch.zeros(1, 1, side, side)
    hole[..., side // 4 : side // 2, side // 4 : side // 2] = 1
    return torch.rand(1, CHANNELS, side // 4, side // 4), hole


def run(way: str, side: int, train: bool) -> float:
    """Return the seconds of one forward pass, in training with the backward pass."""
    features, hole = example(side)
    began = time.perf_counter()
    with torch.set_grad_enabled(train):
        drawn = WAYS[way](features.requires_grad_(train), hole)
        if train:
            drawn.square().sum().backward()
    return time.perf_counter() - began


def peak(way: str, side: int, train: bool) -> float:
    """Return the megabytes that one forward pass adds to a process."""
    used = {}
    for measured in (way, "nothing"):
        arguments = ["--peak-of", measured, "--side", str(side), *(["--train"] if train else [])]
        command = [sys.executable, __file__, *arguments]
        used[measured] = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return used[way] - used["nothing"]


def measure(side: int, rounds: int) -> dict[str, float]:
    """Measure everything. Memory comes first, because a process inherits the peak of its parent."""
    results = {
        "megabytes": peak("restorekit", side, train=False),
        "megabytes_training": peak("restorekit", side, train=True),
        "megabytes_usual": peak("patches as kernels", side, train=False),
        "megabytes_usual_training": peak("patches as kernels", side, train=True),
    }
    features, hole = (part.double() for part in example(128))
    torch.testing.assert_close(Attention(published=True)(features, hole), run_with_kernels(features, hole))
    for train, name in ((False, "ratio"), (True, "ratio_training")):
        fastest = dict.fromkeys(("restorekit", "patches as kernels"), float("inf"))
        for _ in range(rounds):
            for way in fastest:
                fastest[way] = min(fastest[way], run(way, side, train))
        results[name] = fastest["patches as kernels"] / fastest["restorekit"]
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=512, help="side of the image in pixels, a multiple of 8")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each way; the fastest counts")
    parser.add_argument("--json", action="store_true", help="print a JSON object")
    parser.add_argument("--train", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--peak-of", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak_of:
        run(options.peak_of, options.side, options.train)
        unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kibibytes elsewhere
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6)
        return
    results = measure(options.side, options.rounds)
    met = results["ratio"] >= GOAL_RATIO and max(results["megabytes"], results["megabytes_training"]) <= GOAL_MEGABYTES
    if options.json:
        print(json.dumps({**{name: round(value, 2) for name, value in results.items()}, "met": met}, indent=1))
    else:
        print(f"{'':<14}{'times as fast':>14}{'MB':>8}{'MB of the usual way':>21}")
        for phase, ending in (("forward", ""), ("and backward", "_training")):
            ratio, own, usual = (results[name + ending] for name in ("ratio", "megabytes", "megabytes_usual"))
            print(f"{phase:<14}{ratio:>13.2f}x{own:>8.0f}{usual:>21.0f}")
        print(f"goals {'met' if met else 'missed'}: {GOAL_RATIO}x forward, {GOAL_MEGABYTES} MB for both")
    sys.exit(not met)


if __name__ == "__main__":
    main()
