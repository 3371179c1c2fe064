"""What may be imported before a command has something heavy to do."""

from __future__ import annotations

import pytest

HEAVY = {"torch", "torchvision", "accelerate", "numpy"}

CODE = """
import sys

from restore.cli import main

sys.argv = ["restore", *sys.argv[1:]]
try:
    main()
finally:
    print("LOADED:", *sys.modules, file=sys.stderr)
"""


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--help"],
        ["list-plugins"],
        ["list-plugins", "--json"],
        ["train", "--help"],
        ["train", "grow-flowers", "--help"],
        ["train", "srgan", "--help"],
        ["train", "srgan", "--arch", "srgan/compact", "--help"],
        ["train", "restorer", "--arch", "restorer/drunet", "--dataset", "restorer/pairs", "--help"],
        ["train", "unet", "--loss", "unet/dice", "--help"],
        ["train", "grow-flowers", "--print-config"],
        ["train", "grow-flowers", "--epochs", "0"],
        ["train", "no-such-task"],
        ["predict", "rain", "--help"],
        ["evaluate", "--help"],
        ["count", "--to", "2"],
    ],
    ids=" ".join,
)
def test_nothing_heavy_is_imported_for(restore_process, arguments):
    result = restore_process(*arguments, code=CODE)
    loaded = set(result.stderr.split("LOADED:")[1].split())
    assert "restore.cli.app" in loaded
    assert not HEAVY & loaded


@pytest.mark.parametrize("arguments", [["--help"], ["list-plugins"], ["doctor", "--help"]], ids=" ".join)
def test_neither_pydantic_nor_rich_is_imported_for(restore_process, arguments):
    loaded = set(restore_process(*arguments, code=CODE).stderr.split("LOADED:")[1].split())
    assert not {"pydantic", "rich"} & loaded


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
