"""``restore export`` writes what chaiNNer, ComfyUI and BasicSR load, and ``restore weights`` lists what is at hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from restore import registry
from restore.core.hashing import hash_file
from restore.core.weights.files import open_weights, save_weights

SMALL = {
    "rrdbnet": ("srgan/rrdbnet", {"channels": 8, "blocks": 1, "growth": 32, "scale": 4}),
    "srvggnet": ("srgan/srvggnet-compact", {"channels": 8, "convolutions": 2, "scale": 2}),
    "msrresnet": ("srgan/msrresnet", {"channels": 8, "blocks": 2, "scale": 4}),
    "grown": ("srgan/rrdbnet", {"channels": 8, "blocks": 1, "growth": 4, "scale": 3}),
    "compact": ("srgan/compact", {"channels": 8, "blocks": 1, "scale": 2}),
}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """The cache of converted checkpoints is empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def made(tmp_path):
    """Write weights of a generator of srgan."""

    def write(name):
        architecture, settings = SMALL[name]
        task_type = registry.get("tasks", "srgan/srgan")
        model = {"architecture": architecture, **settings}
        task = task_type(task_type.settings_type.model_validate({"model": model}))
        torch.manual_seed(0)
        path = tmp_path / f"{name}.safetensors"
        stored = task.settings.model.model_dump(mode="json")
        save_weights(path, task="srgan/srgan", model=stored, networks=task.networks())
        return path.name

    return write


def computed(path, image):
    _, networks = open_weights(path, registry.get)
    with torch.no_grad():
        return networks["generator"](image)


@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
@pytest.mark.parametrize("name", ["rrdbnet", "srvggnet"])
def test_spandrel_loads_what_is_exported_for_it(restore, made, tmp_path, name, suffix):
    spandrel = pytest.importorskip("spandrel", reason="needs spandrel: pip install 'restorekit[spandrel]'")
    path = made(name)
    status, out, err = restore("export", path, "--output", f"out/x.{suffix}")
    assert (status, err) == (0, "")
    assert out.startswith(f"Wrote out/x.{suffix}: ")
    file = tmp_path / f"out/x.{suffix}"
    state = load_file(file) if suffix == "safetensors" else torch.load(file, weights_only=True)
    descriptor = spandrel.MAIN_REGISTRY.load(state).eval()
    image = torch.rand(1, 3, 12, 14)
    expected = computed(tmp_path / path, image).clamp(0, 1)
    torch.testing.assert_close(descriptor(image.clone()), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["rrdbnet", "srvggnet", "msrresnet"])
def test_what_is_exported_for_basicsr_has_its_names_and_comes_back_the_same(restore, made, tmp_path, name):
    path = made(name)
    assert restore("export", path, "--format", "basicsr", "--output", "x.pth")[0] == 0
    content = torch.load(tmp_path / "x.pth", weights_only=True)
    assert list(content) == ["params"]
    first = "body.0.weight" if name == "srvggnet" else "conv_first.weight"
    assert first in content["params"]
    assert restore("import", "x.pth", "--output", "back.safetensors")[0] == 0
    image = torch.rand(1, 3, 12, 14)
    assert torch.equal(computed(tmp_path / "back.safetensors", image), computed(tmp_path / path, image))


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["bicubic", "--output", "x.pth"], 2, "bicubic is a classical method and has no weights to export"),
        (["compact.safetensors", "--output", "x.pth"], 1, "its network is restore's own"),
        (["msrresnet.safetensors", "--output", "x.pth"], 1, "do not know its architecture; possible: basicsr"),
        (["grown.safetensors", "--output", "x.pth"], 1, "do not know its architecture; possible: none"),
        (["rrdbnet.safetensors", "--output", "x.bin"], 2, "must end in .safetensors or .pth"),
        (["rrdbnet.safetensors", "--output", "x.safetensors", "--format", "basicsr"], 2, "must end in .pth"),
        (["rrdbnet.safetensors", "--output", "rrdbnet.safetensors", "--overwrite"], 2, "is the file that is read"),
        (["compact.safetensors", "--output", "x.pth", "--format", "torch"], 2, "must end in .pt2"),
        (["compact.safetensors", "--output", "x.pt2", "--format", "tensorrt"], 2, "'tensorrt' is not one of"),
        (["bicubic", "--output", "x.pt2", "--format", "torch"], 2, "bicubic is a classical method and has no weights"),
        (["none.safetensors", "--output", "x.pth"], 2, "none.safetensors: no such file or folder"),
    ],
)
def test_what_cannot_be_exported_is_refused(restore, made, tmp_path, arguments, status, said):
    for name in SMALL:
        made(name)
    before = sorted(path.name for path in tmp_path.iterdir())
    ended, out, err = restore("export", *arguments)
    assert (ended, out) == (status, "")
    assert said in err
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_graph_is_written_with_what_it_is_of(restore, made, tmp_path):
    path = made("compact")
    status, out, err = restore("export", path, "--format", "torch", "--output", "x.pt2")
    assert (status, err) == (0, "")
    assert out.startswith(
        "Wrote x.pt2: input (1, 3, H, W) in [0, 1] to output (1, 3, H, W) in [0, 1], scale 2; any height and width\n"
        "  equal to torch within "
    )
    files = {"restore.json": ""}
    graph = torch.export.load(tmp_path / "x.pt2", extra_files=files).module()
    image = torch.rand(1, 3, 33, 50)
    torch.testing.assert_close(graph(image), computed(tmp_path / path, image).clamp(0, 1), rtol=0, atol=1e-5)
    about = json.loads(files["restore.json"])
    assert (about["task"], about["model"]["architecture"], about["scale"]) == ("srgan/srgan", "srgan/compact", 2)
    assert about["weights_sha256"] == hash_file(tmp_path / path)
    status, out, err = restore("predict", "x.pt2", "photo.png", "--output", "o")
    assert (status, out) == (1, "")
    assert "is a graph of torch.export; restore predicts with the weights that it was made of" in err


def test_a_graph_needs_a_network_that_is_called_with_images(restore, weights, photo, tmp_path, monkeypatch):
    monkeypatch.setattr("restore.core.graphs.formats.find_spec", lambda name: name)
    weights("w.safetensors")
    photo()
    for arguments in (["predict", "w.safetensors", "photo.png", "--output", "o"], ["evaluate", "w.safetensors"]):
        more = ["--data", "."] if arguments[0] == "evaluate" else []
        status, out, err = restore(*arguments, *more, "--backend", "onnx")
        assert (status, out) == (1, "")
        assert "w.safetensors cannot be computed with --backend onnx: its network 'gain' is called with more " in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["predict", "repeat", "photo.png", "--output", "o"],
            "--backend onnx: repeat is a classical method and has no",
        ),
        (["evaluate", "repeat", "--data", "."], "--backend onnx: classical methods have no network"),
        (["predict", "w.safetensors", "photo.png", "--output", "o", "--device", "cuda"], "leave --device cuda out"),
        (["evaluate", "w.safetensors", "--data", ".", "--device", "cuda:1"], "leave --device cuda:1 out"),
        (
            ["predict", "w.safetensors", "photo.png", "--output", "o", "--precision", "bf16"],
            "leave --precision bf16 out",
        ),
    ],
)
def test_what_does_not_go_with_a_backend_is_refused(restore, weights, photo, arguments, said, monkeypatch):
    monkeypatch.setattr("restore.core.graphs.formats.find_spec", lambda name: name)
    weights("w.safetensors")
    photo()
    status, out, err = restore(*arguments, "--backend", "onnx")
    assert (status, out) == (2, "")
    assert said in err


@pytest.mark.parametrize("backend", ["onnx", "openvino"])
def test_a_missing_backend_is_named_with_the_line_that_installs_it(restore, weights, photo, backend, monkeypatch):
    monkeypatch.setattr("restore.core.graphs.formats.find_spec", lambda name: None)
    weights("w.safetensors")
    photo()
    status, _, err = restore("predict", "w.safetensors", "photo.png", "--output", "o", "--backend", backend)
    assert status == 2
    assert f"--backend {backend} needs " in err
    assert f"pip install 'restorekit[{backend}]'" in err
    status, _, err = restore("export", "w.safetensors", "--output", "x.onnx", "--format", backend)
    assert status == 2
    assert f"--format {backend} needs " in err


def test_nothing_is_listed_with_the_commands_that_make_weights(restore, monkeypatch):
    monkeypatch.setattr("restore.registry.entries", lambda kind: [])
    status, out, _ = restore("weights")
    assert status == 0
    assert "There are no weights here" in out


def test_weights_are_listed_by_their_origin(restore, made, tmp_path, weights):
    path = made("rrdbnet")
    restore("export", path, "--format", "basicsr", "--output", "published.pth")
    restore("import", "published.pth", "--output", "kept.safetensors")
    number = {"name": "psnr", "convention": "8-bit Y, border 4", "of": "adversarial", "value": 28.25}
    model = {"architecture": "srgan/compact", "channels": 8, "blocks": 1, "scale": 2}
    (tmp_path / "runs/mine").mkdir(parents=True)
    save_weights(
        tmp_path / "runs/mine/best.safetensors",
        task="srgan/srgan",
        model=model,
        networks={"generator": {"a": torch.zeros(3)}},
        numbers=[number],
    )
    (tmp_path / "other.safetensors").write_bytes(b"no weights file")
    status, out, _ = restore("weights")
    assert status == 0
    lines = [line.strip() for line in out.splitlines()]
    assert lines[lines.index("runs/mine") + 1 :][:2] == [
        "srgan/compact, x2, 3 parameters; srgan/srgan",
        "psnr (8-bit Y, border 4) 28.25",
    ]
    kept = lines[lines.index("kept.safetensors") + 1 :]
    assert kept[0].startswith("srgan/rrdbnet, x4, ")
    assert kept[1:3] == ["from published.pth", "license: not stated in the file"]
    assert "other.safetensors" not in out
    listed = json.loads(restore("weights", "--json")[1])
    assert listed["errors"] == []
    assert {row["kind"] for row in listed["weights"]} >= {"run", "imported"}
    assert next(row for row in listed["weights"] if row["name"] == "runs/mine")["numbers"] == [number]


def test_a_damaged_run_is_named_and_the_others_are_listed(restore, weights, tmp_path):
    (tmp_path / "runs/bad").mkdir(parents=True)
    weights("runs/good/best.safetensors")
    (tmp_path / "runs/bad/best.safetensors").write_bytes(b"damaged")
    status, out, _ = restore("weights")
    assert status == 0
    assert "runs/good" in out
    assert "cannot be read: runs/bad/best.safetensors: " in out


def test_the_time_of_each_weights_file_is_measured_when_asked_for(restore, weights, monkeypatch):
    path = Path(weights("good.safetensors"))
    monkeypatch.setattr("restore.cli.commands.weights.list_files", lambda: [("run", "good", path)])
    assert json.loads(restore("weights", "--json")[1])["weights"][0]["seconds"] is None
    assert json.loads(restore("weights", "--json", "--time")[1])["weights"][0]["seconds"] > 0
    assert "s a megapixel of the result" in restore("weights", "--time")[1]


def test_weights_of_others_are_shown_in_full(restore, made, tmp_path):
    path = made("srvggnet")
    restore("export", path, "--format", "basicsr", "--output", "published.pth")
    status, out, err = restore("show", "published.pth")
    assert status == 0
    assert err.startswith("published.pth: srgan/srvggnet-compact, x2, ")
    assert "imported_from srvggnet-compact" in out
    assert "parameters, 0.0" in out
    about = json.loads(restore("show", path, "--json")[1])
    assert about["parameters"] == sum(t.numel() for t in load_file(tmp_path / path).values())
