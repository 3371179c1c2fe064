"""Tiles, padding and precision change nothing that a person could see."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from untrained import Untrained

from restore.core.errors import DataError, RestoreError, UsageError
from restore.core.evaluation import evaluate
from restore.core.inference import canvas, engine
from restore.core.inference.canvas import Canvas
from restore.core.inference.engine import NotFinite, OutOfMemory, predict_picture
from restore.core.inference.padding import padded
from restore.core.measuring import EvaluationProtocol
from restore.core.planes import Plane, Tiling
from restore.core.settings import RunSettings
from restore.core.steps import Batch, Modules


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class Enlarging(nn.Module):
    """Two 3x3 convolutions and a pixel shuffle: sees 2 pixels to each side."""

    def __init__(self, scale):
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.last = nn.Conv2d(4, 3 * scale**2, 3, padding=1)
        self.scale = scale

    def forward(self, x):
        return F.pixel_shuffle(self.last(torch.relu(self.first(x))), self.scale)


class Hourglass(nn.Module):
    """Halves the resolution twice and brings it back: only sizes that are multiples of four."""

    def __init__(self):
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(3, 4, 2, stride=2), nn.ReLU(), nn.Conv2d(4, 4, 2, stride=2))
        self.middle = nn.Conv2d(4, 4, 3, padding=1)
        self.up = nn.Sequential(nn.Upsample(scale_factor=4), nn.Conv2d(4, 3, 3, padding=1))

    def forward(self, x):
        assert x.shape[-1] % 4 == x.shape[-2] % 4 == 0
        return self.up(torch.relu(self.middle(self.down(x))))


class Used(Untrained):
    """A task that is only used: one network, planes and tiling as the test wants them."""

    def __init__(self, network, tiling, inputs=None, outputs=None):
        super().__init__(RunSettings())
        self.network, self._tiling = network, tiling
        self._inputs, self._outputs = inputs or {"input": Plane()}, outputs or {"output": Plane()}
        self.shapes = []

    def networks(self):
        return {"network": self.network}

    @property
    def tiling(self):
        return self._tiling

    @property
    def inputs(self):
        return self._inputs

    @property
    def outputs(self):
        return self._outputs

    def predict(self, batch, modules):
        self.shapes.append(tuple(batch["input"].shape))
        return {"output": modules.network(batch["input"])}


class Computed(nn.Module):
    """A network that is one formula."""

    def __init__(self, formula):
        super().__init__()
        self.formula = formula

    def forward(self, x):
        return self.formula(x)


def enlarging(scale, mode="exact", halo=2):
    torch.manual_seed(scale)
    return Used(Enlarging(scale), Tiling(mode, halo), outputs={"output": Plane(scale=scale)})


def hourglass(mode="exact", halo=24):
    torch.manual_seed(0)
    return Used(Hourglass(), Tiling(mode, halo, multiple_of=4))


def picture(height, width, channels=3, seed=0):
    return torch.rand(channels, height, width, generator=torch.Generator().manual_seed(seed))


def used(task, given, **options):
    inputs = given if isinstance(given, dict) else {"input": given}
    return predict_picture(task, task.exported, inputs, **options)["output"]


# --- tiles ----------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(st.sampled_from([1, 2, 3, 4]), st.integers(1, 40), st.integers(1, 40), st.integers(1, 48))
def test_exact_tiles_equal_the_whole_picture(scale, height, width, tile):
    task, given_picture = enlarging(scale), picture(height, width)
    whole = used(task, given_picture, tile=None)
    assert whole.shape == (3, height * scale, width * scale)
    assert torch.allclose(used(task, given_picture, tile=tile), whole, atol=1e-5)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 45), st.integers(1, 45), st.integers(1, 48), st.sampled_from(["exact", "blend"]))
def test_tiles_on_the_grid_of_a_network_of_several_resolutions_equal_the_whole(height, width, tile, mode):
    task, given_picture = hourglass(mode), picture(height, width)
    whole = used(task, given_picture, tile=None)
    assert whole.shape == given_picture.shape
    assert torch.allclose(used(task, given_picture, tile=tile), whole, atol=1e-5)


def test_a_halo_that_is_too_small_shows_so_the_comparison_can_fail():
    task, given_picture = enlarging(2, halo=0), picture(20, 20)
    whole, tiled = used(task, given_picture, tile=None), used(task, given_picture, tile=10)
    assert (whole - tiled).abs().max() > 1e-3


def test_many_tiles_are_run_and_none_is_larger_than_asked_for():
    task = enlarging(2, halo=3)
    used(task, picture(50, 33), tile=16)
    assert len(task.shapes) == 4 * 3
    assert max(max(shape[-2:]) for shape in task.shapes) <= 16 + 2 * 3


@settings(deadline=None, max_examples=40)
@given(
    st.integers(1, 70), st.integers(1, 70), st.integers(1, 40), st.integers(0, 12), st.sampled_from([0.5, 1, 2, 1.5])
)
def test_shares_of_blended_tiles_sum_to_one_everywhere(height, width, tile, halo, scale):
    """What is one everywhere stays one, however the tiles overlap."""

    def ones(x):
        return torch.ones(1, 3, int(x.shape[-2] * scale), int(x.shape[-1] * scale))

    task = Used(Computed(ones), Tiling("blend", halo), outputs={"output": Plane(scale=scale)})
    joined = used(task, picture(height, width), tile=tile)
    assert joined.shape == (3, math.ceil(height * scale), math.ceil(width * scale))
    assert torch.allclose(joined, torch.ones_like(joined), atol=1e-6)


def test_blending_leaves_no_step_where_tiles_meet():
    """Each tile has its own brightness, as networks with attention give it; the joined picture moves smoothly."""

    def own_brightness(x):
        return x * 0 + x.mean()

    slope = torch.linspace(0, 1, 96).expand(3, 24, 96).contiguous()
    jumps = {}
    for mode in ("exact", "blend"):
        joined = used(Used(Computed(own_brightness), Tiling(mode, 16)), slope, tile=32)
        jumps[mode] = joined.diff(dim=-1).abs().max()
    assert jumps["exact"] > 0.15
    assert jumps["blend"] < 0.03


def test_class_numbers_are_never_mixed():
    numbers = iter(range(100))

    def class_of_tile(x):
        return torch.full_like(x[:, :1], 5.0 * next(numbers))

    task = Used(Computed(class_of_tile), Tiling("blend", 8), outputs={"output": Plane(channels=1, smooth=False)})
    assert set(used(task, picture(32, 64), tile=32).unique().tolist()) == {0.0, 5.0}


def test_planes_of_other_scales_are_cut_together():
    class Joined(Used):
        def predict(self, batch, modules):
            mask, small = (F.interpolate(batch[name], size=batch["input"].shape[-2:]) for name in ("mask", "small"))
            wide = F.interpolate(batch["input"] + mask + small, scale_factor=2)
            return {"output": wide, "summary": F.avg_pool2d(batch["input"][:, :1], 4)}

    task = Joined(
        Computed(lambda x: x),
        Tiling("exact", 0),
        {"input": Plane(), "mask": Plane(1, scale=2, smooth=False), "small": Plane(1, scale=0.25, padding="zero")},
        {"output": Plane(scale=2), "summary": Plane(1, scale=0.25)},
    )
    inputs = {"input": picture(21, 30), "mask": picture(42, 60, 1).round(), "small": picture(6, 8, 1)}
    whole = predict_picture(task, task.exported, inputs, tile=None)
    tiled = predict_picture(task, task.exported, inputs, tile=8)
    assert whole["output"].shape == (3, 42, 60)
    assert whole["summary"].shape == (1, 6, 8)
    assert all(torch.equal(whole[name], tiled[name]) for name in whole)


def test_large_pictures_are_cut_by_themselves_and_small_ones_are_not(monkeypatch):
    monkeypatch.setattr(canvas, "AUTO_PIXELS", 64 * 64)
    task = enlarging(2)
    used(task, picture(32, 32))
    assert task.shapes == [(1, 3, 32, 32)]
    task.shapes.clear()
    used(task, picture(33, 32))  # the output is the larger one: 66 x 64
    assert len(task.shapes) > 1
    assert max(math.prod(shape[-2:]) for shape in task.shapes) * 4 <= 64 * 64


def test_a_task_that_must_see_the_whole_picture_is_never_cut(monkeypatch):
    monkeypatch.setattr(canvas, "AUTO_PIXELS", 16)
    task = enlarging(2, mode="whole")
    used(task, picture(20, 20))
    assert task.shapes == [(1, 3, 20, 20)]
    with pytest.raises(UsageError, match="must see the whole picture"):
        used(task, picture(20, 20), tile=16)


# --- padding --------------------------------------------------------------------------------------------------


def test_reflection_swings_to_and_fro():
    row = torch.tensor([[[1.0, 2.0, 3.0]]])
    assert padded(row, 2, 8, "reflect").tolist() == [[[1, 2, 3, 2, 1, 2, 3, 2]] * 2]
    assert padded(row, 1, 5, "edge").tolist() == [[[1, 2, 3, 3, 3]]]
    assert padded(row, 1, 5, "zero").tolist() == [[[1, 2, 3, 0, 0]]]
    assert padded(row, 1, 3, "reflect") is row


# --- memory, precision, modes ---------------------------------------------------------------------------------


def short_of_memory(limit, message="DefaultCPUAllocator: not enough memory: you tried to allocate 1 bytes"):
    def identity(x):
        if x.numel() > limit:
            raise RuntimeError(message)
        return x * 2

    return identity


def test_tiles_are_halved_until_they_fit():
    task, said = Used(Computed(short_of_memory(3 * 20 * 20)), Tiling("exact", 0)), []
    given_picture = picture(64, 64)
    assert torch.equal(used(task, given_picture, notify=said.append), given_picture * 2)
    assert said == [f"not enough memory on cpu; trying tiles of {edge} pixels" for edge in (32, 16)]


def test_memory_that_is_never_enough_is_a_clear_error():
    task = Used(Computed(short_of_memory(3)), Tiling("exact", 0))
    with pytest.raises(OutOfMemory, match="not enough memory on cpu for a small tile"):
        used(task, picture(64, 64))
    whole = Used(Computed(short_of_memory(3)), Tiling("whole"))
    with pytest.raises(OutOfMemory, match="the whole picture, which this task must see"):
        used(whole, picture(64, 64))


def test_other_errors_of_a_network_are_not_taken_for_a_lack_of_memory():
    task = Used(Computed(short_of_memory(3, "sizes do not match")), Tiling("exact", 0))
    with pytest.raises(RuntimeError, match="sizes do not match"):
        used(task, picture(8, 8))
    assert len(task.shapes) == 1


def test_an_output_larger_than_the_memory_is_refused_before_it_is_tried(monkeypatch):
    monkeypatch.setattr(engine, "_host_memory", lambda: 1000.0)
    task = enlarging(4)
    with pytest.raises(DataError, match="160 x 80 pixels"):
        used(task, picture(20, 40))
    assert task.shapes == []


def overflowing(x):
    return x * 1e30 if x.dtype == torch.float32 and not torch.is_autocast_enabled("cpu") else x * float("nan")


def test_what_overflows_in_half_precision_is_repeated_in_full():
    task, said = Used(Computed(overflowing), Tiling("exact", 0)), []
    result = used(task, torch.ones(3, 4, 4), precision="bf16", notify=said.append)
    assert torch.equal(result, torch.full((3, 4, 4), 1e30))
    assert len(said) == 1
    assert "bf16; repeating it in fp32" in said[0]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_no_numbers_are_an_error(value):
    task = Used(Computed(lambda x: x + value), Tiling("exact", 0))
    with pytest.raises(NotFinite):
        used(task, picture(4, 4))
    with pytest.raises(DataError, match="no numbers"):
        used(enlarging(2), picture(4, 4) + value)


def test_networks_run_in_evaluation_mode_without_gradients_and_are_left_as_they_were():
    def looked(x):
        assert not torch.is_grad_enabled()
        assert not network.training
        return x

    network = Computed(looked)
    task = Used(network, Tiling("exact", 0))
    network.train()
    result = used(task, picture(4, 4))
    assert network.training
    result += 1  # an ordinary tensor, not one of inference mode


class Watched(Used):
    """A task with a fixed network, which notes where it is wanted."""

    def frozen(self):
        return {"eye": nn.Linear(1, 1)}

    def move_fixed(self, device):
        self.wanted = device
        super().move_fixed(device)


def test_fixed_networks_go_to_the_device_whenever_they_are_built():
    for early in (True, False):
        task = Watched(Computed(lambda x: x), Tiling("exact", 0))
        if early:
            assert task.fixed["eye"].weight.device.type == "cpu"
        task.move_fixed("meta")
        assert task.fixed["eye"].weight.device.type == "meta"
        assert not task.fixed["eye"].weight.requires_grad


def test_fixed_networks_are_moved_where_a_task_is_used_and_measured():
    task = Watched(Computed(lambda x: x), Tiling("exact", 0))
    used(task, picture(4, 4))
    assert task.wanted == torch.device("cpu")
    task.wanted = None

    class One(list):
        def name(self, index):
            return str(index)

    evaluate(task, task.exported, One([{"input": picture(4, 4)}]), EvaluationProtocol("none", {}), of="x")
    assert task.wanted == torch.device("cpu")


@pytest.mark.parametrize("fast", [False, True])
def test_networks_are_used_in_the_memory_format_that_they_are_trained_in(fast):
    task = enlarging(2)
    task.channels_last = fast
    used(task, picture(8, 6))
    for weight in (task.network.first.weight, task.network.last.weight):
        assert weight.is_contiguous(memory_format=torch.channels_last if fast else torch.contiguous_format)
        assert weight.is_contiguous() is not fast
    other = enlarging(2)
    other.network.load_state_dict(task.network.state_dict())
    torch.testing.assert_close(used(task, picture(8, 6)), used(other, picture(8, 6)), rtol=0, atol=1e-6)


def test_inputs_that_do_not_fit_are_named():
    task = enlarging(2)
    with pytest.raises(DataError, match=r"'input' has 1 x 4 x 4 channels x height x width where 3 x 4 x 4 are needed"):
        used(task, picture(4, 4, channels=1))
    two = Used(Computed(lambda x: x), Tiling(), {"input": Plane(), "mask": Plane(1)})
    with pytest.raises(DataError, match="'mask' is missing"):
        used(two, picture(4, 4))


def test_an_output_of_another_size_than_declared_is_named():
    task = Used(Computed(lambda x: x), Tiling("exact", 0), outputs={"output": Plane(scale=2)})
    with pytest.raises(RestoreError, match=r"Used declares an output 'output' of shape \(1, 3, 8, 8\)"):
        used(task, picture(4, 4))


def test_progress_counts_the_tiles():
    counted = []
    used(enlarging(2), picture(32, 16), tile=16, progress=lambda done, total: counted.append((done, total)))
    assert counted == [(1, 2), (2, 2)]


def test_a_canvas_has_whole_pixels_in_every_plane():
    task = Used(Computed(lambda x: x), Tiling(multiple_of=4), outputs={"output": Plane(scale=1 / 3)})
    laid = Canvas.of(task, {"input": picture(5, 13)})
    assert (laid.step, laid.height, laid.width) == (12, 12, 24)


def test_validation_on_a_large_picture_takes_no_more_memory_than_on_a_small_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from toy_tasks import OneNetwork, ToySettings

    task = OneNetwork(ToySettings())
    seen: list[int] = []
    predict = task.predict

    def watched(batch: Batch, modules: Modules) -> Batch:
        seen.append(batch["input"].shape[-2] * batch["input"].shape[-1])
        return predict(batch, modules)

    monkeypatch.setattr(task, "predict", watched)
    monkeypatch.setattr(engine, "AUTO_PIXELS", 64 * 64)
    monkeypatch.setattr(canvas, "AUTO_PIXELS", 64 * 64)
    picture = torch.rand(1, 1, 200, 230)
    protocol = task.protocols()["plain"]
    modules = Modules({name: module.eval() for name, module in task.exported.items()})
    task.measure({"input": picture, "target": 1 - picture}, modules, protocol)
    assert len(seen) > 4
    assert max(seen) <= 4 * 64 * 64  # a tile and its surroundings
    seen.clear()
    task.measure({"input": picture[..., :50, :50], "target": picture[..., :50, :50]}, modules, protocol)
    assert seen == [50 * 50]
