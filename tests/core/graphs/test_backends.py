"""Networks that another program computes: predictions are those of torch, and graphs are made once."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
import torch
from graph_tasks import computing, two_inputs

from restore.core.errors import NotExportable
from restore.core.graphs.formats import PACKAGES
from restore.core.graphs.runtime import use_backend
from restore.core.inference.engine import predict_image
from restore.core.inference.folding import fold_batch_norm
from restore.core.networks import Networks


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the packages that compute
@pytest.mark.parametrize("backend", ["onnx", "openvino"])
def test_predictions_are_those_of_torch_and_a_graph_is_made_once(backend, tmp_path):
    if any(find_spec(name) is None for name in PACKAGES[backend]):
        pytest.skip(f"needs pip install 'restorekit[{backend}]'")
    task, networks = two_inputs()
    inputs = {"input": torch.rand(3, 45, 71), "mask": torch.rand(1, 45, 71).round()}
    expected = predict_image(task, networks, inputs)["output"]
    said = []

    def used(networks):
        return use_backend(task, fold_batch_norm(networks), backend, tmp_path, notify=said.append)

    made = used(networks)
    for tile in (None, 24):
        found = predict_image(task, made, inputs, tile=tile)["output"]
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    pair = {name: torch.stack([plane[:, :32, :32], plane[:, 8:40, 8:40]]) for name, plane in inputs.items()}
    found = task.predict(pair, made)["output"]
    torch.testing.assert_close(found, task.predict(pair, networks)["output"], rtol=0, atol=1e-5)
    files = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    used(networks)
    assert said == ["generator"]
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == files
    for path in files:
        path.write_bytes(b"damaged")
    torch.testing.assert_close(predict_image(task, used(networks), inputs)["output"], expected, rtol=0, atol=1e-5)
    assert said == ["generator"] * 2


class Pair(torch.nn.Module):
    def forward(self, x):
        return {"image": x}


@pytest.mark.parametrize(
    ("predict", "said"),
    [
        (lambda batch, nets: nets.generator(batch["input"]), "returns dict, and a graph only tensors"),
        (lambda batch, nets: nets.generator(x=batch["input"]), "is called with more than images"),
        (lambda batch, nets: batch["input"], "none of its networks is called as it is"),
    ],
)
def test_networks_that_are_called_in_another_way_are_refused(predict, said, tmp_path):
    task, _ = computing(torch.sqrt)

    class Other(type(task)):
        def export_forward(self, batch, networks):
            output = predict(batch, networks)
            return output["image"] if isinstance(output, dict) else output

    with pytest.raises(NotExportable, match=said):
        use_backend(Other(task.settings), Networks({"generator": Pair()}), "onnx", tmp_path)
    assert list(tmp_path.iterdir()) == []
