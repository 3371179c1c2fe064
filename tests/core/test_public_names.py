"""``restore.core`` offers its names without importing what they are made of."""

from __future__ import annotations

import subprocess
import sys

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


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="attribute Trainee"):
        _ = restore.core.Trainee
