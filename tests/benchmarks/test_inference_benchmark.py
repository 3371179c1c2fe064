"""The benchmark of inference runs, and every way has its time."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "inference.py"
    spec = importlib.util.spec_from_file_location("inference_benchmark", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look for their module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("network", "model"), [("srresnet", {"channels": 4, "blocks": 1}), ("unet++", {"channels": 2})]
)
def test_every_way_is_timed(benchmark, network, model, capsys):
    common = ["--edge", "24", "--tile", "16", "--rounds", "1", "--no-compile", "--model", json.dumps(model)]
    benchmark.main(["--network", network, *common, "--json"])
    ways = json.loads(capsys.readouterr().out)[network]
    assert {benchmark.PLAIN, "channels_last", "restore predict", "restore predict --tile 16"} <= ways.keys()
    assert all(seconds > 0 for seconds in ways.values())
    benchmark.main(["--network", network, *common])
    assert "1.00 x a plain call" in capsys.readouterr().out
