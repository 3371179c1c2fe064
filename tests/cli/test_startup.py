"""What may be imported before a command has something heavy to do."""

from __future__ import annotations

import json

import pytest

HEAVY = {"torch", "torchvision", "accelerate", "numpy"}

CODE = """
import json
import shlex
import sys
from restore.cli import main

for line in json.loads(sys.argv[1]):
    sys.argv = ["restore", *shlex.split(line)]
    try:
        main()
    except SystemExit:
        pass
    print("LOADED:", line, "->", *sys.modules, file=sys.stderr)
"""
"""Runs command lines one after the other, and tells what is imported after each."""


@pytest.fixture
def loaded_by(restore_process):
    """What is imported once each command line of a list has run; all run in one process."""

    def run(lines: list[str]) -> dict[str, set[str]]:
        told = [
            line for line in restore_process(json.dumps(lines), code=CODE).stderr.splitlines() if "LOADED: " in line
        ]
        found = {line.split("LOADED: ")[1].split(" ->")[0]: set(line.split(" ->")[1].split()) for line in told}
        assert list(found) == lines
        return found

    return run


def test_nothing_heavy_is_imported_for_help_lists_and_wrong_command_lines(loaded_by):
    lines = [
        "",
        "--help",
        "list-plugins",
        "list-plugins --json",
        "train --help",
        "train grow-flowers --help",
        "train srgan --help",
        "train srgan --arch srgan/compact --help",
        "train restorer --arch restorer/drunet --dataset restorer/pairs --help",
        "train unet --loss unet/dice --help",
        "train grow-flowers --print-config",
        "train grow-flowers --epochs 0",
        "train no-such-task",
        "predict rain --help",
        "evaluate --help",
        "count --to 2",
    ]
    found = loaded_by(lines)
    assert all("restore.cli.app" in loaded for loaded in found.values())
    assert {line: HEAVY & loaded for line, loaded in found.items() if HEAVY & loaded} == {}


def test_neither_pydantic_nor_rich_is_imported_for_what_needs_no_settings(loaded_by):
    found = loaded_by(["--help", "list-plugins", "doctor --help"])
    unwanted = {"pydantic", "rich"}
    assert {line: unwanted & loaded for line, loaded in found.items() if unwanted & loaded} == {}


USE = """
import sys

import restore.cli.commands.evaluate
import restore.cli.commands.predict
from restore import registry

for task in sys.argv[1:]:
    registry.get("tasks", task)
print("LOADED:", *sys.modules, file=sys.stderr)
"""


def test_torchvision_which_is_as_slow_to_import_as_torch_is_not_needed_to_use_a_family(restore_process):
    tasks = [
        "srgan/srgan",
        "lbam/lbam",
        "inpaint_gan/inpaint-gan",
        "unet/nested-unet",
        "vae/vae",
        "classic/bicubic-antialias",
    ]
    loaded = set(restore_process(*tasks, code=USE).stderr.split("LOADED:")[1].split())
    assert "restore.plugins.srgan.task" in loaded
    assert not {"torchvision", "torch._dynamo"} & loaded
