"""Stands in for ``restore train``: writes what a run writes, epoch by epoch, until it is told to stop.

    python quick_training.py TASK --config=FILE
    python quick_training.py TASK --resume=RUN [--epochs=N]

It fails with seed 13, and from epoch 100 on it waits to be stopped.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

import yaml

from restore.core.runs.lock import RunLock

METRIC = {"name": "psnr", "convention": "Y, border 4"}
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc0000003010100c9fe92ef"
    "0000000049454e44ae426082"
)
REPORT = """<!doctype html><title>report</title><h1>Report</h1><script>
const tried = [];
try { parent.document.title = "mine"; tried.push("page reached"); } catch { tried.push("page refused"); }
try { sessionStorage.length; tried.push("storage reached"); } catch { tried.push("storage refused"); }
fetch("/api/health").then(() => tried.push("server reached"), () => tried.push("server refused"))
  .finally(() => { document.body.dataset.tried = tried.join(", "); });
</script>"""
stopped: list[int] = []


def append(path: Path, **line: Any) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def write_epoch(folder: Path, epoch: int) -> None:
    """Write the lines and the sheet of one epoch."""
    place = {"phase": "only", "epoch": epoch, "step": 10 * epoch + 10}
    seconds = {"run": float(epoch + 1), "step": 0.1, "waited": 0.0}
    append(folder / "metrics.jsonl", kind="train", **place, **{"net/mse": 1 / (epoch + 1)}, seconds=seconds)
    metrics = [{**METRIC, "of": "only", "value": 20.0 + epoch}]
    append(folder / "metrics.jsonl", kind="validation", **place, metrics=metrics, best=True, seconds={})
    (folder / "samples").mkdir(exist_ok=True)
    (folder / "samples" / f"epoch-{epoch + 1:04d}.png").write_bytes(PIXEL)
    print(f"epoch {epoch + 1}", flush=True)


def main(task: str, *words: str) -> int:
    """Train; return the exit status."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: stopped.append(received))
    given = dict(word.removeprefix("--").split("=", 1) for word in words)
    if "config" in given:
        settings = yaml.safe_load(Path(given["config"]).read_text(encoding="utf-8"))
        folder, begun = Path(settings["out"]) / settings["name"], 0
        folder.mkdir()
        epochs = int(settings.get("epochs", 2))
        config = {"run": {"task": task, "device": "cpu"}, "batch_size": 4, **settings, "epochs": epochs}
        (folder / "config.yaml").write_text(yaml.safe_dump(config))
    else:
        folder = Path(given["resume"])
        settings = yaml.safe_load((folder / "config.yaml").read_text())
        begun, epochs = 1, int(given.get("epochs", settings["epochs"]))
    if settings.get("seed") in (13, "13"):
        print("Warning: this will not end well\nError: the data are empty\nGive others", file=sys.stderr)
        return 1
    with RunLock() as lock:
        lock.acquire(folder)
        metrics = [{**METRIC, "better": "higher"}]
        at = "2026-01-01T10:00:00+00:00"
        append(folder / "history.jsonl", kind="started", at=at, changed=[], processes=1, metrics=metrics)
        for epoch in range(begun, min(epochs, 3)):
            write_epoch(folder, epoch)
        while epochs >= 100 and not stopped:
            time.sleep(0.02)
        kind = "interrupted" if stopped else "finished"
        append(folder / "history.jsonl", kind=kind, at=at, seconds=3.0, saved=True)
        (folder / "report.html").write_text(REPORT)
    if stopped:
        print(f"Interrupted: a checkpoint is saved.\nResume with: restore train {task} --resume {folder}", flush=True)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
