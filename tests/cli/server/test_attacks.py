"""What strangers and other web pages may try; docs/serve.md lists these attacks."""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
import time
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from restore.cli.server import listening as listening_module
from restore.cli.server.uploads import clean_name


def send(server, request: bytes, *, timeout: float = 20.0) -> bytes:
    """Send bytes to the port; return everything that comes back."""
    with socket.create_connection(("127.0.0.1", server.running.server.port), timeout=timeout) as connection:
        connection.sendall(request)
        return receive(connection)


def receive(connection: socket.socket) -> bytes:
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def status_of(answer: bytes) -> int:
    """Return the status; an answer to what is no HTTP has no header, only a line that begins with it."""
    return int(answer.split(b" ", 2)[1] if answer.startswith(b"HTTP/") else answer.split(b" ", 1)[0])


# --- who asks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "192.168.0.7", ""])
def test_a_foreign_host_name_is_refused_as_dns_rebinding_would_bring_it(server, host):
    for path in ("/", "/api/models", "/api/health"):
        answer = server.ask("GET", path, headers={"Host": host})
        assert answer.status_code == 403
        assert "does not answer to the name" in answer.json["error"]


def test_half_an_address_is_refused_too(listening):
    # as bytes: the client of older versions of Werkzeug fails at such a name itself
    answer = send(listening, b"GET /api/models HTTP/1.1\r\nHost: [::1\r\n\r\n")
    assert status_of(answer) == 403
    assert b"does not answer to the name '[::1'" in answer


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:8000", "LOCALHOST"])
def test_the_names_of_this_machine_are_known(server, host):
    assert server.ask("GET", "/api/models", headers={"Host": host}).status_code == 200


def test_an_address_in_digits_is_known_where_other_machines_may_come(make_server):
    server = make_server("bicubic", host="0.0.0.0", allow_host=("images.example",))
    for host, status in {"192.168.0.7:1": 200, "images.example": 200, "evil.example": 403}.items():
        assert server.ask("GET", "/api/models", headers={"Host": host}).status_code == status


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:3000"},  # another program on this machine
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_requests_that_other_pages_forge_are_refused(server, headers):
    answer = server.ask("POST", "/api/predict/bicubic", headers=headers, data={"image": (BytesIO(b""), "a.png")})
    assert answer.status_code == 403
    assert "other web pages" in answer.json["error"]
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert server.files() == []


def test_the_own_page_may_ask(server):
    origin = {"Origin": f"http://127.0.0.1:{server.running.server.port}", "Sec-Fetch-Site": "same-origin"}
    assert server.ask("GET", "/api/models", headers=origin).status_code == 200


@pytest.mark.parametrize(
    "value", ["", "Bearer", "Bearer wrong", "Basic a-token-for-the-tests", "Bearer a-token-for-the-test"]
)
@pytest.mark.parametrize("path", ["/api/models", "/api/openapi.json", "/api/jobs/x", "/api/jobs/x/files/0"])
def test_nothing_is_told_without_the_token(server, path, value):
    answer = server.ask("GET", path, headers={"Authorization": value})
    assert answer.status_code == 401
    assert "Authorization: Bearer TOKEN" in answer.json["error"]
    assert answer.headers["WWW-Authenticate"].lower().startswith("bearer")


def test_a_cookie_or_the_address_is_no_token(server):
    host = {"Host": "127.0.0.1"}
    assert server.client.get("/api/models?token=a-token-for-the-tests", headers=host).status_code == 401
    assert (
        server.client.get("/api/models", headers={**host, "Cookie": "token=a-token-for-the-tests"}).status_code == 401
    )


def test_every_answer_has_the_headers_that_protect_the_page(server):
    for path in ("/", "/api/models", "/nowhere"):
        headers = server.ask("GET", path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Cache-Control"] == "no-store"
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert set(re.findall(r"https?:|'self'|blob:|'none'|\*", policy)) == {"'none'", "'self'", "blob:"}


# --- paths ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/static/../serving.py", "/static/..%2fserving.py", "/static/%2e%2e/serving.py", "/static//etc/passwd",
        "/static/..%5cserving.py", "/../../etc/passwd", "/api/jobs/../models/files/0", "/api/predict/../../etc",
        "/static/index.html%00.js", "/api/jobs/x/files/-1", "/api/jobs/x/files/../../0",
    ],
)  # fmt: skip
def test_no_path_leads_out(listening, path):
    token = f"Authorization: Bearer {listening.running.token}"
    answer = send(listening, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{token}\r\n\r\n".encode())
    assert status_of(answer) == 404
    assert b"root:" not in answer
    assert b"def open_server" not in answer


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\win.ini", "win.ini"),
        ("/", "image"),
        ("", "image"),
        ("..", "image"),
        (".png", "png"),
        ("a\0b\r\nSet-Cookie: x.png", "abSet-Cookie x.png"),
        ("gpj.\u202egnp.png", "gpj.gnp.png"),
        ("e\u0301.png", "\u00e9.png"),
        ("\ud800.png", "png"),
        ('<img src=x onerror="alert(1)">.png', "img src=x onerror=alert(1).png"),
        ("图像 🎨.png", "图像 🎨.png"),
        ("x" * 5000 + ".png", "x" * 117 + ".png"),
    ],
)
def test_names_of_uploads_are_cleaned(given, kept):
    assert clean_name(given) == kept


def test_a_strange_name_is_only_a_name(server, photo):
    answer = server.post("/api/predict/bicubic", image=photo, name="../../../../tmp/owned <b>.png")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="owned b.png"'
    assert not Path("/tmp/owned.png").exists()


# --- what is uploaded -------------------------------------------------------------------------------------------------

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def png_that_declares(width: int, height: int) -> bytes:
    """A PNG of few bytes that says to be large."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (SVG, "is a vector drawing (SVG)"),
        (b"<!doctype html><script>alert(1)</script>", "is a web page (HTML)"),
        (b"", "is empty"),
        (b"PK\x03\x04" + b"\0" * 50, "is a ZIP archive"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n(ls) run", "is a PostScript document"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "photo.png: "),
        (png_that_declares(60000, 60000), "too large: 60000 x 60000 pixels"),
        (png_that_declares(9000, 9000), "this server takes 50 million (--max-megapixels)"),
    ],
)  # fmt: skip
def test_what_is_no_image_or_a_bomb_is_one_message(server, content, message):
    for path in ("/api/predict/bicubic", "/api/queue/bicubic"):
        answer = server.post(path, image=content)
        assert answer.status_code == 422
        assert message in answer.json["error"]
        assert "Traceback" not in answer.get_data(as_text=True)
        assert str(server.running.folder) not in answer.json["error"]
    assert server.files() == []


def test_a_result_that_would_be_a_bomb_is_refused(make_server, photo):
    server = make_server("bicubic", max_output_pixels=1000)
    answer = server.post("/api/predict/bicubic", image=photo, scale="3")
    assert answer.status_code == 422
    assert "--max-output-megapixels" in answer.json["error"]
    assert server.post("/api/predict/bicubic", image=photo, scale="1", output_scale="3").status_code == 422
    assert server.post("/api/predict/bicubic", image=photo, scale="2").status_code == 200


CUT_OFF = b"--b\r\nContent-Disposition: form-data; name=image; filename=a\r\n\r\nx"


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/json", b"{}", 415),
        ("application/x-www-form-urlencoded", b"image=x", 415),
        ("image/png", b"\x89PNG", 415),
        ("text/plain", b"", 415),
        ("multipart/form-data", b"", 400),
        ("multipart/form-data; boundary=b", b"nothing", 400),
        (
            "multipart/form-data; boundary=b",
            b"--b\r\nContent-Disposition: form-data; name=image; filename=a\r\n\r\nx",
            400,
        ),
    ],
)
def test_wrong_content_types_and_broken_forms_are_refused(server, kind, body, status):
    answer = server.ask("POST", "/api/predict/bicubic", data=body, content_type=kind)
    assert answer.status_code == status
    assert answer.json["error"]
    assert server.files() == []


def test_large_requests_many_parts_and_long_texts_are_refused(make_server, photo):
    server = make_server("bicubic", max_bytes=3_000_000)
    assert server.post("/api/predict/bicubic", image=b"x" * 3_000_000).status_code == 413
    assert server.post("/api/predict/bicubic", image=photo, scale="9" * 1_200_000).status_code == 413
    many = {f"field{number}": "x" for number in range(300)}
    assert server.post("/api/predict/bicubic", image=photo, **many).status_code == 413
    assert server.files() == []


def test_two_images_in_one_request_are_refused(server, photo):
    data = {"image": [(BytesIO(photo.read_bytes()), name) for name in ("a.png", "b.png")]}
    answer = server.ask("POST", "/api/predict/bicubic", data=data, content_type="multipart/form-data")
    assert (answer.status_code, answer.json["error"][:23]) == (400, "image: one file a reque")


def test_a_page_gets_results_as_downloads_of_their_type(server, photo):
    job = server.post("/api/queue/bicubic", image=photo, name="a.html").json["id"]
    server.follow(job)
    answer = server.ask("GET", f"/api/jobs/{job}/files/0")
    assert answer.content_type == "image/png"
    assert answer.headers["Content-Disposition"].startswith("attachment")


# --- how it is sent ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"X: a\r\n" * 500 + b"\r\n",
        b"\0\1\2\3\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
    ],
    ids=["long path", "long header", "many headers", "no HTTP", "unknown version"],
)
def test_huge_headers_and_nonsense_end_the_connection_and_nothing_else(listening, photo, request_line):
    answer = send(listening, request_line)
    assert answer == b"" or status_of(answer) >= 400
    assert listening.post("/api/predict/bicubic", image=photo).status_code == 200


def post_header(server, length: int) -> bytes:
    return (
        f"POST /api/predict/bicubic HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {server.running.token}\r\n"
        f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


def test_slow_headers_and_slow_bodies_are_cut_off(listening, photo, monkeypatch):
    monkeypatch.setattr(listening_module, "GRACE", 0.3)
    for beginning in (b"GET / HTTP/1.1\r\n", post_header(listening, 10_000)):
        with socket.create_connection(("127.0.0.1", listening.running.server.port), timeout=20) as connection:
            connection.sendall(beginning)
            began = time.monotonic()
            try:
                while time.monotonic() < began + 15:
                    connection.sendall(b"X")
                    time.sleep(0.05)
            except OSError:
                pass
            assert time.monotonic() - began < 15, "the server waited"
    assert listening.files() == []
    assert listening.post("/api/predict/bicubic", image=photo).status_code == 200


def test_more_connections_than_allowed_are_told_to_come_back(listening, monkeypatch):
    monkeypatch.setattr(listening.running.server, "_free", threading.BoundedSemaphore(2))
    port = listening.running.server.port
    held = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(2)]
    time.sleep(0.3)
    answer = send(listening, b"")
    assert status_of(answer) == 503
    assert json.loads(answer.split(b"\r\n\r\n")[1])["error"]
    for connection in held:
        connection.close()
    end = time.monotonic() + 20
    while status_of(send(listening, b"GET /api/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")) == 503:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_full_queue_answers_429_before_it_reads_the_body(make_server, photo):
    server = make_server("bicubic", queue=1)
    with server.running.queue.reserve():
        answer = server.post("/api/predict/bicubic", image=photo)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2")
    assert server.post("/api/predict/bicubic", image=photo).status_code == 200


def test_a_client_that_leaves_cancels_its_work(listening, tmp_path, monkeypatch):
    Image.new("RGB", (64, 64)).save(tmp_path / "photo.png")
    began, go_on = threading.Event(), threading.Event()
    queue = listening.running.queue
    original = queue.report

    def report(job, done, total):
        if total:
            began.set()
            go_on.wait(20)
        original(job, done, total)

    monkeypatch.setattr(queue, "report", report)
    body = (
        b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
        + (tmp_path / "photo.png").read_bytes()
        + b"\r\n--b--\r\n"
    )
    with socket.create_connection(("127.0.0.1", listening.running.server.port), timeout=20) as connection:
        connection.sendall(post_header(listening, len(body)) + body)
        assert began.wait(20)
        (job,) = queue._jobs.values()
    end = time.monotonic() + 20
    while job.state != "canceled":
        assert time.monotonic() < end
        time.sleep(0.02)
    go_on.set()
    while listening.files():
        assert time.monotonic() < end
        time.sleep(0.02)
    assert not queue._jobs
