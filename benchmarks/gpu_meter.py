"""Measure the speed of training steps, and how long the GPU waits between them."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

ON_DEVICE = ("kernel", "gpu_memcpy", "gpu_memset")
"""Categories of a trace in which the GPU is at work."""


class Meter:
    """Measures the steps of one phase: the first quarter warms up, the next two are timed, the last is profiled.

    Profiling slows steps down, so the last quarter is not timed. The fraction of time in which the GPU waits is that of
    the profiled quarter, and None on other devices.

    Args:
        steps: optimizer steps that will be reported.
        device: device of the run.
    """

    def __init__(self, steps: int, device: torch.device) -> None:
        self.device = device
        self.timed_from, self.timed_to, self.last = steps // 4, 3 * steps // 4, steps
        self.done = 0
        self.samples = 0
        self.waited = 0.0
        self.seconds = 0.0
        self.device_waits: float | None = None
        self._began = 0.0
        self._profiler: Any = None
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)

    def step(self, samples: int, waited: float = 0.0) -> None:
        """Record a step with its number of samples and the seconds that the loop waited for data."""
        self.done += 1
        if self.timed_from < self.done <= self.timed_to:
            self.samples += samples
            self.waited += waited
        if self.done == self.timed_from:
            self._began = self._now()
        elif self.done == self.timed_to:
            self.seconds = self._now() - self._began
            self._start_profiling()
        elif self.done == self.last:
            self._stop_profiling()

    def row(self, step: str, note: str | None = None) -> dict[str, Any]:
        """Return the results as a row of the table."""
        peak = torch.cuda.max_memory_allocated(self.device) / 2**30 if self.device.type == "cuda" else None
        return {
            "step": step,
            "images_per_second": self.samples / self.seconds,
            "device_waits": self.device_waits,
            "data_wait": self.waited / self.seconds,
            "peak_gib": peak,
            "note": note,
        }

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()

    def _start_profiling(self) -> None:
        if self.device.type == "cuda":
            self._profiler = torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA])
            self._profiler.start()
            self._began = self._now()

    def _stop_profiling(self) -> None:
        if self._profiler is None:
            return
        wall = self._now() - self._began
        self._profiler.stop()
        with tempfile.TemporaryDirectory(prefix="trace-") as folder:
            path = Path(folder) / "trace.json"
            self._profiler.export_chrome_trace(str(path))
            trace = json.loads(path.read_text("utf-8"))
        self.device_waits = max(0.0, 1 - busy_seconds(trace["traceEvents"]) / wall)


def busy_seconds(events: Sequence[dict[str, Any]]) -> float:
    """Return the seconds in which at least one kernel or copy of a Chrome trace was running; overlaps count once."""
    spans = sorted((event["ts"], event["ts"] + event["dur"]) for event in events if event.get("cat") in ON_DEVICE)
    busy, until = 0.0, float("-inf")
    for begin, end in spans:
        busy += max(0.0, end - max(begin, until))
        until = max(until, end)
    return busy / 1e6
