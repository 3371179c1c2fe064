"""What checkpoints in the wild carry: wrappers, prefixes, counters, other networks; and files that are none."""

import argparse
import datetime as dt
import pathlib
import pickle
import zipfile
from collections import OrderedDict, defaultdict

import numpy as np
import pytest
import torch
from torch import nn

from restore.core.errors import UsageError, WeightsError
from restore.core.weights.read_checkpoint import read_checkpoint, read_states
from restore.core.weights.unwrap import list_variants


def network(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return OrderedDict(
        {"first.weight": torch.rand(2, 3, generator=generator), "last.bias": torch.rand(2, generator=generator)}
    )


def named(prefix, state):
    return {f"{prefix}{key}": value for key, value in state.items()}


def saved(folder, content, **options):
    path = folder / "x.pth"
    torch.save(content, path, **options)
    return path


def equal(found, expected):
    return found.keys() == expected.keys() and all(torch.equal(found[key], expected[key]) for key in expected)


# --- wrappers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrapper", ["params-ema", "network_weights", "generator_ema", "params", "netG"])
def test_wrappers_of_training_programs_are_known(tmp_path, wrapper):
    path = saved(tmp_path, {"epoch": 1, wrapper: network(), "net_d": network(1)})
    assert equal(read_checkpoint(path).tensors, network())


def test_the_state_of_an_optimizer_is_no_network(tmp_path):
    parameter = nn.Parameter(torch.zeros(2))
    parameter.grad = torch.zeros(2)
    optimizer = torch.optim.Adam([parameter])
    optimizer.step()
    path = saved(tmp_path, {"arch": "x", "module": network(), "optimizer": optimizer.state_dict()})
    state = read_checkpoint(path)
    assert equal(state.tensors, network())
    assert state.notes == ["used: module"]


def test_a_mapping_that_contains_itself_is_read_once(tmp_path):
    content = {"net": network()}
    content["model"] = content
    assert equal(read_checkpoint(saved(tmp_path, content)).tensors, network())


def test_a_part_of_the_file_can_be_chosen(tmp_path):
    path = saved(tmp_path, {"G": network(), "D": network(1), "deep": {"er": network(2)}})
    with pytest.raises(WeightsError, match="its keys: G, D, deep/er; choose one with --key"):
        read_checkpoint(path)
    assert equal(read_checkpoint(path, "D").tensors, network(1))
    assert equal(read_checkpoint(path, "deep/er").tensors, network(2))
    assert equal(read_checkpoint(path, "deep").tensors, network(2))
    with pytest.raises(UsageError, match=r"--key E: .* has no 'E' there; it has G, D, deep"):
        read_checkpoint(path, "E")


def test_a_group_of_parameters_can_be_chosen_by_its_prefix(tmp_path):
    path = saved(tmp_path, {"state_dict": {**named("g.", network()), **named("d.", network(1))}})
    assert equal(read_checkpoint(path, "state_dict/g").tensors, network())
    with pytest.raises(UsageError, match=r"has no 'e' there; it has g\., d\."):
        read_checkpoint(path, "state_dict/e")


# --- prefixes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "prefix",
    ["generator.", "netG.", "model.", "net.", "module.netG.", "_orig_mod.model.", "anything.", "model.generator."],
)
def test_a_prefix_that_all_names_share_is_removed_in_a_variant(tmp_path, prefix):
    (state,) = read_states(saved(tmp_path, named(prefix, network())))
    assert any(equal(variant.tensors, network()) for variant in list_variants(state))


@pytest.mark.parametrize("prefix", ["generator_ema.", "generator.", "netG.", "model.", "net.", "module.", "ema_model."])
def test_a_group_among_other_names_is_a_variant_with_a_note(tmp_path, prefix):
    content = {**named("discriminator.", network(1)), **named(prefix, network()), "step_counter": torch.tensor(3)}
    (state,) = read_states(saved(tmp_path, {"state_dict": content}))
    (variant,) = [each for each in list_variants(state) if equal(each.tensors, network())]
    assert "skipped: step_counter (counter of steps)" in variant.notes
    assert f"removed: the prefix {prefix} (2 tensors without it left out: discriminator.)" in variant.notes


def test_the_averaged_group_comes_first(tmp_path):
    content = {**named("generator.", network(1)), **named("generator_ema.", network(2))}
    (state,) = read_states(saved(tmp_path, content))
    first = next(each for each in list_variants(state) if each.tensors.keys() == network().keys())
    assert equal(first.tensors, network(2))


def test_the_names_as_they_are_come_before_all_variants(tmp_path):
    (state,) = read_states(saved(tmp_path, named("model.", network())))
    assert equal(next(list_variants(state)).tensors, named("model.", network()))


def test_counters_of_thop_are_left_out(tmp_path):
    content = network() | {f"first.{name}": torch.zeros(1) for name in ("total_ops", "total_params")}
    state = read_checkpoint(saved(tmp_path, content))
    assert equal(state.tensors, network())
    assert state.notes == ["skipped: 2 tensors total_ops and total_params (counters of thop)"]


@pytest.mark.parametrize("name", ["n_averaged", "step", "initted"])
def test_counters_of_averaging_are_left_out(tmp_path, name):
    state = read_checkpoint(saved(tmp_path, {name: torch.tensor(3), **network()}))
    assert equal(state.tensors, network())
    assert state.notes == [f"skipped: {name} (counter of averaged weights)"]


# --- harmless objects -----------------------------------------------------------------------------------------

HARMLESS = {
    "a numpy number": np.float64(27.1),
    "a numpy integer": np.int64(3),
    "a numpy array": np.zeros(3),
    "a numpy type": np.dtype("float32"),
    "the arguments of a program": argparse.Namespace(lr=1e-4, path=pathlib.PurePosixPath("a")),
    "a date": dt.datetime(2022, 1, 1, tzinfo=dt.UTC),
    "a path": pathlib.PurePosixPath("a/b"),
    "a dictionary with a default": defaultdict(list, {"a": [1]}),
    "a generator's state": np.random.RandomState(0).get_state(),
}


@pytest.mark.parametrize("name", HARMLESS)
@pytest.mark.parametrize("zipped", [True, False])
def test_a_harmless_object_beside_the_weights_is_left_out(tmp_path, name, zipped):
    content = {"params": network(), "best": HARMLESS[name], "deep": {"er": [HARMLESS[name]]}}
    path = saved(tmp_path, content, _use_new_zipfile_serialization=zipped)
    assert equal(read_checkpoint(path).tensors, network())


def test_what_is_left_out_among_the_weights_is_named(tmp_path):
    state = read_checkpoint(saved(tmp_path, {**network(), "best_psnr": np.float64(27.1), "epoch": 3}))
    assert state.notes == ["skipped: best_psnr (numpy scalar)", "skipped: epoch (not a tensor)"]
    assert state.others["epoch"] == 3
    state = read_checkpoint(saved(tmp_path, {"params": network(), "best_psnr": np.float64(27.1)}))
    assert state.notes == ["used: params", "skipped: best_psnr (numpy scalar)"]


class Foreign:
    """A class of a training program."""


@pytest.mark.parametrize("zipped", [True, False])
def test_an_object_of_an_unknown_class_is_still_refused_by_its_name(tmp_path, zipped):
    path = saved(tmp_path, {"params": network(), "x": Foreign()}, _use_new_zipfile_serialization=zipped)
    with pytest.raises(WeightsError, match=r"refused: it contains [\w.]*Foreign"):
        read_checkpoint(path)


class Runs:
    def __init__(self, function, *arguments):
        self.made_of = (function, arguments)

    def __reduce__(self):
        return self.made_of


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("function", [eval, exec, getattr, __import__, pickle.loads, pathlib.Path.touch])  # noqa: S307
def test_a_call_of_a_function_is_refused_and_not_run(tmp_path, monkeypatch, function, zipped):
    monkeypatch.chdir(tmp_path)
    mark = tmp_path / "it-ran"
    argument = mark if function is pathlib.Path.touch else f"open({str(mark)!r}, 'w')"
    content = {"params": network(), "x": Runs(function, argument)}
    path = saved(tmp_path, content, _use_new_zipfile_serialization=zipped)
    with pytest.raises(WeightsError, match=r"refused|no code from it was run"):
        read_checkpoint(path)
    assert not mark.exists()


def test_a_class_that_stands_for_a_harmless_one_runs_nothing(tmp_path, monkeypatch):
    """A pickle may call a harmless name with any arguments; nothing of that name is imported."""
    mark = tmp_path / "it-ran"
    opcodes = (
        b"\x80\x02}X\x01\x00\x00\x00xcpathlib\nPosixPath\n"
        + b"X"
        + len(str(mark)).to_bytes(4, "little")
        + str(mark).encode()
    ) + b"\x85Rs."
    (tmp_path / "x.pth").write_bytes(opcodes)
    with pytest.raises(WeightsError):
        read_checkpoint(tmp_path / "x.pth")
    assert not mark.exists()


# --- files that are no checkpoints ----------------------------------------------------------------------------

OTHER_KINDS = {
    b"": "is empty",
    b"<!DOCTYPE html><html><head><title>Quota exceeded</title></head></html>": r"is a web page \(HTML\); the download",
    b"\n  <html lang=en>": r"is a web page \(HTML\); the download failed",
    b"version https://git-lfs.github.com/spec/v1\noid sha256:a\nsize 67040989\n": "is a git-LFS pointer.* 67.0 MB; get",
    b"Entry not found": "is a text file, not a checkpoint; it begins with 'Entry not found'",
    b'{"error": "Access denied"}': "is a text file",
    b"\x89PNG\r\n\x1a\n\x00\x00": "is an image, not a checkpoint",
    b"\xff\xd8\xff\xe0\x00": "is an image, not a checkpoint",
    b"\x1f\x8b\x08\x00\x00": "is a gzip archive; unpack it first",
    b"\x89HDF\r\n\x1a\n\x00": "is an HDF5 file, as Keras writes it",
}


@pytest.mark.parametrize("suffix", ["pth", "safetensors", "ckpt"])
@pytest.mark.parametrize("content", OTHER_KINDS)
def test_a_file_that_is_no_checkpoint_is_called_by_its_name(tmp_path, content, suffix):
    path = tmp_path / f"x.{suffix}"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=OTHER_KINDS[content]):
        read_checkpoint(path)


def test_random_bytes_are_refused(tmp_path):
    path = tmp_path / "x.pth"
    path.write_bytes(np.random.default_rng(0).bytes(300_000))
    with pytest.raises(WeightsError, match=r"x\.pth: "):
        read_checkpoint(path)


def test_torchscript_is_called_by_its_name_and_does_not_run(tmp_path):
    path = tmp_path / "big-lama.pt"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("data.pkl", "constants.pkl", "code/__torch__.py", "version"):
            archive.writestr(f"big-lama/{name}", b"\x80\x02}.")
    with pytest.raises(WeightsError, match="is a TorchScript program; loading it would run code"):
        read_checkpoint(path)


def test_a_zip_archive_of_something_else_is_called_by_its_name(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.pth", "w") as archive:
        archive.writestr("weights/readme.txt", "hello")
    with pytest.raises(WeightsError, match="is a zip archive, not a checkpoint; unpack it first"):
        read_checkpoint(tmp_path / "x.pth")
