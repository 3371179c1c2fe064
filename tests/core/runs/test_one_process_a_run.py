"""A run is trained by one process at a time, its data may move, and a name is free again after a failed start."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from image_files import levels
from PIL import Image
from toy_tasks import OneNetwork, ToySettings, toy_settings

from restore.core import atomic
from restore.core.errors import ResumeError, UsageError
from restore.core.events import Event, Warned
from restore.core.runs import log_table
from restore.core.runs.folder import new_run_folder, read_config
from restore.core.runs.lock import RunLock
from restore.core.runs.log_table import write_log_table
from restore.core.runs.resuming import merge_settings
from restore.core.training.trainer import Trainer

HOLD = """
import sys, time
from pathlib import Path
from restore.core.runs.lock import RunLock
with RunLock() as lock:
    lock.acquire(Path(sys.argv[1]))
    print("held", flush=True)
    time.sleep(60)
"""


def train(settings: ToySettings, *listeners: object, resume: Path | None = None) -> Path:
    return Trainer(OneNetwork, settings, name="toy/toy", listeners=listeners, resume=resume).fit().folder  # type: ignore[arg-type]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks")
def test_a_run_is_refused_to_a_second_process_and_free_when_the_first_is_killed(tmp_path: Path) -> None:
    folder = train(toy_settings(tmp_path, epochs=1))
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        before = sorted(folder.rglob("*"))
        with pytest.raises(UsageError, match=rf"another process is training this run \(process {holder.pid} on "):
            train(toy_settings(tmp_path, epochs=2), resume=folder)
        assert sorted(folder.rglob("*")) == before
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        holder.stdout.close()  # type: ignore[union-attr]
    assert train(merge_settings(ToySettings, folder, {"epochs": 2}), resume=folder) == folder


def test_the_lock_is_given_back_when_a_run_ends_or_fails(tmp_path: Path) -> None:
    with RunLock() as lock:
        lock.acquire(tmp_path)
        assert (tmp_path / ".lock").read_text().startswith(f"process {os.getpid()} on ")
    with RunLock() as again:
        again.acquire(tmp_path)


def images(folder: Path, count: int = 3) -> Path:
    folder.mkdir()
    for index in range(count):
        Image.fromarray(levels(8, 8, seed=index)).save(folder / f"{index}.png")
    return folder


def test_data_may_move_but_must_stay_the_same(tmp_path: Path) -> None:
    data = images(tmp_path / "a")
    folder = train(toy_settings(tmp_path, epochs=1, data=data))
    moved = data.rename(tmp_path / "b")
    with pytest.raises(UsageError, match=r"--data .*a: no such file or folder; if the data moved, "):
        train(merge_settings(ToySettings, folder, {"epochs": 2}), resume=folder)
    changes: dict[str, object] = {"epochs": 2, "data": moved}
    assert train(merge_settings(ToySettings, folder, changes), resume=folder) == folder
    assert read_config(folder)["data"] == str(moved)
    for other, change in (("more", 4), ("fewer", 2)):
        with pytest.raises(ResumeError, match="these are not the data of"):
            train(merge_settings(ToySettings, folder, {"data": images(tmp_path / other, change)}), resume=folder)
    same_names = images(tmp_path / "same")
    Image.fromarray(levels(8, 8, seed=9)).save(same_names / "1.png")
    with pytest.raises(ResumeError, match="content differ"):
        train(merge_settings(ToySettings, folder, {"data": same_names}), resume=folder)


def test_a_name_is_free_again_if_the_run_ended_before_its_first_checkpoint(tmp_path: Path) -> None:
    settings = toy_settings(tmp_path, epochs=1, name="mine")

    def fail(event: Event) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(settings, fail)
    assert (tmp_path / "mine" / "config.yaml").exists()
    events: list[Event] = []
    folder = train(settings, events.append)
    assert [event.message for event in events if isinstance(event, Warned)] == [
        f"{folder} held a run that ended before its first checkpoint; it is replaced"
    ]
    with pytest.raises(UsageError, match="already exists; continue it with --resume"):
        train(settings)


def test_what_a_person_put_into_a_folder_is_never_replaced(tmp_path: Path) -> None:
    settings = toy_settings(tmp_path, name="mine")
    folder = new_run_folder(settings, "toy/toy")
    folder.config.write_text("run: {task: toy/toy}\n")
    (folder.path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="already exists"):
        new_run_folder(settings, "toy/toy")
    assert (folder.path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("damage", [b"[", b"\xff\xfe", b'{"kind": "validation"}', b"null", b'{"kind": 3'])
def test_a_damaged_line_of_the_log_does_not_end_a_resumed_run(
    tmp_path: Path, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    log, table = tmp_path / "metrics.jsonl", tmp_path / "log.csv"
    good = b'{"kind": "validation", "epoch": 0, "step": 4, "phase": "only", "metrics": []}'
    log.write_bytes(b"\n".join([good, damage, good.replace(b'"epoch": 0', b'"epoch": 1')]) + b"\n")
    log_table._warn_of_damage.cache_clear()
    for _ in range(2):
        write_log_table(log, table)
    assert [line.split(",")[0] for line in table.read_text().splitlines()] == ["epoch", "1", "2"]
    assert caplog.text.count("line 2 is damaged and left out") == 1


@pytest.mark.parametrize(
    "config", ["seed: 2001-99-99", "seed: !!float x", "seed: !!timestamp x", "seed: " + "[" * 3000, "seed: &a [*a]"]
)
def test_a_damaged_config_is_named(tmp_path: Path, config: str) -> None:
    (tmp_path / "config.yaml").write_text(config)
    with pytest.raises(UsageError, match=r"config\.yaml cannot be read"):
        read_config(tmp_path)


@pytest.mark.parametrize("number", [22, 95, 38, 13, 1])  # EINVAL, ENOTSUP, ENOSYS, EACCES, EPERM
def test_a_folder_that_cannot_be_flushed_is_no_error(
    tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fsync

    def fsync(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(number, os.strerror(number))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    with atomic.atomic_write(tmp_path / "file") as temporary:
        temporary.write_text("content")
    assert (tmp_path / "file").read_text() == "content"
    folder = train(toy_settings(tmp_path, epochs=1))
    assert list((folder / "checkpoints").glob("step-*"))


@pytest.mark.skipif(os.name != "posix", reason="there are no such modes")
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0, 0o666), (0o077, 0o600)])
def test_weights_and_checkpoints_get_the_mode_that_the_umask_says(tmp_path: Path, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        folder = train(toy_settings(tmp_path, epochs=1))
    finally:
        os.umask(before)
    files = [path for path in folder.rglob("*") if path.suffix in (".safetensors", ".json", ".yaml", ".csv")]
    assert len(files) > 5
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {mode}
