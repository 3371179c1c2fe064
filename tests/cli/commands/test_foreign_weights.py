"""Weights of other projects are used as they are: ``restore predict FILE.pth`` and ``restore evaluate FILE.pth``."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from restore.cli.cache import cache_folder
from restore.cli.completing import completing
from restore.cli.foreign_weights import convert_to_cache
from restore.cli.published_weights import find_published


def msrresnet(channels=4, blocks=1):
    """The state of a small MSRResNet, by the names of BasicSR."""
    generator = torch.Generator().manual_seed(0)
    state = {}

    def conv(name, out, into):
        state[f"{name}.weight"] = torch.randn(out, into, 3, 3, generator=generator) * 0.1
        state[f"{name}.bias"] = torch.zeros(out)

    conv("conv_first", channels, 3)
    for block in range(blocks):
        conv(f"body.{block}.conv1", channels, channels)
        conv(f"body.{block}.conv2", channels, channels)
    conv("upconv1", channels * 4, channels)
    conv("conv_hr", channels, channels)
    conv("conv_last", 3, channels)
    return state


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """The cache of converted checkpoints is empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def published(tmp_path):
    torch.save({"params_ema": msrresnet()}, tmp_path / "net.pth")
    return "net.pth"


def test_a_checkpoint_is_used_in_one_step_and_said_in_one_line(restore, photo, published):
    status, out, err = restore("predict", published, photo(), "--output", "out")
    assert status == 0
    assert out.endswith("(16 x 12)\n")
    (line,) = err.splitlines()
    assert line.startswith("net.pth: srgan/msrresnet, x2, 1,259 parameters, sha256 ")


def test_the_second_time_it_comes_from_the_cache(restore, photo, published):
    restore("predict", published, photo(), "--output", "out")
    (cached,) = cache_folder("converted").iterdir()
    before = cached.stat().st_mtime_ns
    status, _, err = restore("predict", published, photo(), "--output", "out2")
    assert (status, len(err.splitlines())) == (0, 1)
    assert cached.stat().st_mtime_ns == before


def test_a_damaged_file_in_the_cache_is_replaced(restore, photo, published):
    restore("predict", published, photo(), "--output", "out")
    (cached,) = cache_folder("converted").iterdir()
    cached.write_bytes(b"damaged")
    assert restore("predict", published, photo(), "--output", "out2")[0] == 0
    assert cached.stat().st_size > 1000


@pytest.mark.parametrize("blocked", ["a file", "no folder"])
def test_a_cache_that_cannot_be_written_is_no_obstacle(restore, photo, published, tmp_path, monkeypatch, blocked):
    (tmp_path / "blocked").write_text("a file")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "blocked") if blocked == "a file" else "/proc/none")
    status, out, err = restore("predict", published, photo(), "--output", "out")
    assert status == 0
    assert "(16 x 12)" in out
    assert "XDG_CACHE_HOME chooses another folder" in err


def test_it_is_measured_in_one_step_beside_a_classical_method(restore, published, photo, tmp_path):
    (tmp_path / "images").mkdir()
    photo("images/a.png", height=40, width=40)
    status, out, _ = restore("evaluate", published, "bicubic", "--data", "images", "--json")
    assert status == 0
    assert '"of": "net.pth"' in out


def test_safetensors_of_others_are_used_too(restore, photo, tmp_path):
    save_file(msrresnet(), tmp_path / "net.safetensors", metadata={"format": "pt"})
    status, _, err = restore("predict", "net.safetensors", photo(), "--output", "out")
    assert status == 0
    assert err.startswith("net.safetensors: srgan/msrresnet, x2")


def test_a_checkpoint_is_imported_for_keeping_without_naming_a_task(restore, published, tmp_path):
    status, out, _ = restore("import", published)
    assert status == 0
    assert "net.pth: a checkpoint of basicsr for srgan/srgan" in out
    assert "Wrote net.safetensors. Next:" in out
    assert (tmp_path / "net.safetensors").exists()
    status, _, err = restore("import", published)
    assert status == 2
    assert "net.safetensors: already exists" in err


def test_the_original_is_not_replaced_by_its_conversion(restore, tmp_path):
    save_file(msrresnet(), tmp_path / "net.safetensors")
    before = (tmp_path / "net.safetensors").read_bytes()
    status, out, _ = restore("import", "net.safetensors")
    assert status == 0
    assert "Wrote net-imported.safetensors" in out
    assert (tmp_path / "net.safetensors").read_bytes() == before


def test_what_nobody_recognizes_says_what_is_in_the_file(restore, photo, tmp_path):
    torch.save({f"layer{n}.weight": torch.zeros(1) for n in range(6)}, tmp_path / "net.pth")
    status, out, err = restore("predict", "net.pth", photo(), "--output", "out")
    assert (status, out) == (1, "")
    assert err.startswith("Error: net.pth: no converter recognizes this checkpoint:\n")
    assert "It has 6 tensors: layer0.weight, layer1.weight, layer2.weight, layer3.weight, layer4.weight, …" in err
    assert not (tmp_path / "out").exists()


def test_an_almost_known_checkpoint_says_what_is_missing(restore, photo, tmp_path):
    state = msrresnet()
    del state["conv_hr.bias"]
    torch.save(state, tmp_path / "net.pth")
    status, _, err = restore("predict", "net.pth", photo(), "--output", "out")
    assert status == 1
    assert "does not fit srgan/srgan; as a checkpoint of basicsr:" in err
    assert "missing: generator.detail.bias (4,)" in err


OTHERS = {
    b"<!DOCTYPE html><html></html>": "is a web page (HTML); the download failed",
    b"version https://git-lfs.github.com/spec/v1\noid sha256:a\nsize 67040989\n": "git lfs pull",
    b"just words": "is a text file, not a checkpoint",
    b"": "is empty",
    b"\x89PNG\r\n\x1a\n": "is an image, not a checkpoint",
    np.random.default_rng(0).bytes(300_000): "net",
}


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
@pytest.mark.parametrize("command", [["predict"], ["evaluate"], ["import"]])
@pytest.mark.parametrize("content", OTHERS)
def test_a_file_that_is_no_checkpoint_ends_in_one_message(restore, tmp_path, command, content, suffix):
    name = f"net.{suffix}"
    (tmp_path / name).write_bytes(content)
    status, out, err = restore(*command, name, *(["photo.png", "--output", "out"] if command == ["predict"] else []))
    assert (status, out) == (1, "")
    assert err.startswith(f"Error: {name}: ")
    assert OTHERS[content] in err
    assert "This is a bug" not in err


def test_a_published_file_is_called_by_its_name(restore, published, photo, monkeypatch):
    known = find_published("4fa0d38905f75ac06eb49a7951b426670021be3018265fd191d2125df9d682f1")
    assert str(known) == "published as RealESRGAN_x4Plus, license BSD-3-Clause"
    monkeypatch.setattr("restore.cli.foreign_weights.find_published", lambda sha256: known)
    _, _, err = restore("predict", published, photo(), "--output", "out")
    assert "…, published as RealESRGAN_x4Plus, license BSD-3-Clause\n" in err
    assert find_published("0" * 64) is None


def test_a_shell_that_completes_a_command_line_does_not_wait_for_a_conversion(published, capsys):
    token = completing.set(True)
    try:
        assert not convert_to_cache(Path(published)).exists()
    finally:
        completing.reset(token)
    assert capsys.readouterr().err == ""


def test_torchscript_is_named_and_does_not_run(restore, tmp_path):
    with zipfile.ZipFile(tmp_path / "lama.pt", "w") as archive:
        for name in ("data.pkl", "constants.pkl", "code/__torch__.py"):
            archive.writestr(f"lama/{name}", b"\x80\x02}.")
    status, _, err = restore("predict", "lama.pt", "photo.png", "--output", "out")
    assert status == 1
    assert "is a TorchScript program" in err


class Hostile:
    def __reduce__(self):
        return (os.mkdir, ("it ran",))


def test_a_hostile_checkpoint_is_refused_and_not_run(restore, tmp_path):
    torch.save({"params": msrresnet(), "more": Hostile()}, tmp_path / "net.pth")
    status, _, err = restore("predict", "net.pth", "photo.png", "--output", "out")
    assert status == 1
    assert "refused: it contains" in err
    assert not (tmp_path / "it ran").exists()
