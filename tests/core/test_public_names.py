"""``restore.core`` offers its names without importing what they are made of."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import restore.core


def test_every_public_name_can_be_imported() -> None:
    for name in restore.core.__all__:
        assert getattr(restore.core, name) is not None
    assert set(restore.core.__all__) <= set(dir(restore.core))


def test_importing_the_package_imports_nothing_else() -> None:
    script = "import sys, restore.core; print([name for name in ('torch', 'numpy', 'pydantic') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(restore.core.__file__).read_text("utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name == alias.asname
    }
    assert seen == {name: f"restore.core.{home}" for name, home in restore.core._HOME.items()}


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Trainee'"):
        _ = restore.core.Trainee
