"""``restore import`` as a person uses it."""

import os
from pathlib import Path

import pytest
import torch

from restore.core.hashing import hash_file


def test_a_checkpoint_comes_in_and_can_be_used(restore, photo, tmp_path):
    torch.save({"params": {"amplifier.weight": torch.tensor([1.0])}}, tmp_path / "net.pth")
    status, out, err = restore("import", "net.pth", "--task", "twice", "--output", "w.safetensors")
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "net.pth: a checkpoint of radio for upscaling_plugin/twice (scale 3)",
        f"  1 parameter, scale 3, sha256 {hash_file(Path('net.pth'))}",
        "  used: params",
        "  loaded all 1 tensors; none missing, none unexpected, all shapes equal",
        "Wrote w.safetensors. Next:",
        "  restore predict w.safetensors photo.jpg --output out/",
    ]
    status, out, _ = restore("predict", "w.safetensors", photo(), "--output", "out")
    assert status == 0
    assert "(24 x 18)" in out


def test_a_model_setting_that_no_tensor_shows_is_given(restore, tmp_path):
    torch.save({"amplifier.weight": torch.tensor([1.0])}, tmp_path / "net.pth")
    status, out, _ = restore("import", "net.pth", "--task", "twice", "--set", "scale=2", "--output", "w.safetensors")
    assert status == 0
    assert "for upscaling_plugin/twice (scale 2)" in out


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        ("scale", 2, "--set scale: write it as NAME=VALUE"),
        ("scael=2", 2, "--set scael=2: the model of twice has no setting 'scael'; did you mean 'scale'?"),
        ("scale=[", 2, "--set scale=[: cannot read '[' as a value"),
        ("scale=much", 1, "scale: should be a valid integer"),
    ],
)
def test_a_model_setting_that_cannot_be_is_refused(restore, tmp_path, given, status, said):
    torch.save({"amplifier.weight": torch.tensor([1.0])}, tmp_path / "net.pth")
    ended, _, err = restore("import", "net.pth", "--task", "twice", "--set", given, "--output", "w.safetensors")
    assert ended == status
    assert said in err


@pytest.mark.parametrize(
    ("task", "example"),
    [("touched", "photo.jpg --second-mask second_mask.png --output out/"), ("touched-in-vain", "--help")],
)
def test_what_to_type_next_names_every_image_that_is_needed(restore, tmp_path, task, example):
    torch.save({"amplifier.weight": torch.tensor([1.0])}, tmp_path / "net.pth")
    status, out, _ = restore("import", "net.pth", "--task", task, "--output", "w.safetensors")
    assert status == 0
    assert out.splitlines()[-1] == f"  restore predict w.safetensors {example}"


def test_every_key_that_does_not_fit_is_printed(restore, tmp_path):
    state = {"amplifier.weight": torch.tensor([2.0]), "antenna": torch.zeros(3)}
    torch.save(state, tmp_path / "net.pth")
    arguments = ("import", "net.pth", "--task", "twice", "--from", "radio", "--output", "w.safetensors")
    status, out, err = restore(*arguments)
    assert (status, out) == (1, "")
    assert "unexpected: antenna (3,)" in err
    assert not (tmp_path / "w.safetensors").exists()
    status, out, _ = restore(*arguments, "--partial")
    assert status == 0
    assert "loaded 1 tensors; these do not fit" in out
    assert "unexpected: antenna (3,)" in out


class Hostile:
    def __reduce__(self):
        return (os.mkdir, ("it ran",))


@pytest.mark.parametrize("content", [Hostile(), {"amplifier.weight": torch.ones(1), "more": Hostile()}])
def test_a_hostile_checkpoint_is_refused_and_not_run(restore, tmp_path, content):
    torch.save(content, tmp_path / "net.pth")
    status, _, err = restore("import", "net.pth", "--task", "twice", "--output", "w.safetensors")
    assert status == 1
    assert "refused" in err
    assert not (tmp_path / "it ran").exists()
    assert not (tmp_path / "w.safetensors").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.pth", "--task", "twice"], "none.pth: no such file"),
        (["none.pth", "--task", "twise"], "twice"),
        (["none.pth", "--task", "repeat"], "cannot import checkpoints of any other converter"),
        (["none.pth", "--task", "twice", "--from", "television"], "available: radio"),
    ],
)
def test_wrong_usage_is_said_in_one_message(restore, arguments, said):
    status, out, err = restore("import", *arguments, "--output", "w.safetensors")
    assert (status, out) == (2, "")
    assert said in err
