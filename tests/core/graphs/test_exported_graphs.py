"""Graphs in files compute what the networks do, for any size, and say what they are; what is wrong leaves no file."""

from __future__ import annotations

import json
from importlib.util import find_spec

import pytest
import torch
from graph_tasks import computing, two_inputs

from restore.core.errors import NotExportable, RestoreError, UsageError
from restore.core.graphs.export import describe_graph, export_graph
from restore.core.graphs.formats import PACKAGES, SUFFIXES, open_graph
from restore.core.weights.header import Header

HEADER = Header(task="small/two-inputs", model={"channels": 3}, card={"license": "CC0-1.0"})


def installed(kind):
    return all(find_spec(name) is not None for name in PACKAGES[kind])


def read_metadata(path, kind):
    if kind == "onnx":
        import onnx

        return json.loads({each.key: each.value for each in onnx.load(path).metadata_props}["restore"])
    if kind == "openvino":
        import openvino

        return json.loads(openvino.Core().read_model(path).get_rt_info(["restore"]).value)
    files = {"restore.json": ""}
    torch.export.load(path, extra_files=files)
    return json.loads(files["restore.json"])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the packages that read the files
@pytest.mark.parametrize("kind", SUFFIXES)
def test_a_file_computes_what_the_method_does_for_other_sizes_and_says_what_it_is(kind, tmp_path):
    if not installed(kind):
        pytest.skip(f"needs pip install 'restorekit[{kind}]'")
    task, networks = two_inputs()
    path = tmp_path / "out" / f"x{SUFFIXES[kind]}"
    written = export_graph(task, networks, path, kind, describe_graph(task, HEADER, "0123"))
    assert written.difference <= 1e-5
    assert len(set(written.sizes)) == 3
    assert {each.name for each in path.parent.iterdir()} == {path.name} | ({"x.bin"} if kind == "openvino" else set())
    session = open_graph(path, kind)
    for height, width in ((30, 44), (52, 26)):
        batch = {"input": torch.rand(1, 3, height, width), "mask": torch.rand(1, 1, height, width).round()}
        (found,) = session(list(batch.values()))
        torch.testing.assert_close(found, task.predict(batch, networks)["output"], rtol=0, atol=1e-5)
    about = read_metadata(path, kind)
    assert (about["task"], about["scale"], about["multiple_of"]) == ("small/two-inputs", 2, 2)
    assert [each["name"] for each in about["inputs"]] == ["input", "mask"]
    assert about["output"] == {"name": "output", "channels": 3, "low": 0.0, "high": 1.0}
    assert about["weights_sha256"] == "0123"
    assert about["card"] == {"license": "CC0-1.0"}


class Drifting:
    """Computes something else each time: a graph keeps what it was when it was traced."""

    calls = 0

    def __call__(self, x):
        self.calls += 1
        return x * self.calls


def branching(x):
    return x if x.mean() > 0.5 else 1 - x


def for_one_size(x):
    return x + torch.zeros(x.shape[-2], 56)


@pytest.mark.parametrize(
    ("compute", "said"),
    [
        (Drifting(), "its graph differs from its network by"),
        (branching, "torch cannot write its network as a graph for images of any size"),
        (for_one_size, "does something else for each size of an image|cannot be used for images of any size"),
        (lambda x: [x, None], "TypeError"),
    ],
)
def test_what_cannot_be_written_or_is_wrong_leaves_no_file(compute, said, tmp_path):
    task, networks = computing(compute)
    with pytest.raises(NotExportable, match=said):
        export_graph(task, networks, tmp_path / "out/x.pt2", "torch", {})
    assert list((tmp_path / "out").iterdir()) == []


def test_a_method_may_refuse(tmp_path):
    task, networks = computing(torch.sqrt)

    class Refusing(type(task)):
        def export_forward(self, batch, networks):
            raise NotExportable("it draws at random")

    with pytest.raises(NotExportable, match="it draws at random"):
        export_graph(Refusing(task.settings), networks, tmp_path / "x.pt2", "torch", {})
    assert list(tmp_path.iterdir()) == []


def test_files_are_refused_before_the_work(tmp_path, monkeypatch):
    task, networks = computing(torch.sqrt)
    there = tmp_path / "x.bin"
    there.write_bytes(b"parameters of something else")
    monkeypatch.setattr("restore.core.graphs.formats.find_spec", lambda name: name)
    monkeypatch.setattr("restore.core.graphs.export.trace", None)
    for name, kind, error, said in (
        ("x.onnx", "torch", UsageError, "must end in .pt2"),
        ("x.xml", "openvino", UsageError, "x.bin: already exists; choose another name or add --overwrite"),
        ("x.bin/y.pt2", "torch", RestoreError, "x.bin: "),
    ):
        with pytest.raises(error, match=said):
            export_graph(task, networks, tmp_path / name, kind, {})
    assert there.read_bytes() == b"parameters of something else"


@pytest.mark.parametrize("kind", ["onnx", "openvino"])
def test_a_missing_package_is_named_with_the_line_that_installs_it(kind, tmp_path, monkeypatch):
    monkeypatch.setattr("restore.core.graphs.formats.find_spec", lambda name: None)
    task, networks = computing(torch.sqrt)
    with pytest.raises(UsageError, match=rf"--format {kind} needs .*: pip install 'restorekit\[{kind}\]'"):
        export_graph(task, networks, tmp_path / f"x{SUFFIXES[kind]}", kind, {})
