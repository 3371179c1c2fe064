"""A server in this process, asked without a network."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import PageUnderTest
from PIL import Image
from werkzeug.datastructures import FileStorage
from werkzeug.test import Client, TestResponse, encode_multipart

from restore import registry
from restore.cli.server import run_board, trainings
from restore.cli.server.serving import RunningServer, ServerOptions, open_server

QUICK = Path(__file__).with_name("quick_training.py")
PLUGIN = Path(__file__).parents[1] / "commands" / "upscaling_plugin.py"
TOKEN = "a-token-for-the-tests"


class Asker:
    """A client that knows the token."""

    def __init__(self, running: RunningServer) -> None:
        self.running = running
        self.client = Client(running.server.app)
        self.headers = {"Host": f"127.0.0.1:{running.server.port}", "Authorization": f"Bearer {TOKEN}"}

    def ask(self, method: str, path: str, *, headers: dict[str, str] | None = None, **rest: Any) -> TestResponse:
        return self.client.open(
            path, method=method, headers={**self.headers, **(headers or {})}, **{"buffered": True, **rest}
        )

    def post(self, path: str, *, image: Path | bytes | None, name: str = "photo.png", **fields: Any) -> TestResponse:
        """Send a form; values that are paths are files."""
        data: dict[str, Any] = {}
        if image is not None:
            content = image if isinstance(image, bytes) else image.read_bytes()
            data["image"] = FileStorage(BytesIO(content), name)
        for field, value in fields.items():
            data[field] = FileStorage(BytesIO(value.read_bytes()), value.name) if isinstance(value, Path) else value
        boundary, body = encode_multipart(data)
        return self.ask("POST", path, data=body, content_type=f"multipart/form-data; boundary={boundary}")

    def follow(self, job: str) -> list[dict[str, Any]]:
        """Return every event of a job until it ends."""
        text = self.ask("GET", f"/api/jobs/{job}/events").get_data(as_text=True)
        return [json.loads(line.removeprefix("data: ")) for line in text.split("\n\n") if line.startswith("data: ")]

    def wait_for_training(self, training: str, *states: str) -> dict[str, Any]:
        """Return a training when it has one of some states."""
        end = time.monotonic() + 60
        while True:
            found: dict[str, Any] = self.ask("GET", f"/api/trainings/{training}").json or {}
            if found["state"] in states:
                return found
            assert time.monotonic() < end, found
            time.sleep(0.02)

    def files(self) -> list[str]:
        """Return the files that the server holds."""
        return sorted(str(path.relative_to(self.running.folder)) for path in self.running.folder.rglob("job-*"))


@pytest.fixture
def make_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Asker]]:
    """Start servers in an empty working directory; ``upscaling_plugin`` is installed beside what restore has."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plugins.toml").write_text(f'paths = ["{PLUGIN}"]\n')
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr("tempfile.tempdir", None)
    registry.reset()
    from contextlib import ExitStack

    with ExitStack() as stack:

        def start(*models: str, **options: Any) -> Asker:
            chosen = ServerOptions(**{"models": models, "token": TOKEN, "device": "cpu", **options})
            return Asker(stack.enter_context(open_server(chosen)))

        yield start
    left = list((tmp_path / "temporary").glob("restore-serve-*"))  # torch may make folders there too
    assert not left, "a server left files behind"
    monkeypatch.setattr("tempfile.tempdir", None)
    registry.reset()


@pytest.fixture
def server(make_server: Callable[..., Asker]) -> Asker:
    """A server of everything at hand."""
    return make_server()


@pytest.fixture
def make_training_server(
    make_server: Callable[..., Asker], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Asker]:
    """Start servers with a folder for runs and one with data; their trainings are those of ``quick_training``."""
    monkeypatch.setattr(trainings, "COMMAND", (sys.executable, str(QUICK)))
    monkeypatch.setattr(run_board, "FRESH", 0.0)
    monkeypatch.setattr(run_board, "PAUSE", 0.1)
    (tmp_path / "runs").mkdir()
    (tmp_path / "photos").mkdir()

    def start(**options: Any) -> Asker:
        return make_server("bicubic", **{"runs": (Path("runs"),), "data": (Path("photos"),), **options})

    return start


@pytest.fixture
def training_server(make_training_server: Callable[..., Asker]) -> Asker:
    """A server that trains."""
    return make_training_server()


@contextmanager
def _serving(server: Asker) -> Iterator[Asker]:
    thread = threading.Thread(target=server.running.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.running.server.shutdown()
    thread.join()


@pytest.fixture
def listening(server: Asker) -> Iterator[Asker]:
    """A server that answers on a port."""
    with _serving(server):
        yield server


@pytest.fixture
def training_listening(training_server: Asker) -> Iterator[Asker]:
    """A server that trains and answers on a port."""
    with _serving(training_server):
        yield training_server


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """An image of noise."""
    values = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)
    Image.fromarray(values).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


@pytest.fixture
def mask(tmp_path: Path) -> Path:
    """A hole in the middle of ``photo``."""
    values = np.zeros((12, 16), np.uint8)
    values[4:8, 5:11] = 255
    Image.fromarray(values).save(tmp_path / "mask.png")
    return tmp_path / "mask.png"


@pytest.fixture
def page(browser: Any, listening: Asker, tmp_path: Path) -> Iterator[PageUnderTest]:
    """The page of a server, open in a browser."""
    page = PageUnderTest(browser, listening, tmp_path / "downloads")
    yield page
    print(page.find("body").text)  # pytest shows it where a test failed
    browser.execute_script("sessionStorage.clear()")
    browser.get("about:blank")


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    """A smooth image with a square in it."""
    down, across = np.mgrid[:60, :90]
    values = np.stack([down * 4, across * 2, 255 - down * 2], -1).astype(np.uint8)
    values[25:35, 40:50] = 255
    Image.fromarray(values).save(tmp_path / "scene.png")
    return tmp_path / "scene.png"
