"""The same pictures everywhere: they depend on model, seed, class and index, and on nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from genlib.analysis.diversity import class_samples
from genlib.analysis.interpolation import class_walk, pair_walks
from genlib.analysis.inversion import invert
from genlib.analysis.latent import projections
from genlib.data import FashionMNIST
from genlib.images import to_uint8
from genlib.loading import load
from genlib.metrics.features import load_extractor
from genlib.model import Conditional, Encodes, HiddenLayers, Mixture, class_mixture, single_precision
from genlib.sampling import BATCH, cycle_labels, generate, sample
from tests.tiny import NAMES, ONE_PER_FAMILY, refused, tiny_model, tiny_training

OTHERS = [name for name in ONE_PER_FAMILY if name != "vae-cnn"]


@pytest.mark.parametrize("name", NAMES)
def test_the_first_samples_do_not_depend_on_how_many(name: str) -> None:
    model = tiny_model(name)
    many, few = generate(model, BATCH + 10)[0], generate(model, 7)[0]
    assert many.shape == (BATCH + 10, 28, 28)
    assert many.dtype == torch.uint8
    assert (many[:7].int() - few.int()).abs().max() <= 1
    last = sample(model, model.draw_latent(1, 0, BATCH + 9), torch.tensor([(BATCH + 9) % 10]))
    assert (many[-1:].int() - to_uint8(last).int()).abs().max() <= 1


def test_labels_cycle_or_are_given() -> None:
    model = tiny_model("cgan-mlp")
    assert generate(model, 12)[1].tolist() == [*range(10), 0, 1]  # type: ignore[union-attr]
    assert generate(model, 3, label=7)[1].tolist() == [7, 7, 7]  # type: ignore[union-attr]
    images, labels = generate(model, 3, label=torch.tensor([1, 2, 3]))
    assert labels is not None
    mixed, none = generate(model, 3, label=class_mixture(labels))
    assert none is None
    assert torch.equal(images, mixed)
    assert cycle_labels(3, start=9).tolist() == [9, 0, 1]


@pytest.mark.parametrize("label", [[4, 4], (4, 4), np.array([4.0, 4.0]), np.int64(4), torch.tensor(4), 4])
def test_a_class_in_any_form_is_the_class(label: Any) -> None:
    model = tiny_model("cgan-mlp")
    images, labels = generate(model, np.int64(2), seed=np.uint32(3), label=label)  # type: ignore[arg-type]
    assert labels is not None and labels.tolist() == [4, 4]
    assert torch.equal(images, generate(model, 2, 3, "Coat")[0])


@pytest.mark.parametrize("label", [np.array(np.nan), torch.tensor(torch.inf), torch.tensor(3.7), np.array([0, 2.5])])
def test_what_is_no_whole_number_is_no_class(label: Any) -> None:
    with refused("no class|classes from 0 to 9"):
        generate(tiny_model("cgan-mlp"), 2, label=label)
    with refused("label takes numbers"):
        generate(tiny_model("cgan-mlp"), 2, label=torch.tensor([1 + 2j, 2]))


@pytest.mark.parametrize("kind", ["u1", "<u2", ">u2", "<u4", "<u8", ">i4", "<f2", ">f8"])
def test_numbers_of_any_type_and_order_are_labels_and_shifts(kind: str) -> None:
    model = tiny_model("cgan-mlp")
    backwards = np.array([3, 2, 1], kind)[::-1]
    shift = torch.arange(6.0) / 8
    if backwards.dtype.kind in "ui":
        assert torch.equal(generate(model, 3, label=range(1, 4))[0], generate(model, 3, label=[1, 2, 3])[0])
        assert torch.equal(generate(model, 3, label=backwards)[0], generate(model, 3, label=[1, 2, 3])[0])
    else:
        stored = shift.flip(0).numpy().astype(kind)[::-1]
        assert torch.equal(generate(model, 3, shift=stored)[0], generate(model, 3, shift=shift)[0])  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["cgan-mlp", "gmm-10", "flow-unet"])
def test_a_double_changes_nothing(name: str) -> None:
    """A shift in double precision, or a program whose default it is."""
    model = tiny_model(name)
    shift = torch.full(model.latent_shape, 0.25, dtype=torch.float64)
    expected = generate(model, 3, shift=shift.float())[0]
    assert torch.equal(generate(model, 3, shift=shift)[0], expected)
    with double():
        assert torch.equal(generate(tiny_model(name), 3, shift=shift)[0], expected)
        assert load("vae-dense-8").family == "VAE"


def test_threads_that_draw_at_once_give_the_default_back() -> None:
    """The first that comes in is gone before the second is."""
    with double():
        first, second = single_precision(), single_precision()
        for each in (first, second):
            each.__enter__()
            assert torch.get_default_dtype() == torch.float32
        first.__exit__(None, None, None)
        assert torch.get_default_dtype() == torch.float32
        second.__exit__(None, None, None)
        assert torch.get_default_dtype() == torch.float64


@contextmanager
def double() -> Iterator[None]:
    """A program whose default is double precision."""
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


def answers(name: str) -> list[torch.Tensor]:
    """What is asked of a model besides its samples."""
    model, test = tiny_model(name), FashionMNIST.load("test")
    found = [walk.images for walk in pair_walks(model, 0, 1, 3)]
    if isinstance(model, HiddenLayers | Encodes | Mixture):
        found += [each.coordinates for each in projections(model, 200).values()]
    if isinstance(model, Conditional):
        found += [class_walk(model, 0, 1, 2, 3, "features").images, class_samples(model, 4)[0].images]
    if name == "cgan-mlp":
        found += [invert(model, test.images[:2], test.labels[:2], starts=1, steps=2).__next__().images]
    return found


@pytest.mark.parametrize("name", ONE_PER_FAMILY)
def test_every_question_is_answered_the_same_beside_doubles(name: str) -> None:
    expected = answers(name)
    with double():
        for before, now in zip(expected, answers(name), strict=True):
            assert before.dtype == now.dtype
            assert torch.equal(before, now)


@pytest.mark.parametrize("name", ["vae-cnn", *(pytest.param(name, marks=pytest.mark.slow) for name in OTHERS)])
def test_a_training_is_the_same_beside_doubles(name: str, small_data: FashionMNIST, tmp_path: Path) -> None:
    """From the first step to the last figure, with the classifiers loaded anew."""
    list(tiny_training(name, tmp_path / "single", small_data))
    load_extractor.cache_clear()
    with double():
        list(tiny_training(name, tmp_path / "double", small_data))
    load_extractor.cache_clear()
    for file in ("model.safetensors", "samples.png"):
        assert (tmp_path / "double" / file).read_bytes() == (tmp_path / "single" / file).read_bytes()


def test_a_shift_moves_a_mixtures_points_and_not_the_pick() -> None:
    model = tiny_model("gmm-10")
    shift = torch.zeros(model.latent_shape)
    shift[0] = 0.7
    assert torch.equal(generate(model, 9, shift=shift)[0], generate(model, 9)[0])


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"temperature": np.nan}, "temperature takes a finite number from 0, not nan"),
        ({"temperature": np.inf}, "temperature takes a finite number from 0, not inf"),
        ({"temperature": -0.1}, "temperature takes a finite number from 0"),
        ({"shift": torch.full((3,), np.nan)}, "shift takes finite numbers that a float32 holds, up to 3.4e38"),
        ({"shift": [1e39] * 3}, "shift takes finite numbers that a float32 holds"),
        ({"shift": torch.zeros(4)}, r"shift takes numbers of shape \(3,\), not \(4,\)"),
        ({"shift": "far"}, "shift takes numbers, not 'far'"),
        ({"shift": [10**400] * 3}, "shift takes numbers, not .1000000"),
        ({"shift": [3e38] * 3}, "the model draws nothing"),
        ({"temperature": 1e39}, r"a temperature of 1e\+39 makes the noise larger than"),
    ],
)
def test_noise_that_makes_no_picture_is_refused(given: dict[str, Any], match: str) -> None:
    with refused(match):
        generate(tiny_model("vae-cnn"), 3, **given)


def test_finite_weights_that_draw_nothing_are_told() -> None:
    model = tiny_model("vae-cnn")
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(3e38 * weight.sign())  # an infinity less another is no number
    with refused("^the model draws nothing: its numbers overflow$"):
        generate(model, 3)


@pytest.mark.parametrize("start", [-1, 2**64, pytest.param(10**5000, id="digits"), 1.0, True, "0"])
def test_a_bad_start_is_refused(start: Any) -> None:
    with refused("start takes a whole number from 0"):
        generate(tiny_model("vae-cnn"), 3, start=start)


def test_numbers_of_numpy_are_settings() -> None:
    model = tiny_model("flow-unet")
    expected = generate(model, 2, steps=2, guidance=2.0)[0]
    assert torch.equal(generate(model, 2, steps=np.int64(2), guidance=np.float32(2))[0], expected)  # type: ignore[arg-type]


def test_seeds_differ_and_repeat() -> None:
    model = tiny_model("vae-cnn")
    assert generate(model, 5)[1] is None
    assert torch.equal(generate(model, 5, seed=3)[0], generate(model, 5, seed=3)[0])
    assert not torch.equal(generate(model, 5, seed=3)[0], generate(model, 5, seed=4)[0])


def test_no_noise_is_one_picture() -> None:
    images = generate(tiny_model("vae-cnn"), 5, temperature=0.0)[0]
    assert len(images.unique(dim=0)) == 1


@pytest.mark.parametrize("n", [0, -1, 1_000_000, 2.0, True, "64"])
def test_a_bad_count_is_refused(n: Any) -> None:
    with refused("n takes a whole number from 1 to 100000"):
        generate(tiny_model("vae-cnn"), n)


@pytest.mark.parametrize("label", [10, -1, pytest.param(10**5000, id="digits")])
def test_a_bad_label_is_refused(label: int) -> None:
    with refused("no class|label takes"):
        generate(tiny_model("cgan-mlp"), 4, label=label)


def test_a_label_for_a_model_without_is_refused() -> None:
    with refused("a VAE model takes no label"):
        generate(tiny_model("vae-cnn"), 4, label=3)


def test_a_bad_seed_is_refused() -> None:
    with refused("seed takes a whole number"):
        generate(tiny_model("vae-cnn"), 4, seed=-1)


def test_sampling_switches_to_evaluation() -> None:
    model = tiny_model("cgan-mlp").train()
    z, y = model.draw_latent(4, 0), cycle_labels(4)
    assert torch.equal(sample(model, z, y), sample(model, z, y))
    assert not model.training


@pytest.mark.parametrize(
    "label", [torch.zeros(3, dtype=torch.int64), torch.full((4,), 10), torch.zeros(4, 9), "coatt", 10]
)
def test_labels_that_do_not_fit_are_refused(label: torch.Tensor | str | int) -> None:
    with refused("label takes|no class"):
        generate(tiny_model("cgan-mlp"), 4, label=label)


@pytest.mark.parametrize("shares", [(0.5, 0.4), (1.5, -0.5), (float("nan"), 1.0)])
def test_a_class_mixture_is_a_distribution(shares: tuple[float, float]) -> None:
    mixture = torch.zeros(2, 10)
    mixture[:, 0] = 1.0
    mixture[1, :2] = torch.tensor(shares)
    with refused("the shares of a class mixture must be non-negative and sum to 1"):
        generate(tiny_model("cgan-mlp"), 2, label=mixture)


def test_a_label_may_be_a_name() -> None:
    model = tiny_model("cgan-mlp")
    assert torch.equal(generate(model, 4, label="coat")[0], generate(model, 4, label=4)[0])
