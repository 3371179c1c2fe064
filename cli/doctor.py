"""``restore doctor``: what this machine has, what is fast on it, and what is wrong."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from functools import partial
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

import typer

from restore import registry
from restore.cli.outcome import DONE, FAILED
from restore.cli.screen.paragraphs import paragraph
from restore.core.errors import RestoreError
from restore.core.machine.processes import cores

DISTRIBUTION = "restorekit"
GIB = 2**30
LITTLE_DISK = 1 * GIB
"""Free bytes below which a run may not fit: checkpoints, weights and logs of one run are a few hundred MB."""
LITTLE_SHARED_MEMORY = GIB // 4
"""Bytes below which processes that load data run out of the memory that they share, as in a container."""
SHOWN = ("torch", "torchvision", "accelerate", "numpy", "pydantic", "typer")


class Findings:
    """Facts for a table, and what is wrong: what prevents work, and what only deserves a look."""

    def __init__(self) -> None:
        self.facts: list[tuple[str, str]] = []
        self.broken: list[str] = []
        self.advice: list[str] = []

    def fact(self, name: str, value: str) -> None:
        """Note one line of the table."""
        self.facts.append((name, value))


def examine() -> int:
    """Print what was found; the exit status is 1 if something prevents work."""
    findings = Findings()
    for part in (_versions, _devices, _vgg_weights, _plugins, _disk):
        try:
            part(findings)
        except Exception as error:  # noqa: BLE001 - one part that cannot be examined must not hide the others
            findings.broken.append(f"{part.__name__.strip('_')}: {type(error).__name__}: {error}")
    width = max(len(name) for name, _ in findings.facts)
    for name, value in findings.facts:
        typer.echo(f"{name.ljust(width)}  {value}")
    _list("Prevents work", findings.broken, "red")
    _list("Worth a look", findings.advice, "yellow")
    if not findings.broken and not findings.advice:
        typer.secho("\nNothing is wrong.", fg="green")
    return FAILED if findings.broken else DONE


def _list(title: str, lines: list[str], colour: str) -> None:
    if not lines:
        return
    typer.secho(f"\n{title}:", fg=colour, bold=True)
    for line in lines:
        typer.echo(paragraph(line, "- "))


def _versions(findings: Findings) -> None:
    """Versions of what matters; whatever is missing or too old."""
    findings.fact(DISTRIBUTION, _version(DISTRIBUTION) or "not installed: run from a folder")
    findings.fact("python", f"{platform.python_version()} ({sys.executable})")
    findings.fact("system", platform.platform())
    for name in SHOWN:
        findings.fact(name, _version(name) or "missing")
    for fault in _unmet(requires(DISTRIBUTION) or [] if _version(DISTRIBUTION) else []):
        findings.broken.append(f"{fault}. Install what is missing: pip install --upgrade {DISTRIBUTION}")


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _unmet(lines: list[str]) -> list[str]:
    """Requirements that this environment does not meet, one sentence each."""
    from packaging.requirements import Requirement

    faults = []
    for requirement in map(Requirement, lines):
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        found = _version(requirement.name)
        if found is None:
            faults.append(f"{requirement.name} is not installed")
        elif not requirement.specifier.contains(found, prereleases=True):
            faults.append(f"{requirement.name} {found} is installed, {requirement.specifier} is needed")
    return faults


def _devices(findings: Findings) -> None:
    """Where networks can be computed, and in which precision it pays."""
    import torch

    findings.fact("processors", f"{cores()}, torch uses {torch.get_num_threads()}")
    devices = [torch.device("cpu")]
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            properties = torch.cuda.get_device_properties(index)
            findings.fact(f"cuda:{index}", f"{properties.name}, {properties.total_memory / GIB:.0f} GiB")
            devices.append(torch.device("cuda", index))
    else:
        findings.fact("cuda", _why_no_cuda(torch))
    if torch.backends.mps.is_available():
        findings.fact("mps", "available")
        devices.append(torch.device("mps"))
    for device in devices:
        findings.fact(f"precision on {device}", _fast_precision(device))
    _shared_memory(findings)


def _why_no_cuda(torch: Any) -> str:
    if torch.version.cuda is None:
        return "none (this torch is built without it)"
    return f"none (torch is built for CUDA {torch.version.cuda}, but finds no device or driver)"


def _fast_precision(device: Any) -> str:
    from restore.core.machine.precision import WORTH_IT, probe

    speedup = float(probe(device)["speedup"])
    if speedup <= 0:
        return "fp32 (no bf16 here)"
    chosen = "bf16" if speedup >= WORTH_IT else "fp32"
    return f"{chosen} (bf16 trains {speedup:.2f} times as fast as fp32)"


def _shared_memory(findings: Findings) -> None:
    folder = Path("/dev/shm")
    if folder.is_dir() and (total := shutil.disk_usage(folder).total) < LITTLE_SHARED_MEMORY:
        findings.advice.append(
            f"{folder} holds only {total / 2**20:.0f} MiB, too little for processes that load data: "
            "train with --workers 0, or start the container with --shm-size 2g"
        )


def _vgg_weights(findings: Findings) -> None:
    """Whether the feature networks of perceptual losses are on this machine."""
    import torch
    from torchvision.models import get_weight

    folder = Path(torch.hub.get_dir()) / "checkpoints"
    for name in ("VGG16", "VGG19"):
        url = get_weight(f"{name}_Weights.IMAGENET1K_V1").url
        path = folder / url.rpartition("/")[2]
        findings.fact(f"{name} weights", str(path) if path.is_file() else "not here; perceptual losses use random ones")
        if path.is_file() and not _is_whole(path):
            findings.advice.append(f"{path} is not the file that its name says: remove it, and it is fetched anew")


def _is_whole(path: Path) -> bool:
    """Whether a file has the checksum that torchvision writes into its name."""
    import hashlib

    announced = re.search(r"-([0-9a-f]{8,})\.pth$", path.name)
    with path.open("rb") as file:
        return announced is None or hashlib.file_digest(file, "sha256").hexdigest().startswith(announced[1])


def _plugins(findings: Findings) -> None:
    """States of the plugins; whatever cannot be used."""
    try:
        plugins = registry.plugins()
        project = registry.project()
    except registry.RegistryError as error:
        findings.broken.append(str(error))
        return
    states: dict[str, list[str]] = {}
    for plugin in plugins:
        states.setdefault(plugin.state, []).append(plugin.name)
        if plugin.state in ("broken", "conflict", "incompatible"):
            standing = "in conflict" if plugin.state == "conflict" else plugin.state
            findings.advice.append(f"plugin {plugin.name} is {standing}: {plugin.reason}")
    findings.fact("plugins.toml", str(project.path) if project.path else "none")
    for state, names in states.items():
        findings.fact(f"plugins {state}", ", ".join(names))
    findings.advice += project.warnings
    findings.broken += registry.unmet_requirements()
    if not any(entry.details.get("weights", True) for entry in registry.entries("tasks")):
        findings.broken.append("there is no task to train: install a plugin, or see 'restore list-plugins' for why not")
    _references(findings)


def _references(findings: Findings) -> None:
    """The commands of every task, as its settings make them: without them neither help nor training works."""
    from restore.cli.settings.families import check_plugin_defaults
    from restore.cli.training import train_command

    trained = [entry for entry in registry.entries("tasks") if entry.details.get("weights", True)]
    usable = {plugin.name for plugin in registry.plugins() if plugin.state in ("ready", "local")}
    checks = [partial(train_command, entry, []) for entry in trained]
    checks += [partial(check_plugin_defaults, name) for name in registry.project().defaults if name in usable]
    faults: dict[str, None] = {}  # what is wrong with a plugin is wrong with each of its tasks
    for check in checks:
        try:
            check()
        except (registry.RegistryError, RestoreError) as error:
            faults[str(error)] = None
    findings.advice += faults


def _disk(findings: Findings) -> None:
    """Free space where runs are written."""
    here = Path.cwd()
    free = shutil.disk_usage(here).free
    findings.fact("free disk", f"{free / GIB:.1f} GiB in {here}")
    if free < LITTLE_DISK:
        findings.broken.append(f"{here} has only {free / 2**20:.0f} MiB free: free some, or train with --out elsewhere")
    if not os.access(here, os.W_OK):
        findings.advice.append(f"{here} cannot be written: train with --out elsewhere")
