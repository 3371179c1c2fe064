"""Runs and trainings over HTTP: listed, followed, started, stopped, resumed."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from restore.cli.server import trainings as trainings_module

PATIENCE = 60.0


class Events:
    """The stream of what changes, read in a thread of its own."""

    def __init__(self, server) -> None:
        self.states: list[dict[str, Any]] = []
        self.ended = False
        self._changed = threading.Condition()
        answer = server.ask("GET", "/api/runs/events", buffered=False)
        assert answer.content_type == "text/event-stream; charset=utf-8"
        self._thread = threading.Thread(target=self._read, args=[answer.response], daemon=True)
        self._thread.start()

    def _read(self, parts) -> None:
        for part in parts:
            if part.startswith(b"data: "):
                with self._changed:
                    self.states.append(json.loads(part.removeprefix(b"data: ")))
                    self._changed.notify_all()
        with self._changed:
            self.ended = True
            self._changed.notify_all()

    def wait_for(self, condition: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """Return the first state, from now or from before, for which a condition holds."""
        with self._changed:
            assert self._changed.wait_for(lambda: any(map(condition, self.states)), PATIENCE), self.states[-1:]
            return next(filter(condition, self.states))

    def wait_until_ended(self) -> None:
        """Return when the server has closed the stream."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.ended, PATIENCE)


def send(server, path: str, **fields: str):
    """Send a form."""
    return server.ask("POST", path, data=fields, content_type="multipart/form-data")


def start(server, **fields: str):
    return send(server, "/api/train/twice", **{"name": "first", **fields})


def test_a_training_is_started_followed_and_listed(training_server):
    server = training_server
    answer = start(server, epochs="3", data="photos")
    assert answer.status_code == 202
    training = answer.json
    assert (training["task"], training["run"]) == ("upscaling_plugin/twice", "runs:first")
    assert answer.headers["Location"] == f"/api/trainings/{training['id']}"
    assert server.wait_for_training(training["id"], "finished", "failed")["state"] == "finished"
    settings = yaml.safe_load(Path("runs/first/config.yaml").read_text(encoding="utf-8"))
    assert settings["data"] == str(Path("photos").absolute())
    listed = server.ask("GET", "/api/runs").json
    (run,) = listed["runs"]
    assert (run["id"], run["name"], run["state"], run["epochs"], run["of_epochs"]) == (
        "runs:first",
        "first",
        "finished",
        3,
        3,
    )
    assert (run["sheet"], run["report"]) == (3, True)
    (metric,) = run["metrics"]
    assert (metric["name"], metric["convention"], metric["of"], metric["value"]) == (
        "psnr",
        "Y, border 4",
        "only",
        22.0,
    )
    assert run["bytes"] > 500
    assert "path" not in run
    lines = server.ask("GET", f"/api/trainings/{training['id']}/lines?after=1").json
    assert lines == {"lines": ["epoch 2", "epoch 3"], "written": 3}
    curves = server.ask("GET", "/api/runs/runs:first/curves").json["groups"]
    assert [group["heading"] for group in curves] == ["Validation", "Training losses"]
    assert "<svg" in curves[0]["charts"][0]
    sheet = server.ask("GET", "/api/runs/runs:first/samples/3")
    assert (sheet.content_type, sheet.data[:4]) == ("image/png", b"\x89PNG")
    assert server.ask("GET", "/api/runs/runs:first/samples/9").status_code == 404
    assert [path.name for path in server.running.folder.glob("training-*")] == []


def test_what_happens_arrives_as_events_and_only_what_changed(training_server):
    server = training_server
    events = Events(server)
    first = events.wait_for(lambda state: True)
    assert (first["runs"], first["order"], first["folders"]) == ([], [], ["runs"])
    training = start(server, epochs="100").json["id"]
    state = events.wait_for(
        lambda state: any(run["state"] == "running" and run["epochs"] == 3 for run in state["runs"])
    )
    assert state["order"] == ["runs:first"]
    assert state["trainings"][0]["state"] == "running"
    assert server.ask("DELETE", f"/api/trainings/{training}").status_code == 204
    state = events.wait_for(lambda state: any(run["ending"] == "interrupted" for run in state["runs"]))
    ended = events.wait_for(lambda state: state["trainings"] and state["trainings"][0]["state"] == "interrupted")
    assert ended["trainings"][0]["message"].startswith("Interrupted: a checkpoint is saved.")
    before = len(events.states)
    start(server, name="second", epochs="1")
    state = events.wait_for(lambda state: state["order"] == ["runs:first", "runs:second"])
    assert [run["id"] for later in events.states[before:] for run in later["runs"] if run["id"] == "runs:first"] == []


@pytest.mark.slow
def test_a_run_of_another_process_is_followed_and_one_that_goes_away_is_taken_out(training_server, tmp_path):
    import shutil
    import subprocess

    (tmp_path / "settings.yaml").write_text("out: runs\nname: elsewhere\nepochs: 100\n")
    events = Events(training_server)
    with subprocess.Popen(
        [*trainings_module.COMMAND, "upscaling_plugin/twice", "--config=settings.yaml"], cwd=tmp_path
    ) as other:
        try:
            events.wait_for(lambda state: any(run["state"] == "running" for run in state["runs"]))
        finally:
            other.terminate()
    events.wait_for(lambda state: any(run["state"] == "stopped" for run in state["runs"]))
    seen = len(events.states)
    shutil.rmtree("runs/elsewhere")
    events.wait_for(lambda state: state in events.states[seen:] and state["order"] == [])


def test_trainings_wait_for_one_another_and_too_many_are_refused(make_training_server, monkeypatch):
    server = make_training_server()
    monkeypatch.setattr(server.running.trainings, "limits", trainings_module.TrainingLimits(waiting=1))
    events = Events(server)
    start(server, epochs="100")
    events.wait_for(lambda state: any(run["state"] == "running" for run in state["runs"]))
    second = start(server, name="second").json
    assert (second["state"], second["ahead"]) == ("waiting", 0)
    refused = start(server, name="third")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "2")
    again = server.ask("POST", "/api/runs/runs:first/resume")
    assert again.status_code == 429
    server.ask("DELETE", f"/api/trainings/{second['id']}")
    assert server.wait_for_training(second["id"], "interrupted")["message"] == "It had not begun."
    busy = server.ask("POST", "/api/runs/runs:first/resume")
    assert busy.status_code == 400
    assert "another process is training this run" in busy.json["error"]
    assert not Path("runs/second").exists()


def test_a_training_that_fails_shows_its_one_message(training_server):
    training = start(training_server, seed="13").json["id"]
    found = training_server.wait_for_training(training, "failed")
    assert found["message"] == "the data are empty\nGive others"
    assert training_server.ask("DELETE", f"/api/trainings/{training}").status_code == 204
    assert training_server.ask("GET", f"/api/trainings/{training}").status_code == 404


def test_an_interrupted_run_is_resumed_with_more_epochs(training_server):
    server = training_server
    server.wait_for_training(start(server, epochs="2").json["id"], "finished")
    resumed = send(server, "/api/runs/runs:first/resume", epochs="3")
    assert resumed.status_code == 202
    assert resumed.json["resumed"] is True
    server.wait_for_training(resumed.json["id"], "finished")
    assert server.ask("GET", "/api/runs/runs:first").json["epochs"] == 3
    for wrong in ("many", "-1", "²"):
        assert send(server, "/api/runs/runs:first/resume", epochs=wrong).status_code == 400


def test_the_end_of_the_server_interrupts_its_trainings_and_pages_hear_of_it(training_server):
    server = training_server
    events = Events(server)
    training = start(server, epochs="100").json["id"]
    waiting = start(server, name="second").json["id"]
    events.wait_for(lambda state: any(run["state"] == "running" for run in state["runs"]))
    server.running.trainings.close()
    server.running.board.look()
    found = {each["id"]: each["state"] for each in server.ask("GET", "/api/runs").json["trainings"]}
    assert found == {training: "interrupted", waiting: "interrupted"}
    events.wait_for(lambda state: any(run["ending"] == "interrupted" for run in state["runs"]))
    assert start(server, name="third").status_code == 429


@pytest.mark.slow
def test_a_training_that_does_not_end_is_killed(training_server, monkeypatch, tmp_path):
    stubborn = tmp_path / "stubborn.py"
    stubborn.write_text(
        "import signal, time\nfor number in (signal.SIGTERM, signal.SIGINT): signal.signal(number, signal.SIG_IGN)\n"
        "print('deaf', flush=True)\ntime.sleep(600)\n"
    )
    monkeypatch.setattr(trainings_module, "COMMAND", (sys.executable, str(stubborn)))
    monkeypatch.setattr(trainings_module, "KILL", 0.2)
    training = start(training_server).json["id"]
    end = time.monotonic() + PATIENCE
    while not training_server.ask("GET", f"/api/trainings/{training}/lines").json["written"]:
        assert time.monotonic() < end
        time.sleep(0.02)
    training_server.running.trainings.close(grace=0.1)
    assert training_server.wait_for_training(training, "interrupted")["message"].startswith(
        "The process ended with signal 9"
    )


def test_the_form_of_a_task_has_its_settings_and_no_paths(training_server):
    described = training_server.ask("GET", "/api/tasks").json
    assert described["data"] == ["photos"]
    assert "twice" in {task["id"] for task in described["tasks"]}
    assert "bicubic" not in {task["id"] for task in described["tasks"]}
    form = training_server.ask("GET", "/api/tasks/srgan").json
    fields = {field["name"]: field for field in form["fields"]}
    assert fields["data"]["choices"] == ["photos"]
    assert fields["epochs"]["kind"] == "integer"
    assert fields["perceptual.weights"]["choices"] == ["auto", "imagenet", "random"]
    assert "srgan/compact" in fields["model.architecture"]["choices"]
    assert fields["adversarial.generator.betas"]["default"] == "0.9 0.999"
    assert "model.architecture" in form["names"]
    assert not {"out", "init_from", "listener", "track", "metric", "monitor"} & fields.keys()
    assert form["schema"]["properties"]["epochs"]
    other = training_server.ask("GET", "/api/tasks/srgan?model.architecture=srgan/rrdbnet").json
    own = {field["name"] for field in other["fields"]} - fields.keys()
    assert own
    assert all(name.startswith("model.") for name in own)
    assert training_server.ask("GET", "/api/tasks/srgn").json["error"].startswith("no task to train is called 'srgn'")


def test_several_values_and_settings_of_an_architecture_are_read_as_on_the_command_line(training_server):
    fields = {"model.architecture": "srgan/compact", "model.channels": "8", "adversarial.generator.betas": "0.5 0.9"}
    answer = send(training_server, "/api/train/srgan", name="small", loss="common/l1 common/mse", **fields)
    assert answer.status_code == 202, answer.json
    training_server.wait_for_training(answer.json["id"], "finished")
    settings = yaml.safe_load(Path("runs/small/config.yaml").read_text(encoding="utf-8"))
    assert settings["model"] == {"architecture": "srgan/compact", "channels": "8"}
    assert settings["adversarial"]["generator"]["betas"] == ["0.5", "0.9"]
    assert settings["loss"] == ["common/l1", "common/mse"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"epochs": "0"}, "epochs: should be greater than or equal to 1 (got 0, from the form)"),
        ({"epoch": "3"}, "epoch: no such field; did you mean"),
        ({"name": "first"}, "there is a run called 'first' already"),
    ],
)
def test_wrong_settings_are_one_message_before_anything_starts(training_server, fields, message):
    Path("runs/first").mkdir()
    answer = start(training_server, **{"name": "second", **fields})
    assert answer.status_code == 400
    assert message in answer.json["error"]
    assert training_server.ask("GET", "/api/runs").json["trainings"] == []
    assert [path.name for path in training_server.running.folder.iterdir()] == [".lock"]


def test_without_a_folder_or_with_no_trainings_none_starts(make_server, make_training_server):
    closed = make_training_server(trainings=0)
    assert start(closed).json["error"] == "this server starts no trainings; it was started with --trainings 0"
    without = make_server("bicubic")
    assert start(without).json["error"] == "this server has no folder for runs; start it with --runs DIR"
    assert without.ask("GET", "/api/runs").json == {"folders": [], "runs": [], "problems": [], "trainings": []}


def test_a_damaged_run_is_a_problem_and_hides_no_other(training_server):
    training_server.wait_for_training(start(training_server).json["id"], "finished")
    Path("runs/broken").mkdir()
    Path("runs/broken/config.yaml").write_text("a: [", encoding="utf-8")
    listed = training_server.ask("GET", "/api/runs").json
    assert [run["name"] for run in listed["runs"]] == ["first"]
    assert "broken/config.yaml cannot be read" in listed["problems"][0]
