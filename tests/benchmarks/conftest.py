"""The scripts of ``benchmarks/``, imported as modules."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def load_benchmark() -> Callable[[str], ModuleType]:
    """``load_benchmark("inference")`` imports ``benchmarks/inference.py``, once for all tests."""
    folder = Path(__file__).parents[2] / "benchmarks"

    @cache
    def load(name: str) -> ModuleType:
        path = folder / f"{name}.py"
        spec = importlib.util.spec_from_file_location(f"benchmarks_{name}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module  # where dataclasses look for their module
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "path", [str(folder), *sys.path])  # as if it were started: one imports another
            spec.loader.exec_module(module)
        return module

    return load
