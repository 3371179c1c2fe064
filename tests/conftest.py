"""What tests of every part share."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def golden() -> ModuleType:
    """The checker of recorded reference outputs: ``golden.load("seed_content_loss").check(function)``."""
    path = Path(__file__).parent / "golden" / "checker.py"
    spec = importlib.util.spec_from_file_location("golden_checker", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
