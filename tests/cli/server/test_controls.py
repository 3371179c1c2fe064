"""The API tells what can be changed beside a result, and what a model chose itself."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from drawing_weights import write_codes, write_faces
from PIL import Image


@pytest.fixture
def server(make_server, tmp_path):
    write_faces(tmp_path / "faces.safetensors")
    write_codes(tmp_path / "codes.safetensors")
    return make_server("faces.safetensors", "codes.safetensors", "nuclei", "otsu")


def test_marks_of_options_are_told_with_the_fields_and_in_the_openapi_document(server):
    models = {model["id"]: model for model in server.ask("GET", "/api/models").json["models"]}
    fields = {field["name"]: field for field in models["faces"]["fields"]}
    assert fields["exaggeration"]["control"] == {"kind": "slider", "low": -1, "high": 3, "step": 0.05, "needs": None}
    assert fields["seed"]["control"] == {"kind": "seed"}
    assert fields["control_points"]["control"] == {"kind": "points", "scaled_by": "exaggeration"}
    assert (fields["control_points"]["kind"], fields["styles"]["control"]) == ("points", None)
    codes = {field["name"]: field["control"] for field in models["codes"]["fields"]}
    assert codes["position"]["needs"] == "toward"
    api = server.ask("GET", "/api/openapi.json").json
    body = api["paths"]["/api/predict/faces"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert body["properties"]["exaggeration"]["x-control"]["kind"] == "slider"
    assert body["properties"]["control_points"]["contentMediaType"] == "application/json"
    assert {"classes", "chosen"} <= set(api["components"]["schemas"]["Job"]["properties"])


def finish(server, model, **fields):
    """Queue an image, wait, and return the job with the bytes of its first file."""
    job = server.follow(server.post(f"/api/queue/{model}", **fields).json["id"])[-1]
    assert job["state"] == "done", job["message"]
    return job, server.ask("GET", f"/api/jobs/{job['id']}/files/0").data


def test_points_that_the_model_chose_can_be_sent_back_and_moved(server, photo):
    job, first = finish(server, "faces", image=photo, styles="1")
    points = job["chosen"]["control_points"]
    assert np.shape(points) == (4, 4)
    again, second = finish(server, "faces", image=photo, styles="1", control_points=json.dumps(points))
    before, after = (np.asarray(Image.open(io.BytesIO(data))).astype(int) for data in (first, second))
    assert abs(before - after).max() <= 1
    assert again["chosen"] == {}
    points[0][2] += 8
    _, moved = finish(server, "faces", image=photo, styles="1", control_points=json.dumps(points))
    assert abs(np.asarray(Image.open(io.BytesIO(moved))).astype(int) - before).max() > 20


def test_points_that_are_none_are_refused_with_one_message(server, photo):
    refused = {
        "[]": "expected 1 to 256 points, got 0",
        json.dumps([[1, 2, 3, 4]] * 257): "expected 1 to 256 points, got 257",
        "[[1, 2, 3]]": "has too few values",
        "[[1, 2, 3, 1e9]]": "should be less than or equal to 100000",
        "[[1, 2, 3, NaN]]": "should be",
        "here": "written as JSON",
    }
    for points, message in refused.items():
        answer = server.post("/api/predict/faces", image=photo, control_points=points)
        assert answer.status_code == 400
        assert answer.json["error"].startswith("control_points: ")
        assert message in answer.json["error"]


def test_a_position_between_two_images_needs_the_second(server, photo, mask):
    near, between, far = (
        server.post("/api/predict/codes", image=photo, toward=mask, position=position).data
        for position in ("0", "0.4", "1")
    )
    assert near == server.post("/api/predict/codes", image=photo).data
    assert len({near, between, far}) == 3
    alone = server.post("/api/predict/codes", image=photo, position="0.4")
    assert (alone.status_code, alone.json["error"]) == (
        400,
        "position needs toward, the second image, which is not set; set both or neither",
    )


def test_maps_of_classes_are_told_with_the_job(server, photo):
    job, _ = finish(server, "nuclei", image=photo, threshold="0.3")
    (only,) = job["classes"].pop("classes")
    assert job["classes"] == {"numbers": None, "threshold": 0.3, "option": "threshold"}
    assert only["part"] == "probability"
    assert [0 <= value <= 1 for value in only["color"]] == [True] * 3
    assert "probability" in {file["part"] for file in job["files"]}
    assert finish(server, "nuclei", image=photo, outputs="mask")[0]["classes"] is None
    assert finish(server, "otsu", image=photo)[0]["classes"]["option"] is None
