"""What strangers and other web pages may try with runs and trainings; docs/serve.md lists these attacks."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from urllib.parse import quote

import pytest

from restore.cli.server.training_form import choose_name
from restore.core.errors import UsageError

REQUESTS = [
    ("POST", "/api/train/twice"),
    ("POST", "/api/runs/runs:first/resume"),
    ("POST", "/api/runs/runs:first/report"),
    ("DELETE", "/api/trainings/x"),
    ("GET", "/api/runs"),
    ("GET", "/api/runs/events"),
    ("GET", "/api/runs/runs:first/samples/1"),
    ("GET", "/api/trainings/x/lines"),
]


def send(server, path: str, **fields: str):
    """Send a form."""
    return server.ask("POST", path, data=fields, content_type="multipart/form-data")


def nothing_started(server) -> bool:
    """Return whether no training and no file of one exists."""
    settings = list(server.running.folder.glob("*training*")) + list(server.running.folder.glob("form-*"))
    return not server.ask("GET", "/api/runs").json["trainings"] and not settings


def make_run(folder: Path) -> Path:
    """Write the least that is a run."""
    (folder / "samples").mkdir(parents=True)
    (folder / "config.yaml").write_text("run: {task: upscaling_plugin/twice}\nepochs: 2\n", encoding="utf-8")
    (folder / "report.html").write_text("<h1>Report</h1>", encoding="utf-8")
    return folder


def test_neither_strangers_nor_other_pages_train_or_look(training_server):
    make_run(Path("runs/first"))
    for headers, status in (
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Host": "evil.example"}, 403),
    ):
        for method, path in REQUESTS:
            assert training_server.ask(method, path, headers=headers).status_code == status, (path, headers)
    assert nothing_started(training_server)


RUNS = [
    "runs:../photos",
    "runs:..",
    "runs:",
    "first",
    "../runs:first",
    "runs:first/../first",
    "photos:first",
    "runs:first\0",
]


def test_no_name_of_a_run_leads_out(training_server):
    make_run(Path("runs/first"))
    make_run(Path("photos/first"))
    asked = [("GET", ""), ("GET", "/curves"), ("GET", "/samples/1"), ("POST", "/report"), ("POST", "/resume")]
    for run in RUNS:
        for method, what in asked:
            path = f"/api/runs/{quote(run, safe='')}{what}"
            assert training_server.ask(method, path).status_code == 404, path
    assert nothing_started(training_server)


def test_links_in_a_run_are_not_followed_out_of_it(training_server, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("a secret", encoding="utf-8")
    run = make_run(Path("runs/first"))
    (run / "samples" / "epoch-0001.png").symlink_to(secret)
    (run / "report.html").unlink()
    (run / "report.html").symlink_to(secret)
    assert training_server.ask("GET", "/api/runs/runs:first/samples/1").status_code == 404
    address = training_server.ask("POST", "/api/runs/runs:first/report").json["address"]
    answer = training_server.ask("GET", address)
    assert (answer.status_code, b"secret" in answer.data) == (404, False)


SETTINGS = [
    ("srgan", {"data": "/etc"}, "data: '/etc' is no folder of data of this server; there are: photos"),
    ("srgan", {"data": "photos/.."}, "is no folder of data"),
    ("srgan", {"val_data": "../photos"}, "is no folder of data"),
    ("srgan", {"init_from": "/etc/passwd"}, "init_from: no such field"),
    ("srgan", {"out": "/tmp"}, "out: no such field"),
    ("srgan", {"config": "/etc/passwd"}, "config: no such field"),
    ("srgan", {"resume": "runs/first"}, "resume: no such field"),
    ("srgan", {"listener": "scores"}, "listener: no such field"),
    ("srgan", {"track": "wandb"}, "track: no such field"),
    ("srgan", {"perceptual.weights": "weights.pth"}, "'weights.pth' names a file"),
    ("srgan", {"perceptual.weights": "/etc/passwd"}, "perceptual.weights: '/etc/passwd' names a file"),
    ("srgan", {"loss": "common/l1,name=../../x"}, "../../x"),
    ("lbam", {"masks.folder": "/etc"}, "masks.folder: no such field"),
    ("unet", {"train_list": "/etc/passwd"}, "train_list: no such field"),
    ("unet", {"image_ext": "/../../etc/passwd"}, "names a file"),
    ("../srgan", {}, "no task to train is called"),
    ("bicubic", {}, "no task to train is called 'bicubic'"),
]


def test_no_setting_names_a_file_of_the_server(training_server):
    for task, fields, message in SETTINGS:
        answer = send(training_server, f"/api/train/{quote(task)}", **{"name": "mine", **fields})
        assert answer.status_code in (400, 404), fields
        assert message in answer.json["error"]
    assert nothing_started(training_server)
    assert not Path("runs/mine").exists()


NAMES = [
    "../up",
    "a/b",
    "a\\b",
    "..",
    ".hidden",
    "-rf",
    "a\nb",
    "a\0b",
    "x" * 101,
    "é" * 51,
    "gpj.\u202egnp",
    "a:b",
    "~",
    " ",
    "a.",
]


def test_a_name_for_a_run_that_is_more_than_a_name_is_refused(training_server):
    for name in NAMES:
        answer = send(training_server, "/api/train/twice", name=name)
        assert answer.status_code == 400, name
        assert "name: expected up to 100 bytes" in answer.json["error"]
    assert nothing_started(training_server)
    assert list(Path("runs").iterdir()) == []


def test_names_in_unicode_are_names(training_server):
    answer = send(training_server, "/api/train/twice", name="图像 e\u0301 🎨", epochs="1")
    assert answer.json["run"] == "runs:图像 \u00e9 🎨"
    training_server.wait_for_training(answer.json["id"], "finished")
    assert training_server.ask("GET", f"/api/runs/{quote(answer.json['run'])}/curves").status_code == 200
    with pytest.raises(UsageError, match="there is a run called"):
        choose_name({"name": ["图像 \u00e9 🎨"]}, "twice", Path("runs"))


def test_a_setting_is_no_word_of_a_command_line(training_server):
    answer = send(training_server, "/api/train/srgan", name="mine", loss="--resume=/etc", epochs="1")
    assert answer.status_code == 400
    assert nothing_started(training_server)


def test_files_large_forms_and_the_token_stay_out(training_server, monkeypatch, tmp_path):
    data = {"name": "mine", "data": (BytesIO(b"x"), "a.png")}
    answer = training_server.ask("POST", "/api/train/twice", data=data, content_type="multipart/form-data")
    assert (answer.status_code, answer.json["error"]) == (400, "data: send text, not a file")
    assert training_server.post("/api/train/twice", image=None, epochs="9" * 1_100_000).status_code == 413
    assert training_server.ask("POST", "/api/train/twice", json={"epochs": 1}).status_code == 415
    assert nothing_started(training_server)
    from restore.cli.server import trainings

    monkeypatch.setenv("RESTORE_TOKEN", "a secret of the server")
    monkeypatch.setattr(trainings, "COMMAND", ("sh", "-c", "env | grep -c ^RESTORE_TOKEN; true"))
    training = send(training_server, "/api/train/twice", name="mine").json["id"]
    training_server.wait_for_training(training, "finished")
    assert training_server.ask("GET", f"/api/trainings/{training}/lines").json["lines"] == ["0"]


def test_a_report_is_sandboxed_and_its_address_is_a_ticket(training_server, monkeypatch):
    from restore.cli.server import run_routes

    make_run(Path("runs/first"))
    address = training_server.ask("POST", "/api/runs/runs:first/report").json["address"]
    answer = training_server.client.get(address, headers={"Host": "127.0.0.1"})
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-scripts; default-src 'none'")
    assert "allow-same-origin" not in policy
    assert "frame-ancestors 'self'" in policy
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    for headers in ({"Host": "evil.example"}, {"Host": "127.0.0.1", "Sec-Fetch-Site": "cross-site"}):
        assert training_server.client.get(address, headers=headers).status_code == 403
    assert training_server.client.get("/reports/x", headers={"Host": "127.0.0.1"}).status_code == 404
    monkeypatch.setattr(run_routes, "TICKET_SECONDS", 0.0)
    assert training_server.client.get(address, headers={"Host": "127.0.0.1"}).status_code == 404


def test_names_in_a_run_of_somebody_else_are_no_markup(training_server):
    run = make_run(Path("runs/first"))
    name = "<img src=x onerror=alert(1)>"
    line = f'{{"kind": "train", "phase": "{name}", "epoch": 0, "step": 1, "{name}": 1.0, "seconds": {{"run": 1.0}}}}\n'
    (run / "metrics.jsonl").write_text(line, encoding="utf-8")
    charts = str(training_server.ask("GET", "/api/runs/runs:first/curves").json)
    assert "&lt;img" in charts
    assert "<img" not in charts
