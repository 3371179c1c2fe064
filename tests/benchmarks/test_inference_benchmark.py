"""The benchmark of inference runs, and every way has its time."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.util import find_spec
from types import ModuleType

import pytest

from restore.core.graphs.formats import PACKAGES


@pytest.fixture(scope="module")
def benchmark(load_benchmark: Callable[[str], ModuleType]) -> ModuleType:
    return load_benchmark("inference")


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


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the packages that compute
@pytest.mark.parametrize("backend", ["onnx", "openvino"])
def test_every_backend_is_timed_bare_and_in_use(benchmark, backend, capsys):
    if any(find_spec(name) is None for name in PACKAGES[backend]):
        pytest.skip(f"needs pip install 'restorekit[{backend}]'")
    small = ["--edge", "24", "--tile", "16", "--rounds", "1", "--no-compile", "--model", '{"channels": 4, "blocks": 1}']
    benchmark.main(["--network", "msrresnet", *small, "--backends", backend, "--json"])
    ways = json.loads(capsys.readouterr().out)["msrresnet"]
    used = f"restore predict --backend {backend}"
    assert {f"{backend}, bare", used, f"{used}, end to end"} <= ways.keys()
