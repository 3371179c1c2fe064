"""Limits of the container that this process runs in (Linux control groups, versions 1 and 2)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

ROOT, OWN = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def read_limits(controller: str, name: str, older: str) -> Iterator[tuple[str, str]]:
    """Yield what limit files of the group of this process and of the groups around it contain, with their names.

    Args:
        controller: the controller, such as ``memory``.
        name: file of version 2, such as ``memory.max``.
        older: file of version 1, such as ``memory.limit_in_bytes``.
    """
    for folder, file in _places(controller, name, older):
        for place in (folder, *folder.parents):
            if not place.is_relative_to(ROOT):
                break
            try:
                yield file, (place / file).read_text(encoding="ascii")
            except (OSError, ValueError):
                continue


def _places(controller: str, name: str, older: str) -> Iterator[tuple[Path, str]]:
    """Yield the folder of this process for either version, and the roots, which stand for it inside a container."""
    yield ROOT, name
    yield ROOT / controller, older
    try:
        lines = OWN.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return
    for line in lines:
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if not controllers:
            yield ROOT / path.lstrip("/"), name
        elif controller in controllers.split(","):
            yield ROOT / controllers / path.lstrip("/"), older
            yield ROOT / controller / path.lstrip("/"), older
