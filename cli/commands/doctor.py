"""``restore doctor``: report versions, devices and plugins, and what is wrong."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import typer

from restore import registry
from restore.cli.console.paragraphs import wrap
from restore.cli.exit import FAILED, SUCCESS
from restore.cli.model_ref import needs_training
from restore.core.errors import RestoreError
from restore.core.runtime.processes import cores
from restore.core.versions import find_version
from restore.registry.compatibility import find_unmet_requirements

DISTRIBUTION = "restorekit"
GIB = 2**30
LITTLE_DISK = 1 * GIB
"""Free bytes below which a run may not fit: checkpoints, weights and logs of a run take a few hundred MB."""
LITTLE_SHARED_MEMORY = GIB // 4
"""Bytes below which data loading workers run out of shared memory, such as in a container."""
SHOWN = ("torch", "torchvision", "accelerate", "numpy", "pydantic", "typer")


@dataclass
class Findings:
    """Facts for a table, and what is wrong."""

    facts: list[tuple[str, str]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    """What prevents the tool from working."""
    warnings: list[str] = field(default_factory=list)

    def add_fact(self, name: str, value: str) -> None:
        """Add one line to the table."""
        self.facts.append((name, value))


def doctor() -> None:
    """Check this installation, and report what is wrong."""
    findings = Findings()
    for check in (_check_versions, _check_devices, _check_vgg_weights, _check_plugins, _check_disk):
        try:
            check(findings)
        except Exception as error:  # noqa: BLE001 - one failing check must not hide the others
            subject = check.__name__.removeprefix("_check_").replace("_", " ")
            findings.errors.append(f"checking {subject} failed: {type(error).__name__}: {error}")
    width = max(len(name) for name, _ in findings.facts)
    for name, value in findings.facts:
        typer.echo(f"{name.ljust(width)}  {value}")
    _print_list("Errors", findings.errors, "red")
    _print_list("Warnings", findings.warnings, "yellow")
    if not findings.errors and not findings.warnings:
        typer.secho("\nNo problems found.", fg="green")
    raise typer.Exit(FAILED if findings.errors else SUCCESS)


def _print_list(title: str, lines: list[str], color: str) -> None:
    if not lines:
        return
    typer.secho(f"\n{title}:", fg=color, bold=True)
    for line in lines:
        typer.echo(wrap(line, "- "))


def _check_versions(findings: Findings) -> None:
    """Versions of the main packages; whatever is missing or too old."""
    own = find_version(DISTRIBUTION)
    findings.add_fact(DISTRIBUTION, own or "not installed: run from a source tree")
    findings.add_fact("python", f"{platform.python_version()} ({sys.executable})")
    findings.add_fact("system", platform.platform())
    for name in SHOWN:
        findings.add_fact(name, find_version(name) or "missing")
    for unmet in find_unmet_requirements(requires(DISTRIBUTION) or [] if own else []):
        findings.errors.append(f"{unmet}. Install it: pip install --upgrade {DISTRIBUTION}")


def _check_devices(findings: Findings) -> None:
    """Devices to compute on, and the fast precision of each."""
    import torch

    findings.add_fact("processors", f"{cores()}, torch uses {torch.get_num_threads()}")
    devices = [torch.device("cpu")]
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            properties = torch.cuda.get_device_properties(index)
            findings.add_fact(f"cuda:{index}", f"{properties.name}, {properties.total_memory / GIB:.0f} GiB")
            devices.append(torch.device("cuda", index))
    else:
        findings.add_fact("cuda", _why_no_cuda(torch))
    if torch.backends.mps.is_available():
        findings.add_fact("mps", "available")
        devices.append(torch.device("mps"))
    for device in devices:
        _precision(findings, device)
    _check_shared_memory(findings)


def _why_no_cuda(torch: Any) -> str:
    if torch.version.cuda is None:
        return "none (this build of torch does not support it)"
    return f"none (torch supports CUDA {torch.version.cuda}, but finds no device or driver)"


def _precision(findings: Findings, device: Any) -> None:
    """Report what ``--precision auto`` selects on a device, and whether a measurement agrees."""
    from restore.cli.bf16_speed import WORTH_IT, bf16_speedup
    from restore.core.runtime.precision import choose

    chosen = choose("auto", device)
    speedup = bf16_speedup(device)
    measured = f"training in bf16 is {speedup:.2f} times as fast as in fp32" if speedup else "no bf16"
    findings.add_fact(f"precision on {device}", f"{chosen} ({measured})")
    faster = "bf16" if speedup >= WORTH_IT else "fp32"
    if faster != chosen and not 1 < speedup < WORTH_IT:
        findings.warnings.append(
            f"--precision auto selects {chosen} on {device} by its features, but {faster} is faster on this machine: "
            f"try --precision {faster}"
        )


def _check_shared_memory(findings: Findings) -> None:
    folder = Path("/dev/shm")
    if folder.is_dir() and (total := shutil.disk_usage(folder).total) < LITTLE_SHARED_MEMORY:
        findings.warnings.append(
            f"{folder} has only {total / 2**20:.0f} MiB of shared memory, too little for data loading workers: "
            "train with --workers 0, or start the container with --shm-size 2g"
        )


def _check_vgg_weights(findings: Findings) -> None:
    """Whether the VGG weights for perceptual losses are downloaded."""
    import torch
    from torchvision.models import get_weight

    from restore.core.hashing import hash_file

    folder = Path(torch.hub.get_dir()) / "checkpoints"
    for name in ("VGG16", "VGG19"):
        url = get_weight(f"{name}_Weights.IMAGENET1K_V1").url
        path = folder / url.rpartition("/")[2]
        findings.add_fact(
            f"{name} weights", str(path) if path.is_file() else "not downloaded; perceptual losses use random weights"
        )
        # torchvision writes the start of the checksum into the name
        announced = re.search(r"-([0-9a-f]{8,})\.pth$", path.name)
        if path.is_file() and announced and not hash_file(path).startswith(announced[1]):
            findings.warnings.append(f"{path} is damaged (wrong checksum): delete it, and it is downloaded again")


def _check_plugins(findings: Findings) -> None:
    """State of each plugin, and why it cannot be used."""
    try:
        plugins = registry.plugins()
        project = registry.project()
    except registry.RegistryError as error:
        findings.errors.append(str(error))
        return
    states: dict[str, list[str]] = {}
    for plugin in plugins:
        states.setdefault(plugin.state, []).append(plugin.name)
        if plugin.state in ("broken", "conflict", "incompatible"):
            status = "in conflict" if plugin.state == "conflict" else plugin.state
            findings.warnings.append(f"plugin {plugin.name} is {status}: {plugin.reason}")
    findings.add_fact("plugins.toml", str(project.path) if project.path else "none")
    for state, names in states.items():
        findings.add_fact(f"plugins {state}", ", ".join(names))
    findings.warnings += project.warnings
    findings.errors += registry.unmet_requirements()
    if not any(map(needs_training, registry.entries("tasks"))):
        findings.errors.append("no task to train: install a plugin, or see 'restore list-plugins' for errors")
    _check_references(findings)


def _check_references(findings: Findings) -> None:
    """Build the command of every task from its settings, which help and training need."""
    from restore.cli.commands.train import train_command
    from restore.cli.settings.task_settings import check_plugin_defaults

    trained = list(filter(needs_training, registry.entries("tasks")))
    usable = {plugin.name for plugin in registry.plugins() if plugin.state in ("ready", "local")}
    checks = [partial(train_command, entry, []) for entry in trained]
    checks += [
        partial(check_plugin_defaults, name)
        for name, given in registry.project().defaults.items()
        if name in usable and given
    ]
    found: dict[str, None] = {}  # an error of a plugin concerns each of its tasks, but is reported once
    for check in checks:
        try:
            check()
        except (registry.RegistryError, RestoreError) as error:
            found[str(error)] = None
    findings.warnings += found


def _check_disk(findings: Findings) -> None:
    """Free space in the folder of runs."""
    here = Path.cwd()
    free = shutil.disk_usage(here).free
    findings.add_fact("free disk", f"{free / GIB:.1f} GiB in {here}")
    if free < LITTLE_DISK:
        findings.errors.append(
            f"{here} has only {free / 2**20:.0f} MiB free: free some space, or train with --out on another disk"
        )
    if not os.access(here, os.W_OK):
        findings.warnings.append(f"{here} is not writable: train with --out in another folder")
