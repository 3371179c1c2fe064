"""``restore mos collect``: answers that observers send become files, and nothing else does."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from typer.testing import CliRunner

from restore.cli.app import app
from restore.plugins.opinions import collect_command
from restore.plugins.opinions.collect_command import AnswerServer, read_page

Results = Callable[..., list[str]]


def run(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["mos", *map(str, arguments)])
    return result.exit_code, result.output


@pytest.fixture
def page(tmp_path: Path, results: Results) -> Path:
    path = tmp_path / "study.html"
    assert run("make", *results(images=("a",)), "--post", "/answers", "--output", path)[0] == 0
    return path


@pytest.fixture
def server(tmp_path: Path, page: Path) -> Iterator[AnswerServer]:
    folder = tmp_path / "answers"
    folder.mkdir()
    with AnswerServer(("127.0.0.1", 0), *read_page(page), folder) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def ask(server: AnswerServer, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    reply = connection.getresponse()
    found = reply.status, reply.read()
    connection.close()
    return found


def session(server: AnswerServer, name: str = "ann", **parts: Any) -> bytes:
    study = server.study.model_dump(mode="json")
    ratings = [{"image": "a", "method": "gan", "score": 4, "seconds": 1.5}]
    observer = {"name": name, "session": "x/../../1"}
    whole = {"format": "restore-opinions", "version": 1, "study": study, "observer": observer, "ratings": ratings}
    return json.dumps(whole | parts).encode()


def test_the_page_is_served_and_answers_become_one_file_of_each_session(server: AnswerServer, page: Path) -> None:
    assert ask(server, "GET", "/") == (200, page.read_bytes())
    assert ask(server, "GET", "/study.html")[0] == 404
    for _ in range(2):  # sent twice, counted once
        assert ask(server, "POST", "/answers", session(server, "../ann")) == (200, b"saved")
    (file,) = server.folder.iterdir()
    assert file.name == "-ann-x-1.json"
    assert file.read_bytes() == session(server, "../ann")
    status, output = run("score", server.folder)
    assert status == 0
    assert "1 observer, 1 image" in output


def test_what_is_no_answer_to_this_study_becomes_no_file(server: AnswerServer, monkeypatch: pytest.MonkeyPatch) -> None:
    other = server.study.model_dump(mode="json") | {"id": "other"}
    assert ask(server, "POST", "/answers", b"{}")[0] == 400
    assert ask(server, "POST", "/answers", session(server, study=other))[0] == 409
    assert ask(server, "POST", "/elsewhere", session(server))[0] == 404
    assert ask(server, "POST", "/answers", Content_Length="-1")[0] == 411
    assert ask(server, "POST", "/answers", Content_Length=str(2**40))[0] == 413
    assert list(server.folder.iterdir()) == []
    monkeypatch.setattr(collect_command, "FILE_LIMIT", 0)
    assert ask(server, "POST", "/answers", session(server))[0] == 507
    assert list(server.folder.iterdir()) == []


def test_foreign_names_and_other_pages_are_refused(server: AnswerServer) -> None:
    own = f"127.0.0.1:{server.server_port}"
    for headers in ({"Host": "evil.example"}, {"Host": f"evil.example:{server.server_port}"}, {"Host": "192.168.0.7"}):
        assert ask(server, "GET", "/", **headers)[0] == 403
        assert ask(server, "POST", "/answers", session(server), **headers)[0] == 403
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1"):
        assert ask(server, "POST", "/answers", session(server), Host=own, Origin=origin)[0] == 403
    assert list(server.folder.iterdir()) == []
    for host in (own, f"localhost:{server.server_port}", f"{socket.gethostname()}:80"):
        assert ask(server, "POST", "/answers", session(server), Host=host, Origin=f"http://{host}")[0] == 200


def test_where_other_machines_may_come_addresses_and_further_names_are_known(tmp_path: Path, page: Path) -> None:
    with AnswerServer(("0.0.0.0", 0), *read_page(page), tmp_path, ["lab-3.school.example"]) as server:
        known = {host: server.hosts.knows(host) for host in ("192.168.0.7:1", "lab-3.school.example", "evil.example")}
    assert known == {"192.168.0.7:1": True, "lab-3.school.example": True, "evil.example": False}


def test_the_command_ends_with_ctrl_c_and_says_what_it_has(
    tmp_path: Path, page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(self: AnswerServer) -> None:
        self.saved = 3
        raise KeyboardInterrupt

    monkeypatch.setattr(AnswerServer, "serve_forever", interrupt)
    status, output = run("collect", page, "--output", tmp_path / "answers", "--port", "0")
    assert status == 0
    assert "Image quality: http://127.0.0.1:" in output
    assert f"3 answers saved to {tmp_path / 'answers'}; then: restore mos score" in output


def test_pages_that_cannot_be_collected_from_are_refused(tmp_path: Path, results: Results, page: Path) -> None:
    alone = tmp_path / "alone.html"
    assert run("make", *results(), "--output", alone)[0] == 0
    (tmp_path / "other.html").write_text("<p>hello</p>")
    for file, message in (
        ("alone", "make it again with --post /answers"),
        ("other", "is no page"),
        ("none", "cannot be read"),
    ):
        status, output = run("collect", tmp_path / f"{file}.html", "--output", tmp_path / "answers")
        assert (status, message in output) == (2, True), output
    with AnswerServer(("127.0.0.1", 0), *read_page(page), tmp_path) as busy:
        status, output = run("collect", page, "--output", tmp_path / "answers", "--port", busy.server_port)
    assert (status, "cannot listen on 127.0.0.1" in output) == (2, True)
