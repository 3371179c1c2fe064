"""The HTTP API gives what the command line writes, and says one thing when something is wrong."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms
from tiff_files import write_tiff

from restore.cli.app import app
from restore.cli.model_ref import ModelRef
from restore.cli.server.catalog import Catalog
from restore.cli.server.opened_models import OpenedModels
from restore.core.weights.files import save_weights


def predict(*words: object) -> None:
    """Run the command line."""
    with pytest.raises(SystemExit) as left:
        app(["predict", *map(str, words)])
    assert left.value.code == 0


def test_the_models_come_with_their_forms(server):
    models = {model["id"]: model for model in server.ask("GET", "/api/models").json["models"]}
    assert {"upscale", "bicubic", "nearest-known", "repeat"} <= set(models)
    assert models["upscale"]["kind"] == "weights"
    fields = {field["name"]: field for field in models["nearest-known"]["fields"]}
    assert fields["mask"]["kind"] == "mask"
    assert fields["dilate"] | {"help": ""} == {
        "name": "dilate", "kind": "integer", "help": "", "group": "", "default": 0, "nullable": False, "choices": [],
        "minimum": 0, "maximum": 1000, "open_below": False, "open_above": False,
        "control": None,
    }  # fmt: skip
    assert fields["blend"]["choices"] == ["none", "poisson"]
    assert fields["output_format"]["group"] == "output"
    assert {"output", "device", "overwrite", "tile"}.isdisjoint(fields)
    assert "Dilate the mask" in fields["dilate"]["help"]
    assert models["nearest-known"]["schema"]["properties"]["dilate"]["maximum"] == 1000


def test_a_path_without_a_mark_is_no_field(server):
    models = {model["id"]: model for model in server.ask("GET", "/api/models").json["models"]}
    assert "scale" in {field["name"] for field in models["repeat"]["fields"]}
    otsu = {field["name"] for field in models["otsu"]["fields"]}
    assert "outputs" in otsu
    assert "ensemble" not in otsu


def test_a_result_is_bit_for_bit_that_of_the_command_line(server, photo, mask, tmp_path):
    answer = server.post("/api/predict/nearest-known", image=photo, mask=mask, dilate="1")
    assert (answer.status_code, answer.content_type) == (200, "image/png")
    predict("nearest-known", photo, "--mask", mask, "--dilate", "1", "--output", tmp_path / "out")
    assert answer.data == (tmp_path / "out" / "photo.png").read_bytes()
    assert server.files() == []


def test_sixteen_bits_alpha_and_profile_go_along_as_on_the_command_line(server, tmp_path):
    values = np.random.default_rng(1).integers(0, 2**16, (9, 7, 4), np.uint16)
    write_tiff(tmp_path / "deep.tif", values)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.new("RGBA", (7, 9), (200, 100, 50, 99)).save(tmp_path / "clear.png", icc_profile=profile)
    for name in ("deep.tif", "clear.png"):
        answer = server.post("/api/predict/bicubic", image=tmp_path / name, name=name, scale="2")
        predict("bicubic", tmp_path / name, "--scale", "2", "--output", tmp_path / "out")
        written = Path(name).with_suffix(".png").name
        assert answer.data == (tmp_path / "out" / written).read_bytes()
        assert answer.headers["Content-Disposition"] == f"attachment; filename={written}"


def test_an_image_of_megabytes_is_taken(server, tmp_path):
    noise = np.random.default_rng(2).integers(0, 256, (700, 900, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    assert (tmp_path / "noise.png").stat().st_size > 1_800_000
    answer = server.post("/api/predict/bicubic", image=tmp_path / "noise.png", scale="1")
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(answer.data))), noise)


def write_weights(name: str, gain: float = 0.5) -> Path:
    """Write weights of ``twice``."""
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {"gain": torch.tensor([gain])}
    return save_weights(path, task="upscaling_plugin/twice", model={"scale": 2}, networks={"gain": state})


def test_weights_are_read_once_and_again_when_the_file_changes(make_server, photo, tmp_path, monkeypatch):
    opened = []
    original = ModelRef.open
    monkeypatch.setattr(ModelRef, "open", lambda self, **rest: opened.append(self.name) or original(self, **rest))
    write_weights("w.safetensors")
    server = make_server("w.safetensors")
    first, second = (server.post("/api/predict/w", image=photo).data for _ in range(2))
    assert opened == ["w.safetensors"]
    predict("w.safetensors", photo, "--output", tmp_path / "out")
    assert first == second == (tmp_path / "out" / "photo.png").read_bytes()
    write_weights("w.safetensors", gain=0.25)
    assert server.post("/api/predict/w", image=photo).data != first


def test_another_format_is_a_field(server, photo, tmp_path):
    answer = server.post("/api/predict/bicubic", image=photo, output_format="jpeg", quality="60")
    predict("bicubic", photo, "--output-format", "jpeg", "--quality", "60", "--output", tmp_path / "out")
    assert answer.content_type == "image/jpeg"
    assert answer.data == (tmp_path / "out" / "photo.jpg").read_bytes()


def test_several_files_come_as_an_archive_or_one_by_its_part(server, photo, tmp_path):
    predict("repeat", photo, "--output", tmp_path / "out")
    wanted = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    archive = zipfile.ZipFile(io.BytesIO(server.post("/api/predict/repeat", image=photo).data))
    assert {name: archive.read(name) for name in archive.namelist()} == wanted
    assert server.post("/api/predict/repeat?part=bright", image=photo).data == wanted["photo-bright.png"]
    wrong = server.post("/api/predict/repeat?part=dark", image=photo)
    assert (wrong.status_code, wrong.json) == (
        400,
        {"error": "part: the result has no part 'dark'; it has '', 'bright'"},
    )


def test_a_queued_job_tells_its_progress_and_keeps_its_files_until_it_is_removed(server, photo, tmp_path):
    answer = server.post("/api/queue/repeat", image=photo, name="Größe 图.png")
    assert answer.status_code == 202
    job = answer.json["id"]
    assert answer.headers["Location"] == f"/api/jobs/{job}"
    events = server.follow(job)
    assert events[-1]["state"] == "done"
    assert (events[-1]["done"], events[-1]["total"]) == (1, 1)
    assert [file["name"] for file in events[-1]["files"]] == ["Größe 图.png", "Größe 图-bright.png"]
    predict("repeat", photo, "--output", tmp_path / "out")
    for number, name in enumerate(["photo.png", "photo-bright.png"]):
        assert server.ask("GET", f"/api/jobs/{job}/files/{number}").data == (tmp_path / "out" / name).read_bytes()
    assert server.ask("GET", f"/api/jobs/{job}/files/2").status_code == 404
    assert server.ask("DELETE", f"/api/jobs/{job}").status_code == 204
    assert server.ask("GET", f"/api/jobs/{job}").status_code == 404
    assert server.files() == []


@pytest.mark.parametrize(
    ("fields", "status", "message"),
    [
        ({"scale": "big"}, 400, "scale: should be a valid number (got big, from the form)"),
        ({"scale": "99"}, 400, "scale: should be less than or equal to 64 (got 99, from the form)"),
        ({"zoom": "2"}, 400, "zoom: no such field"),
        ({"output": "/tmp"}, 400, "output: no such field"),
        ({"fit": "wide"}, 400, "fit: "),
        ({"frame": "all"}, 400, "frame: one frame a request; send a number, or first"),
        ({"frame": "7"}, 400, "photo.png: has no frame 7; it has 1"),
    ],
)
def test_a_wrong_field_is_one_message(server, photo, fields, status, message):
    answer = server.post("/api/predict/bicubic", image=photo, **fields)
    assert answer.status_code == status
    assert message in answer.json["error"]
    assert server.files() == []


def test_a_missing_image_a_missing_mask_and_an_unknown_model_are_said(server, photo):
    assert "image: the image to process is missing" in server.post("/api/predict/bicubic", image=None).json["error"]
    answer = server.post("/api/predict/nearest-known", image=photo)
    assert answer.status_code == 400
    assert answer.json["error"].startswith("photo.png: no mask given")
    answer = server.post("/api/predict/bicubik", image=photo)
    assert (answer.status_code, answer.json["error"]) == (404, "no model is called 'bicubik'; did you mean 'bicubic'?")
    assert server.ask("GET", "/api/predict/bicubic").status_code == 405


def test_text_for_a_file_and_a_file_for_text_are_refused(server, photo):
    answer = server.post("/api/predict/nearest-known", image=photo, mask="/etc/passwd")
    assert (answer.status_code, answer.json["error"]) == (400, "mask: send an image file, not text")
    answer = server.post("/api/predict/bicubic", image=photo, scale=photo)
    assert (answer.status_code, answer.json["error"]) == (400, "scale: send text, not a file")


def test_a_mask_of_another_size_is_named_as_the_client_named_it(server, photo, tmp_path):
    Image.new("L", (5, 5), 255).save(tmp_path / "small.png")
    answer = server.post("/api/predict/nearest-known", image=photo, mask=tmp_path / "small.png")
    assert answer.status_code == 422
    assert answer.json["error"] == "small.png: the mask has 5x5 pixels, but photo.png has 16x12"


def test_warnings_come_along_each_time(server, photo, mask):
    Image.new("L", (16, 12)).save(mask)
    for _ in range(2):
        answer = server.post("/api/predict/nearest-known", image=photo, mask=mask)
        (warning,) = json.loads(answer.headers["Restore-Warnings"])
        assert warning.startswith("photo.png: the mask is empty (--mask mask.png)")


def test_a_bug_in_a_plugin_is_one_message_and_ends_nothing(server, photo, monkeypatch, capsys):
    monkeypatch.setattr("restore.cli.server.prediction.open_image", lambda *_: 1 / 0)
    answer = server.post("/api/predict/bicubic", image=photo)
    assert (answer.status_code, answer.json["error"]) == (500, "the server has a bug; its console shows where")
    assert "ZeroDivisionError" in capsys.readouterr().err
    monkeypatch.undo()
    assert server.post("/api/predict/bicubic", image=photo).status_code == 200


def test_only_the_named_models_are_served(make_server, photo):
    server = make_server("bicubic")
    assert [model["id"] for model in server.ask("GET", "/api/models").json["models"]] == ["bicubic"]
    assert server.post("/api/predict/lanczos", image=photo).status_code == 404


def test_a_run_that_appears_later_is_offered(server, tmp_path):
    assert "half-bright" not in {model["id"] for model in server.ask("GET", "/api/models").json["models"]}
    write_weights("runs/half bright/best.safetensors").with_name("config.yaml").write_text("{}")
    server.running.catalog._read = None
    assert "half-bright" in {model["id"] for model in server.ask("GET", "/api/models").json["models"]}


def test_the_api_describes_itself(server):
    document = server.ask("GET", "/api/openapi.json").json
    assert document["openapi"].startswith("3.1")
    body = document["paths"]["/api/predict/nearest-known"]["post"]["requestBody"]["content"]["multipart/form-data"]
    assert body["schema"]["required"] == ["image"]
    assert body["schema"]["properties"]["mask"]["format"] == "binary"
    assert body["schema"]["properties"]["dilate"] | {"description": ""} == {
        "type": "integer", "description": "", "minimum": 0, "maximum": 1000, "default": 0
    }  # fmt: skip
    known = {
        route.path.replace("<", "{").replace(">", "}").replace("int:", "").replace("path:", "")
        for route in server.running.server.app.routes
    }
    written = {path.replace("/predict/nearest-known", "/predict/{model}") for path in document["paths"]}
    assert known - written == {"/", "/static/{name}", "/api/openapi.json", "/api/queue/{model}"}


def test_the_page_and_its_files_need_no_token(server):
    for path, kind in (("/", "text/html"), ("/static/page.css", "text/css"), ("/static/slider.js", "text/javascript")):
        answer = server.client.get(path, headers={"Host": "localhost:1"})
        assert (answer.status_code, answer.mimetype) == (200, kind)


def test_a_killed_server_leaves_nothing_for_the_next_one(make_server, tmp_path):
    left = tmp_path / "temporary" / "restore-serve-killed"
    (left / "job-1").mkdir(parents=True)
    first = make_server("bicubic")
    assert not left.exists()
    second = make_server("bicubic")
    assert first.running.folder.exists()
    assert second.running.folder != first.running.folder


def test_models_that_were_not_used_for_long_leave_memory(make_server):
    for name in "abc":
        write_weights(f"{name}.safetensors")
    make_server("bicubic")  # for its plugins
    catalog = Catalog(["a.safetensors", "b.safetensors", "c.safetensors"])
    opened = OpenedModels(budget=8)  # two networks of one number each
    for name in "abca":
        model = catalog.find(name)
        opened.open(model, model.form.model())
    assert [Path(str(key[1])).stem for key in opened._opened] == ["c", "a"]
