"""Both tasks: the objective, collapse, and what is measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from built import networks_of
from recorder import Recorder

from restore.core.dataset import Batch
from restore.core.events import Event, Warned
from restore.core.training.trainer import Trainer
from restore.plugins.vae.metrics import ActiveUnits, moments
from restore.plugins.vae.settings import AutoencoderEvaluateOptions, VAESettings
from restore.plugins.vae.task import WARMUP, Autoencoder, VariationalAutoencoder
from restore.plugins.vae.variational import Posterior


def vae(**changes: Any) -> VariationalAutoencoder:
    torch.manual_seed(0)
    options = changes.pop("options", None)
    settings = VariationalAutoencoder.tiny_settings(**changes)
    task = VariationalAutoencoder(settings).with_options(evaluate=options)
    assert networks_of(task)  # built now: every task of these tests has the same weights
    return task


def batch_of(task: Autoencoder, size: int = 8, count: int = 4) -> Batch:
    scale = task.settings.model.scale
    return {"input": torch.rand(count, 3, size, size), "target": torch.rand(count, 3, scale * size, scale * size)}


def stepped(task: Autoencoder, batch: Batch, phase: str = "full", progress: float = 0.5) -> Recorder:
    step = Recorder(task, phase, progress=progress)
    torch.manual_seed(1)
    task.train_step(batch, step)
    return step


# --- recoloring ----------------------------------------------------------------------------------------------------


def test_recoloring_can_be_turned_off() -> None:
    batch = batch_of(vae())
    plain, again, tinted = (stepped(vae(recolor=on), batch).terms["autoencoder"] for on in (False, False, True))
    assert plain["reconstruction"] == again["reconstruction"] != tinted["reconstruction"]


# --- the objective --------------------------------------------------------------------------------------------------


def test_the_price_of_kl_rises_in_warm_up_and_stays() -> None:
    task = vae(beta=2.0, recolor=False)
    batch = batch_of(task)
    full = stepped(task, batch).terms["autoencoder"]
    assert full["kl"] > 0
    for share in (0.0, 0.25, 0.9):
        terms = stepped(task, batch, WARMUP, share).terms["autoencoder"]
        torch.testing.assert_close(terms["kl"], share * full["kl"])
        torch.testing.assert_close(terms["reconstruction"], full["reconstruction"])


def test_the_loss_is_the_negative_elbo_per_value() -> None:
    task = vae(recolor=False)
    batch = batch_of(task)
    terms, networks = stepped(task, batch).terms["autoencoder"], networks_of(task)
    posterior = Posterior.of(networks.encoder(batch["input"]))
    torch.manual_seed(1)
    code = posterior.mean + (0.5 * posterior.log_variance).exp() * torch.randn_like(posterior.mean)
    (log_deviation,) = networks_of(task)["likelihood"].parameters()
    density = torch.distributions.Normal(networks.decoder(code, 8, 8), log_deviation.exp()).log_prob(batch["target"])
    torch.testing.assert_close(terms["reconstruction"], -density.mean())
    torch.testing.assert_close(terms["kl"], posterior.kl().sum() / batch["target"].numel())


def test_every_parameter_takes_part() -> None:
    for task in (vae(), Autoencoder(Autoencoder.tiny_settings())):
        stepped(task, batch_of(task))
        idle = [
            f"{name}.{key}"
            for name, module in networks_of(task).items()
            for key, parameter in module.named_parameters()
            if parameter.grad is None or parameter.grad.abs().max() == 0
        ]
        # The second convolution beside an identity starts at zero, so its first one has to wait for a step.
        assert [key for key in idle if ".first." not in key] == []


def test_the_autoencoder_can_learn_an_image_by_heart() -> None:
    torch.manual_seed(0)
    model = {"channels": 4, "depth": 2, "latent": 8, "scale": 2}
    task = Autoencoder(Autoencoder.tiny_settings(model=model, recolor=False))
    image = torch.nn.functional.interpolate(torch.rand(2, 3, 4, 4), size=16, mode="bilinear")
    batch = {"input": image[..., ::2, ::2], "target": image}
    optimizer = torch.optim.Adam([p for m in networks_of(task).values() for p in m.parameters()], 5e-3)
    errors = []
    for _ in range(150):
        terms = stepped(task, batch, "reconstruction").terms["autoencoder"]
        optimizer.step()
        errors.append(terms["mse"].item())
    assert errors[-1] < 0.1 * image.var().item() < errors[0]


# --- collapse -------------------------------------------------------------------------------------------------------


def test_a_collapse_is_noticed_in_a_run(tmp_path: Path) -> None:
    """KL at a thousand times its price drives every unit to the prior."""
    told: list[Event] = []
    expensive: dict[str, Any] = {
        "beta": 1000.0,
        "warmup": 0.0,
        "epochs": 1,
        "samples_per_epoch": 160,
        "log_every": 5,
        "optimizer": {"lr": 0.02},
        "sample_images": 0,
        "out": tmp_path,
    }
    settings = VariationalAutoencoder.tiny_settings(**expensive)
    Trainer(VariationalAutoencoder, settings, name="vae/vae", listeners=[told.append]).fit()
    warnings = [event.message for event in told if isinstance(event, Warned)]
    assert any("posterior collapse" in message and "--free-bits" in message for message in warnings)
    assert len(warnings) == len(set(warnings))


def test_a_healthy_run_is_left_alone() -> None:
    task = VariationalAutoencoder(VAESettings())
    assert task.health({"active_units": 32.0}) is None
    assert task.health({"active_units": 3.2}) is None
    assert task.health({"autoencoder/kl": 0.0}) is None
    assert task.health({"active_units": 3.1}) is not None


def test_a_code_of_one_number_collapses_with_its_last() -> None:
    task = vae(model={"latent": 1, "channels": 2})
    assert task.health({"active_units": 1.0}) is None
    assert task.health({"active_units": 0.0}) is not None


def test_collapse_is_not_looked_for_before_training_could_show_it() -> None:
    task = vae()
    batch = batch_of(task)
    assert "active_units" not in stepped(task, batch, WARMUP, 0.9).logged
    assert "active_units" not in stepped(task, batch, "full", 0.05).logged
    assert "active_units" in stepped(task, batch, "full", 0.2).logged


# --- measuring ------------------------------------------------------------------------------------------------------


def test_units_are_active_where_their_mean_varies_over_places_or_images() -> None:
    means = torch.zeros(2, 4, 2, 2)
    means[:, 0, 0] = 1.0  # over places
    means[1, 1] = 1.0  # over images
    means[:, 2] = 5.0  # large, but always the same
    means[0, 3] = 0.05  # hardly
    metric = ActiveUnits("active_units", "")
    assert metric.reduce(metric.measure(moments(means), means)) == 2


def test_units_are_counted_alike_from_single_images_and_from_batches() -> None:
    torch.manual_seed(0)
    means = 0.2 * torch.randn(6, 5, 3, 3)
    metric = ActiveUnits("active_units", "")
    one_by_one = torch.cat([moments(mean[None]) for mean in means])
    assert metric.reduce(one_by_one) == metric.reduce(moments(means))


@pytest.mark.parametrize(("gray", "scale"), [(False, 1), (True, 1), (False, 2)])
def test_measured_bounds_are_in_order_and_units_sum_to_the_kl(gray: bool, scale: int) -> None:
    model = {"channels": 4, "depth": 2, "latent": 3, "scale": scale}
    task = vae(options=AutoencoderEvaluateOptions(draws=5), model=model)
    batch = batch_of(task, size=13)
    if gray:
        batch["target"] = batch["target"][:, :1]
    networks, protocols = networks_of(task), task.protocols()
    with torch.no_grad():
        rows = task.measure(batch, networks, protocols["rgb"])
        of_units = task.measure(batch, networks, protocols["units"])
    assert set(rows) == {"psnr", "ssim", "compression", "elbo", "iw_bound", "kl", "active_units"}
    assert (rows["elbo"] <= rows["iw_bound"]).all()
    assert (rows["elbo"] < rows["iw_bound"]).any()
    torch.testing.assert_close(sum(of_units.values()), rows["kl"].sum(1, keepdim=True))
    expected = 3 * (13 * scale) ** 2 / (3 * 4 * 4)
    assert protocols["rgb"]["compression"].reduce(rows["compression"]) == pytest.approx(expected)


@torch.no_grad()
def test_a_gray_target_is_measured_as_three_equal_channels() -> None:
    task = vae()
    batch = batch_of(task)
    gray = batch["target"][:, :1]
    found = []
    for target in (gray, gray.expand(-1, 3, -1, -1)):
        torch.manual_seed(0)
        found.append(task.numbers({**batch, "target": target}, networks_of(task)))
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])


def test_bounds_say_how_they_were_estimated() -> None:
    metrics = vae(options=AutoencoderEvaluateOptions(draws=50)).protocols()["rgb"]
    assert metrics["elbo"].convention == "nats per value, mean of 50 log-weights"
    assert metrics["iw_bound"].convention == "nats per value, importance-weighted, 50 log-weights"


def test_the_measured_elbo_is_the_negative_loss_on_average() -> None:
    task = vae(options=AutoencoderEvaluateOptions(draws=500), recolor=False)
    batch = batch_of(task, count=1)
    torch.manual_seed(0)
    with torch.no_grad():
        measured = task.numbers(batch, networks_of(task))["elbo"].item()
    bounds = []
    for seed in range(100):
        step = Recorder(task, "full", progress=0.5)
        torch.manual_seed(seed)
        task.train_step(batch, step)
        bounds.append(-sum(float(term) for term in step.terms["autoencoder"].values()))
    found = torch.tensor(bounds)
    assert abs(found.mean().item() - measured) < 5 * found.std().item() / 100**0.5 + 1e-3


def test_the_plain_autoencoder_measures_images_and_compression() -> None:
    task = Autoencoder(Autoencoder.tiny_settings())
    assert set(task.protocols()) == {"rgb", "y8-border", "y-border", "rgb-border"}
    assert task.default_protocol == "rgb"
    assert all("compression" in protocol for protocol in task.protocols().values())
