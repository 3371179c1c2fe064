"""Compare time and memory of WarpGAN's warp with a plain implementation of the same formulas.

    python benchmarks/spline.py [--size 256] [--batch 16] [--points 16] [--calls 5] [--device cpu|cuda] [--json]

The plain implementation computes all distances of pixels to control points in float64, their kernel, and a product with
the weights. Forward and backward passes are measured in separate processes that take turns; the fastest call counts.
Memory is the growth of a process at its peak (on an accelerator: the allocated peak), and its growth after the second
call. The exit status is 1 if a goal is missed: half the time, a third of the memory, no growth, and flows within a
hundredth of a pixel.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from restore.plugins.warpgan.networks.warping import REGULARIZER, warp

Warp = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]

FASTER, SMALLER, ERROR = 2.0, 3.0, 0.01
"""Goals: ratio of times, ratio of memory, pixels."""

GROWTH = 4.0
"""Megabytes that a process may grow by without it being called growth."""

ROUNDS = 2


def plain(image: Tensor, points: Tensor, displacements: Tensor) -> tuple[Tensor, Tensor]:
    """Warp with everything at once, in float64."""
    height, width = image.shape[-2:]
    places, moves = (points + displacements).double(), displacements.double()
    count = places.shape[1]
    sides = torch.cat([places, torch.ones_like(places[..., :1])], -1)
    bending = bend(places[:, :, None] - places[:, None]) + REGULARIZER * torch.eye(count).to(places)
    corner = places.new_zeros(len(places), 3, 3)
    system = torch.cat([torch.cat([bending, sides], 2), torch.cat([sides.transpose(1, 2), corner], 2)], 1)
    answer = torch.linalg.solve(system, torch.cat([moves, moves.new_zeros(len(moves), 3, 2)], 1))
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    pixels = torch.stack([rows, columns], -1).flatten(0, 1).to(places)  # (H W, 2)
    surface = bend(pixels[:, None] - places[:, None]) @ answer[:, :count]
    flow = surface + pixels @ answer[:, count:-1] + answer[:, -1:]  # (B, H W, 2)
    back = 2 * (pixels - flow) / pixels.new_tensor([height - 1, width - 1]) - 1
    grid = back.flip(-1).unflatten(1, (height, width)).to(image)
    warped = F.grid_sample(image, grid, padding_mode="border", align_corners=True)
    return warped, flow.transpose(1, 2).unflatten(2, (height, width))


def bend(away: Tensor) -> Tensor:
    """Return the kernel of differences (..., 2)."""
    squared = away.square().sum(-1)
    return 0.5 * squared * squared.clamp_min(1e-10).log()


WARPS: dict[str, Warp] = {"plain": plain, "ours": warp}


def inputs(arguments: argparse.Namespace) -> tuple[Tensor, Tensor, Tensor]:
    """Return images, control points and displacements as at the start of training."""
    rng = torch.Generator().manual_seed(0)
    shape, size = (arguments.batch, arguments.points, 2), arguments.size
    image = torch.rand(arguments.batch, 3, size, size, generator=rng)
    points = size / 2 + size * 50 / 256 * torch.randn(shape, generator=rng)
    displacements = size * 8 / 256 * torch.randn(shape, generator=rng)
    return image.to(arguments.device), points.to(arguments.device), displacements.to(arguments.device)


def measure(name: str, arguments: argparse.Namespace) -> dict[str, float]:
    """Return the seconds of the fastest call, the peak in megabytes, and the growth after the second call."""
    given = [tensor.requires_grad_() for tensor in inputs(arguments)]
    accelerator = torch.device(arguments.device).type == "cuda"
    before = peak(accelerator)
    seconds, peaks = [], []
    for _ in range(arguments.calls):
        start = time.perf_counter()
        image, _ = WARPS[name](*given)
        torch.autograd.grad(image.square().mean(), given)
        if accelerator:
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
        del image
        peaks.append(peak(accelerator))
    return {"seconds": min(seconds), "peak": peaks[-1] - before, "growth": peaks[-1] - peaks[min(1, len(peaks) - 1)]}


def peak(accelerator: bool) -> float:
    """Return the peak of used memory in megabytes."""
    if accelerator:
        return torch.cuda.max_memory_allocated() / 2**20
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would count what the process was started from as well
        line = next(line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 2**10
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / (2**20 if sys.platform == "darwin" else 2**10)


def accuracy(arguments: argparse.Namespace) -> float:
    """Return the largest difference of the two flows in pixels."""
    with torch.no_grad():
        given = inputs(arguments)
        return float((plain(*given)[1] - warp(*given).flow.double()).abs().max())


def in_process(name: str) -> dict[str, float]:
    """Measure in a separate process, because memory that one implementation used would hide that of the other."""
    command = [sys.executable, __file__, *sys.argv[1:], "--only", name]
    answer: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return answer


def main() -> int:
    """Measure both and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("size", 256), ("batch", 16), ("points", 16), ("calls", 5)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", choices=WARPS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        print(json.dumps(measure(arguments.only, arguments)))
        return 0
    error = accuracy(arguments)
    rounds = [{name: in_process(name) for name in WARPS} for _ in range(ROUNDS)]
    best = {name: {key: min(one[name][key] for one in rounds) for key in rounds[0][name]} for name in WARPS}
    plainly, ours = best["plain"], best["ours"]
    result = {
        "ratio": plainly["seconds"] / ours["seconds"],
        "memory_ratio": plainly["peak"] / max(ours["peak"], 1.0),
        "error": error,
        "plain": plainly,
        "ours": ours,
        "device": arguments.device,
        "threads": torch.get_num_threads(),
    }
    if arguments.json:
        print(json.dumps(result))
    else:
        for name, one in best.items():
            print(f"{name:6} {1000 * one['seconds']:8.1f} ms   {one['peak']:8.1f} MB more at the peak", end="")
            print(f"   {one['growth']:6.1f} MB from the second call on")
        print(f"ratio  {result['ratio']:8.2f} in time, {result['memory_ratio']:.1f} in memory; {error:.5f} px apart")
    met = result["ratio"] >= FASTER and result["memory_ratio"] >= SMALLER and error < ERROR
    return 0 if met and ours["growth"] <= GROWTH else 1


if __name__ == "__main__":
    sys.exit(main())
