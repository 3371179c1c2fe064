"""Limits of containers are seen, whichever version of control groups sets them."""

from __future__ import annotations

from pathlib import Path

import pytest

from restore.core.runtime import cgroups, processes
from restore.core.runtime.memory import host_memory

GIB = 2**30


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cgroups, "ROOT", tmp_path)
    monkeypatch.setattr(cgroups, "OWN", tmp_path / "own")
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("own", "file"),
    [
        ("", "memory.max"),
        ("", "memory/memory.limit_in_bytes"),
        ("0::/user/one\n", "user/one/memory.max"),
        ("0::/user/one\n", "user/memory.max"),
        ("5:memory:/docker/a\n", "memory/docker/a/memory.limit_in_bytes"),
    ],
)
def test_the_memory_of_the_container_counts(group: Path, own: str, file: str) -> None:
    without = host_memory()
    write(group / "own", own)
    write(group / file, f"{GIB}\n")
    assert host_memory() == GIB < without
    write(group / file, "max\n")
    assert host_memory() == without


@pytest.mark.parametrize(
    ("own", "file", "text", "cores"),
    [
        ("", "cpu.max", "150000 100000", 2),
        ("", "cpu.max", "50000 100000", 1),
        ("", "cpu/cpu.cfs_quota_us", "100000", 1),
        ("0::/a/b\n", "a/cpu.max", "100000 100000", 1),
        ("4:cpu,cpuacct:/a\n", "cpu,cpuacct/a/cpu.cfs_quota_us", "100000", 1),
        ("", "cpu.max", "max 100000", 64),
        ("", "cpu/cpu.cfs_quota_us", "-1", 64),
    ],
)
def test_the_quota_of_the_container_counts(
    group: Path, monkeypatch: pytest.MonkeyPatch, own: str, file: str, text: str, cores: int
) -> None:
    monkeypatch.setattr(processes.os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    write(group / "own", own)
    write(group / file, text)
    assert processes.cores() == cores
