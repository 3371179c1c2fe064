"""Fetching one file from a server of our own, good and bad."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from restore.core.errors import RestoreError
from restore.plugins.common.downloading import download

CONTENT = bytes(range(256)) * 5000
NAME = f"weights-{hashlib.sha256(CONTENT).hexdigest()[:8]}.pth"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/missing":
            self.send_error(404)
            return
        self.send_response(200)
        if self.path != "/unknown-length":
            self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[: len(CONTENT) // 2])
        if self.path == "/stalled":
            time.sleep(1.5)
        if self.path not in ("/cut", "/stalled"):
            self.wfile.write(CONTENT[len(CONTENT) // 2 :])

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class says so
        """Nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("page", ["/whole", "/unknown-length"])
def test_a_file_arrives_whole(server: str, tmp_path: Path, page: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = download(server + page, tmp_path / "folder" / NAME)
    assert path.read_bytes() == CONTENT
    assert list(path.parent.iterdir()) == [path]
    told = capsys.readouterr()
    assert told.out == ""
    assert ("(1 MB)" if page == "/whole" else "(size unknown)") in told.err


@pytest.mark.parametrize(
    ("page", "reason"),
    [("/missing", "Not Found"), ("/cut", "ended after|IncompleteRead"), ("/stalled", "timed out")],
)
def test_half_a_file_is_no_file(server: str, tmp_path: Path, page: str, reason: str) -> None:
    with pytest.raises(RestoreError, match=f"could not be downloaded: .*({reason})") as caught:
        download(server + page, tmp_path / NAME, patience=0.3)
    assert str(tmp_path / NAME) in str(caught.value)  # where a copy may be put by hand
    assert list(tmp_path.iterdir()) == []


def test_a_file_with_a_wrong_checksum_is_not_kept(server: str, tmp_path: Path) -> None:
    with pytest.raises(RestoreError, match="checksum"):
        download(f"{server}/whole", tmp_path / "weights-0badc0de.pth")
    assert list(tmp_path.iterdir()) == []


def test_a_dead_network_is_given_up_soon(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/file"
        began = time.monotonic()
        with pytest.raises(RestoreError, match="could not be downloaded: timed out"):
            download(url, tmp_path / NAME, patience=0.3)
        assert time.monotonic() - began < 5
    with pytest.raises(RestoreError, match="could not be downloaded"):
        download(url, tmp_path / NAME, patience=0.3)


def test_a_cache_that_cannot_be_made_names_the_variable_that_chooses_another(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    path = tmp_path / "cache" / "hub" / NAME
    with pytest.raises(RestoreError, match="environment variable TORCH_HOME") as caught:
        download("http://127.0.0.1:9/never-asked", path)
    assert f"copy of http://127.0.0.1:9/never-asked at {path}" in str(caught.value)
