"""The commands of docs/serve.md do what it says."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from restore.cli.app import app
from restore.cli.server.serving import ServerOptions

PAGE = (Path(__file__).parents[3] / "docs" / "serve.md").read_text("utf-8")
EVERY = re.findall(r"^curl .*$", PAGE, re.MULTILINE)
COMMANDS = [command for command in EVERY if "/api/predict/" in command]
TRAINING = [command for command in EVERY if command not in COMMANDS]

RESULTS = {
    "large.png": ["bicubic", "--scale", "2"],
    "filled.png": ["nearest-known", "--mask", "mask.png", "--dilate", "2"],
    "overlay.png": ["otsu", "--outputs", "overlay"],
}


def test_the_page_has_an_example_for_each_kind_of_request():
    assert [command.split()[-1] for command in COMMANDS] == list(RESULTS)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("command", COMMANDS, ids=list(RESULTS))
def test_curl_gets_what_the_command_line_writes(listening, photo, mask, command):
    server = listening.running.server
    line = command.replace("127.0.0.1:8000", f"127.0.0.1:{server.port}")
    done = subprocess.run(
        ["sh", "-c", line], env={"TOKEN": listening.running.token, "PATH": "/usr/bin:/bin"}, timeout=60
    )
    assert done.returncode == 0
    output = command.split()[-1]
    model, *options = RESULTS[output]
    with pytest.raises(SystemExit) as left:
        app(["predict", model, str(photo), *options, "--output", "out"])
    assert left.value.code == 0
    (written,) = Path("out").iterdir()
    assert Path(output).read_bytes() == written.read_bytes()
    assert Image.open(io.BytesIO(written.read_bytes())).size[0] >= 16


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_trains_lists_and_resumes(training_listening):
    server = training_listening.running.server
    assert [command.split()[-1] for command in TRAINING] == ["training.json", "runs.json", "resumed.json"]
    for command in TRAINING:
        line = command.replace("127.0.0.1:8000", f"127.0.0.1:{server.port}")
        environment = {"TOKEN": training_listening.running.token, "PATH": "/usr/bin:/bin"}
        assert subprocess.run(["sh", "-c", line], env=environment, timeout=60).returncode == 0
        answer = json.loads(Path(command.split()[-1]).read_text("utf-8"))
        if "id" in answer:
            assert training_listening.wait_for_training(answer["id"], "finished")["run"] == "runs:first"
        else:
            assert [(run["id"], run["epochs"], run["state"]) for run in answer["runs"]] == [
                ("runs:first", 2, "finished")
            ]


def test_the_limits_of_the_page_are_those_of_the_program():
    options = ServerOptions()
    defaults = {"--queue": options.queue, "--max-megabytes": options.max_bytes / 1e6}
    defaults["--trainings"] = options.trainings
    defaults |= {
        "--max-megapixels": options.max_pixels / 1e6,
        "--max-output-megapixels": options.max_output_pixels / 1e6,
    }
    for name, value in defaults.items():
        assert f"| `{name}` | {value:.0f} |" in PAGE
