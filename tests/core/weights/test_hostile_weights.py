"""Weights files that lie: nothing is allocated, shown or used before it was compared with the file."""

import json
import math
import time
from functools import partial

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from untrained import Small, SmallSettings

from restore.core.errors import WeightsError
from restore.core.settings import Settings
from restore.core.weights import building
from restore.core.weights.convert import Converter, import_weights
from restore.core.weights.files import open_weights, save_weights
from restore.core.weights.header import count_parameters, read_header
from restore.core.weights.read_checkpoint import read_states
from restore.core.weights.safetensors_format import safetensors_header
from restore.core.weights.tensors import load_exactly


def raw(path, header, content=b"\0" * 4):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + content)
    return path


def entry(path, **changes):
    """A file with one tensor, and with changes of the entry of restore."""
    good = {"task": "small/small", "model": {}, "numbers": [], "versions": {}}
    save_file({"a": torch.zeros(1)}, path, metadata={"restore": json.dumps({**good, **changes})})
    return path


def one(**changes):
    return {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4], **changes}}


@pytest.mark.parametrize(
    "header",
    [
        b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,1e999]}}',
        b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,NaN]}}',
        one(data_offsets=[0, 4.0]),
        one(data_offsets=[0, True]),
        one(data_offsets=[4, 0]),
        one(data_offsets=[-4, 0]),
        one(data_offsets=[0, 4, 8]),
        one(data_offsets={}),
        one(shape=[2]),
        one(shape=[-1, -1]),
        one(shape=[1] * 65),
        one(shape=None),
        one(shape=[10**400, 0]),
        one(dtype="F64"),
        one(dtype=["F32"]),
        {"a": None},
        {"a": 4},
        [],
        {"__metadata__": 3},
        b'{"a":' * 3000,
    ],
)
def test_a_header_that_contradicts_itself_is_refused(tmp_path, header):
    with pytest.raises(WeightsError, match="header is damaged"):
        safetensors_header(raw(tmp_path / "w.safetensors", header))


def test_a_type_of_a_newer_format_is_not_taken_for_damage(tmp_path):
    header = one(dtype="F4", shape=[8])
    assert safetensors_header(raw(tmp_path / "w.safetensors", header)) == header


@pytest.mark.parametrize(
    "changes",
    [
        {"phase": math.inf}, {"phase": 3}, {"phase": "\x1b[31m"}, {"task": ""}, {"task": "a" * 1000},
        {"task": "a\nb"}, {"digest": 4}, {"versions": {"torch": 2}}, {"versions": []}, {"card": {"data": 1}},
        {"model": []}, {"plugins": {"a": 1}}, {"numbers": [{}]}, {"numbers": None},
        {"numbers": [{"name": "psnr", "convention": "Y", "of": "x", "value": 10**400}]},
        {"model": json.loads('{"a":' * 30 + "1" + "}" * 30)},
    ],
)  # fmt: skip
def test_an_entry_of_wrong_types_is_refused(tmp_path, changes):
    with pytest.raises(WeightsError, match="does not understand its 'restore' entry"):
        read_header(entry(tmp_path / "w.safetensors", **changes))


def test_an_entry_that_is_nested_too_deep_is_refused(tmp_path):
    save_file({"a": torch.zeros(1)}, tmp_path / "w.safetensors", metadata={"restore": "[" * 100_000})
    with pytest.raises(WeightsError, match="entry is damaged"):
        read_header(tmp_path / "w.safetensors")


@pytest.mark.parametrize("said", ["9" * 5000, "-3", "many"])
def test_an_absurd_number_of_parameters_is_counted_anew(tmp_path, said):
    path = entry(tmp_path / "w.safetensors", versions={"imported_parameters": said})
    assert count_parameters(path) == 1


class Deep(Small):
    """As many layers as the settings say."""

    def networks(self):
        return {"generator": nn.Sequential(*(nn.PReLU() for _ in range(self.settings.model.channels)))}


def claimed(path, channels, task=Small, **networks):
    state = networks or {"generator": task(SmallSettings()).networks()["generator"].state_dict()}
    save_weights(path, task="small/small", model={"channels": channels}, networks=state)
    return path


@pytest.mark.parametrize("channels", [10**5, 10**9, 10**15, 10**30])
def test_networks_larger_than_the_file_are_refused_before_they_take_memory(tmp_path, channels, monkeypatch):
    monkeypatch.setattr(building, "build_networks", lambda *_: pytest.fail("memory was taken"))
    path = claimed(tmp_path / "w.safetensors", channels)
    with pytest.raises(WeightsError, match=r"w\.safetensors: (does not fit|no networks can be built)"):
        open_weights(path, lambda *_: Small)


def test_networks_of_very_many_layers_are_refused_as_soon_as_that_is_seen(tmp_path):
    path, began = claimed(tmp_path / "w.safetensors", 10**9, Deep), time.monotonic()
    with pytest.raises(WeightsError, match=r"w\.safetensors: its settings ask for networks of more than \d+ parts"):
        open_weights(path, lambda *_: Deep)
    assert time.monotonic() - began < 30


def test_settings_that_fit_their_types_but_make_no_network_are_said(tmp_path):
    with pytest.raises(WeightsError, match=r"w\.safetensors: no networks can be built with its settings: RuntimeError"):
        open_weights(claimed(tmp_path / "w.safetensors", -3), lambda *_: Small)


def test_of_very_many_differences_the_first_are_listed(tmp_path):
    path = claimed(tmp_path / "w.safetensors", 3, generator={f"x{n}": torch.zeros(0) for n in range(500)})
    with pytest.raises(WeightsError) as caught:
        open_weights(path, lambda *_: Small)
    assert len(str(caught.value).splitlines()) < 80


@pytest.mark.parametrize("kind", [torch.float32, torch.float16, torch.bfloat16])
def test_weights_with_nan_are_refused_even_if_their_checksum_is_right(tmp_path, kind):
    state = Small(SmallSettings()).networks()["generator"].state_dict()
    state["0.weight"] = torch.full_like(state["0.weight"], math.nan).to(kind)
    path = claimed(tmp_path / "w.safetensors", 3, generator=state)
    with pytest.raises(WeightsError, match=r"contains NaN \(not a number\) in generator\.0\.weight"):
        open_weights(path, lambda *_: Small)


class ImportSettings(Settings):
    pass


def test_a_checkpoint_with_nan_is_not_imported(tmp_path):
    state = Small(SmallSettings()).networks()["generator"].state_dict()
    state["0.bias"][1] = math.nan
    torch.save(state, tmp_path / "x.pth")
    converter = Converter("x", lambda found: ({}, {f"generator.{key}": value for key, value in found.items()}))
    with pytest.raises(WeightsError, match=r"x\.pth: contains NaN .* in generator\.0\.bias"):
        import_weights(
            tmp_path / "x.pth", tmp_path / "o.safetensors", task="small/small", task_type=Small,
            converters={"x": converter},
        )  # fmt: skip
    assert not (tmp_path / "o.safetensors").exists()


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")  # newer versions of torch want to lose them
@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (torch.Tensor.to_sparse, "sparse"),
        (partial(torch.quantize_per_tensor, scale=0.1, zero_point=0, dtype=torch.qint8), "quantized"),
    ],
)
def test_tensors_without_plain_values_are_refused_by_their_kind(tmp_path, make, kind):
    torch.save({"a.weight": make(torch.zeros(3))}, tmp_path / "x.pth")
    with pytest.raises(WeightsError, match=rf"x\.pth: a\.weight is {kind}; save the checkpoint with plain tensors"):
        read_states(tmp_path / "x.pth")


@pytest.mark.parametrize("zipped", [True, False])
def test_a_tensor_that_is_larger_than_its_file_is_refused(tmp_path, zipped):
    vast = torch.zeros(1).expand(10**6, 10**6)
    torch.save({"a.weight": vast}, tmp_path / "x.pth", _use_new_zipfile_serialization=zipped)
    converter = Converter("x", lambda found: ({}, {f"generator.{key}": value for key, value in found.items()}))
    with pytest.raises(WeightsError, match=r"x\.pth: a\.weight has the shape \(1000000, 1000000\)"):
        import_weights(
            tmp_path / "x.pth", tmp_path / "o.safetensors", task="small/small", task_type=Small,
            converters={"x": converter},
        )  # fmt: skip


def test_complex_numbers_are_not_halved_in_silence() -> None:
    network = torch.nn.Linear(2, 1, bias=False)
    with pytest.raises(WeightsError, match=r"x: net\.weight has complex numbers"):
        load_exactly({"net": network}, {"net.weight": torch.ones(1, 2, dtype=torch.complex64)}, "x")
