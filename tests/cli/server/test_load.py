"""Many clients at once: every request is answered or refused, nothing is lost, memory stays."""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from io import BytesIO
from pathlib import Path

import pytest
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

CLIENTS, REQUESTS = 50, 500


def resident() -> int:
    """Memory of this process in bytes."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * 4096


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_fifty_clients_get_an_answer_or_are_told_to_come_back(listening, photo, mask):
    requests = []
    for number in range(REQUESTS):
        model = ("bicubic", "nearest-known", "otsu", "repeat", "identity")[number % 5]
        content = b"no image" if number % 19 == 0 else photo.read_bytes()
        fields: dict[str, object] = {"image": FileStorage(BytesIO(content), f"{number}.png")}
        if model == "nearest-known":
            fields["mask"] = FileStorage(BytesIO(mask.read_bytes()), "mask.png")
        if number % 17 == 0:
            fields["no_such_field"] = "x"
        boundary, body = encode_multipart(fields)
        requests.append((number, model, boundary, body))
    answers: dict[int, int] = {}
    refused: Counter[int] = Counter()
    sizes: list[int] = []

    def ask(number: int, model: str, boundary: str, body: bytes) -> int:
        request = urllib.request.Request(f"{listening.running.url}/api/predict/{model}", data=body, method="POST")
        request.add_header("Authorization", f"Bearer {listening.running.token}")
        request.add_header("Content-Type", f"multipart/form-data; boundary={boundary}")
        while True:
            try:
                with urllib.request.urlopen(request, timeout=120) as answer:
                    assert answer.read(4) in (b"\x89PNG", b"PK\x03\x04")
                    return int(answer.status)
            except urllib.error.HTTPError as error:
                with error:
                    if error.code != 429:
                        return error.code
                refused[429] += 1
                time.sleep(0.1)

    def work() -> None:
        while requests:
            try:
                number, *rest = requests.pop()
            except IndexError:
                return
            answers[number] = ask(number, *rest)
            if len(answers) % 50 == 0:
                sizes.append(resident())

    clients = [threading.Thread(target=work) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    wanted = {
        number: 400 if number % 17 == 0 else 422 if number % 19 == 0 else 200 for number in range(REQUESTS)
    }  # a wrong field is found before the file is looked at
    assert answers == wanted
    assert refused[429] > 0, "the queue was never full"
    end = time.monotonic() + 20
    while listening.files() or listening.running.queue._jobs:  # the last answers may still be closing
        assert time.monotonic() < end, "a job stayed"
        time.sleep(0.05)
    assert max(sizes[2:]) - min(sizes[2:]) < 100e6, sizes
