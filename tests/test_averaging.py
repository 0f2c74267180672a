"""The moving average: its warm-up by hand, and batch-norm statistics that fit the averaged weights."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genlib.config import Config, option
from genlib.model import Descend, Model
from genlib.training.averaging import AveragedModel


@dataclass(frozen=True)
class ToyConfig(Config):
    """A generator of one dense layer and its batch norm."""

    latent_size: int = option(3, "numbers in a latent", 1, 10)


class Toy(Model):
    averaged = ("generator",)
    config: ToyConfig

    def __init__(self, config: ToyConfig) -> None:
        super().__init__(config)
        self.generator = nn.Sequential(nn.Linear(config.latent_size, 784), nn.BatchNorm1d(784), nn.Tanh())
        self.discriminator = nn.Linear(784, 1)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.latent_size,)

    def sample(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return self.generator(z).view(-1, 1, 28, 28)

    def train_step(self, x: Tensor, y: Tensor, descend: Descend) -> dict[str, Tensor]:
        return {}


def fill(module: nn.Module, value: float) -> None:
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.fill_(value)


def test_average_by_hand() -> None:
    """decay_t = min(0.999, (1 + t) / (10 + t)): 0.1, 2/11, then 0.999 for large t."""
    model = Toy(ToyConfig())
    fill(model, 0.0)
    average = AveragedModel(model)
    followed = average.model.generator[0].weight  # type: ignore[union-attr,index]
    expected = 0.0
    for t, decay in ((0, 0.1), (1, 2 / 11), (100_000, Model.average_decay)):
        fill(model, 1.0 + t)
        average.update(t)
        expected = decay * expected + (1 - decay) * (1.0 + t)
        torch.testing.assert_close(followed, torch.full_like(followed, expected))


def test_only_the_averaged_parts_follow() -> None:
    model = Toy(ToyConfig())
    average = AveragedModel(model)
    before = {key: value.clone() for key, value in average.model.state_dict().items()}
    fill(model, 5.0)
    average.update(0)
    for key, value in average.model.state_dict().items():
        follows = key.startswith("generator.") and key.endswith(("weight", "bias"))
        assert torch.equal(value, before[key]) is not follows, key
    assert set(average.state()) == {key for key in before if key.startswith("generator.")}


def test_the_trained_model_is_left_alone() -> None:
    model = Toy(ToyConfig()).train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    average = AveragedModel(model)
    average.update(0)
    average.calibrate()
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert model.training
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_calibration_measures_the_layer_before_the_norm() -> None:
    model = Toy(ToyConfig())
    calibrated = AveragedModel(model).calibrate()
    assert not calibrated.training
    linear, norm = calibrated.generator[0], calibrated.generator[1]  # type: ignore[union-attr,index]
    batches = linear(model.draw_latent(2000, 0)).view(10, 200, 784)
    torch.testing.assert_close(norm.running_mean, batches.mean((0, 1)), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(norm.running_var, batches.var(1).mean(0), atol=1e-5, rtol=1e-4)


def test_calibration_is_repeatable() -> None:
    average = AveragedModel(Toy(ToyConfig()))
    first = {key: value.clone() for key, value in average.calibrate().state_dict().items()}
    assert all(torch.equal(value, first[key]) for key, value in average.calibrate().state_dict().items())
