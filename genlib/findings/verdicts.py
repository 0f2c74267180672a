"""How each claim of the studies is tested: the figures that meet its rule in `genlib.findings.claims`, or do not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import pairwise
from statistics import mean, median, pstdev
from typing import Any

import torch
from torch import Tensor

from genlib.analysis.components import contents
from genlib.analysis.diversity import class_samples, diversity
from genlib.analysis.interpolation import class_walk, pair_walks
from genlib.analysis.inversion import invert
from genlib.analysis.latent import hidden_projections, untrained_accuracies
from genlib.data import CLASS_NAMES, FashionMNIST
from genlib.errors import GenlibError
from genlib.loading import load, model_directory
from genlib.metrics.features import load_extractor
from genlib.metrics.settings import Settings, load_settings
from genlib.model import Model
from genlib.sampling import generate
from genlib.zoo.files import SAID_OF_EACH, read_metrics, read_records
from genlib.zoo.leaderboard import OPINIONS, better, over_trainings


class Unjudged(GenlibError):
    """A rule cannot be asked of these figures."""


Outcome = tuple[bool, str]  # whether a part of the claim holds, and the figures in words


class Measured:
    """A shipped model's files, and the model itself where a rule asks for more than they say."""

    def __init__(self, name: str) -> None:
        self.name, self._directory = name, model_directory(name)

    @cached_property
    def metrics(self) -> dict[str, Any]:
        return read_metrics(self._directory, SAID_OF_EACH)

    @cached_property
    def epochs(self) -> list[dict[str, Any]]:
        return read_records(self._directory)["epochs"]

    @cached_property
    def settings(self) -> Settings:
        """GenlibError where its steps and guidance were not measured."""
        found = load_settings(self._directory)
        if found is None:
            raise GenlibError(f"{self.name} was not measured at other settings; genlib path {self.name} --keep does")
        return found

    @cached_property
    def model(self) -> Model:
        return load(self._directory)

    def losses(self, name: str) -> list[float]:
        """A loss by epoch."""
        return [record["losses"][name] for record in self.epochs]

    def distances(self, key: str = "fd") -> dict[int, float]:
        """The distance in training by epoch, where it was measured."""
        return {record["epoch"]: record[key] for record in self.epochs if key in record}


def _better(a: Measured, b: Measured) -> Outcome:
    """Whether a's Frechet distance is better than b's, as BETTER says."""
    return better(a.metrics, b.metrics), ", ".join(map(_opinions, (a, b)))


def _opinions(model: Measured) -> str:
    """A model's two distances in words; of several trainings the means, and the spread between them."""
    told = []
    for key in OPINIONS:
        value, spread = over_trainings(model.metrics, key)
        told.append(f"{value:.2f}" + (f" +- {spread:.2f}" if f"{key}_trainings" in model.metrics else ""))
    return f"{model.name} {' and '.join(told)}"


def _below(a: float, b: float, label: str = "", unit: str = "") -> Outcome:
    return a < b, f"{label}{a:.4g}{unit} against {b:.4g}{unit}"


def _convolutional_vaes(cnn: Measured, dense: Measured) -> list[Outcome]:
    a, b = cnn.losses("loss"), dense.losses("loss")
    parameters = cnn.metrics["parameters"], dense.metrics["parameters"]
    return [
        _below(a[0], b[0]),
        _below(a[14], b[14]),
        _better(cnn, dense),
        (parameters[0] < parameters[1], f"{parameters[0]:,} against {parameters[1]:,}"),
    ]


def _larger_latent(large: Measured, small: Measured) -> list[Outcome]:
    a, b = (mean(each.metrics.get("mse_trainings") or [each.metrics["mse"]]) for each in (large, small))
    return [(a <= 0.9 * b, f"{a:.4f} against {b:.4f}"), _better(large, small)]


def _components(mixture: Measured) -> list[Outcome]:
    majority = contents(mixture.model).classes.argmax(1).bincount(minlength=10)
    repeated = [CLASS_NAMES[i] for i in range(10) if majority[i] > 1]
    missed = [CLASS_NAMES[i] for i in range(10) if not majority[i]]
    return [
        (bool(repeated), ", ".join(repeated) or "none repeats"),
        (bool(missed), ", ".join(missed) or "none is missed"),
        (CLASS_NAMES[0] in repeated, f"components that are mostly {CLASS_NAMES[0]}: {int(majority[0])}"),
    ]


def _bic(best: Measured) -> list[Outcome]:
    curve = best.metrics["bic_curve"]
    _check_rising(best.name, curve)
    picks = [1 + row.index(min(value for value in row if value is not None)) for row in curve["bic"]]
    told = [
        f"{pick} components (regularisation {share:g})"
        for pick, share in zip(picks, curve["regularisation"], strict=True)
    ]
    return [(16 <= picks[0] <= 20, told[0]), (16 <= picks[1] <= 20, told[1]), (picks[0] < 20, told[0])]


def _check_rising(name: str, curve: dict[str, Any]) -> None:
    """Unjudged where a component more fits worse: such a fit stopped short of what one less reaches."""
    for fits in curve["log_likelihood"]:
        for k, (fewer, more) in enumerate(pairwise(fits), start=2):
            if more < fewer:
                raise Unjudged(f"{name} fits worse with {k} components than with {k - 1}: its search stopped short")


def _latents_under_mixtures(*models: Measured) -> list[Outcome]:
    pairs = list(zip(models[::2], models[1::2], strict=True))
    coverage = [[(each.metrics["coverage"], each.metrics["spread"]["coverage"]) for each in pair] for pair in pairs]
    higher = [a - b > 2 * (spread_a + spread_b) for (a, spread_a), (b, spread_b) in coverage]
    told = "; ".join(f"{a:.3f} against {b:.3f}" for (a, _), (b, _) in coverage)
    return [*(_better(vae, ae) for vae, ae in pairs), (all(higher), told)]


def _overfitting(large: Measured, small: Measured) -> list[Outcome]:
    def gap(model: Measured) -> float:
        last = model.epochs[-max(1, len(model.epochs) // 5) :]
        return 100 * mean(record["accuracy_train"] - record["accuracy_test"] for record in last)

    a, b = gap(large), gap(small)
    return [_better(large, small), (b <= a - 2, f"{large.name} {a:.1f} points, {small.name} {b:.1f}")]


def _balance(convolutional: Measured, dense: Measured) -> list[Outcome]:
    fd, recall = dense.metrics["fd"], dense.metrics["recall"]
    collapsed = recall < 0.05 or fd > 28.3
    return [_better(convolutional, dense), (collapsed, f"recall {recall:.3f}, Frechet distance {fd:.2f}")]


def _laplacian(images: Tensor) -> float:
    """Mean absolute Laplacian of uint8 images (N, 28, 28), in gray levels: fine detail."""
    kernel = torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]]).view(1, 1, 3, 3)
    return float(torch.nn.functional.conv2d(images.unsqueeze(1).float(), kernel).abs().mean())


def _feature_maps(wide: Measured, narrow: Measured) -> list[Outcome]:
    real = _laplacian(FashionMNIST.load("test").images)
    a, b = (_laplacian(generate(each.model, 2_000)[0]) for each in (wide, narrow))
    seconds = [median(record["seconds"] for record in each.epochs) for each in (wide, narrow)]
    memory = [each.metrics["peak_memory_mb"] for each in (wide, narrow)]
    return [
        _better(wide, narrow),
        (abs(a - real) < abs(b - real), f"{a:.1f} and {b:.1f} gray levels, test images {real:.1f}"),
        (seconds[0] >= 1.2 * seconds[1], f"{seconds[0]:.0f} s against {seconds[1]:.0f} s"),
        (memory[0] >= 1.05 * memory[1], f"{memory[0]:.0f} MB against {memory[1]:.0f} MB"),
    ]


def _dcgan_curves(dcgan: Measured) -> list[Outcome]:
    g, d = dcgan.losses("generator"), dcgan.losses("discriminator")
    quarter, fifth = max(2, len(g) // 4), max(1, len(g) // 5)
    peak, late = max(g[1:quarter]), mean(d[-quarter:])
    settled = [abs(mean(x[-fifth:]) / mean(x[-2 * fifth : -fifth]) - 1) for x in (g, d)]
    longest = []
    for walk in pair_walks(dcgan.model, 0, 20, 65):
        steps = torch.from_numpy(load_extractor().features(walk.images)).diff(dim=0).norm(dim=1)
        longest.append(float(steps.max() / steps.mean()))
    smooth = sum(ratio < 4 for ratio in longest)
    return [
        (peak >= 1.05 * g[0], f"at most {peak:.3f} in epochs 2 to {quarter}, {g[0]:.3f} in the first"),
        _below(late, d[0]),
        (max(settled) < 0.1, f"changes of {100 * settled[0]:.1f} % (G) and {100 * settled[1]:.1f} % (D)"),
        (smooth >= 18, f"{smooth} of 20 walks; the roughest step is {max(longest):.1f} times its walk's mean"),
    ]


def _followed(gan: Measured) -> list[Outcome]:
    raw, g, d = gan.distances("fd_raw"), gan.losses("generator"), gan.losses("discriminator")
    early = raw[min(raw, key=lambda epoch: abs(epoch - 20))]
    middle = median(fd for epoch, fd in raw.items() if 101 <= epoch <= 300)
    late = median(fd for epoch, fd in raw.items() if 301 <= epoch <= 500)
    unrest, fall = pstdev(d[50:]) / mean(d[50:]), min(g[1:50]) / g[0] - 1
    m = gan.metrics
    ratio = m["nearest_train"] / m["nearest_train_test"]
    return [
        (early < raw[1] / 2, f"{raw[1]:.1f} at epoch 1, {early:.2f} about epoch 20"),
        (abs(late / middle - 1) < 0.2, f"{middle:.2f}, then {late:.2f}"),
        (unrest < 0.1, f"{100 * unrest:.1f} % of its mean"),
        (fall <= -0.1, f"{100 * fall:+.0f} % at its lowest"),
        (m["recall"] >= 0.1 and m["balance_kl"] < 0.3, f"recall {m['recall']:.3f}, {m['balance_kl']:.3f} nats"),
        (ratio >= 0.9, f"{ratio:.2f} times"),
    ]


def _real_or_fake(gan: Measured) -> list[Outcome]:
    last = gan.epochs[-1]
    real, fake = 100 * last["accuracy_test"], 100 * last["accuracy_fake"]
    return [(real <= fake - 2, f"{real:.1f} % on test images, {fake:.1f} % on fakes")]


def _midpoints(gan: Measured) -> list[Outcome]:
    def passing(start: str, end: str, through: str) -> float:
        ends = CLASS_NAMES.index(start), CLASS_NAMES.index(end)
        frames = torch.cat([class_walk(gan.model, seed, *ends, 21).images for seed in range(500)])
        seen = load_extractor().predict(frames).view(500, 21)
        return 100 * float((seen == CLASS_NAMES.index(through)).any(1).double().mean())

    coat, sneaker = passing("T-shirt/top", "Dress", "Coat"), passing("Shirt", "Coat", "Sneaker")
    return [(coat >= 50, f"{coat:.1f} % of the walks"), (sneaker >= 5, f"{sneaker:.1f} % of the walks")]


def _clusters(gan: Measured) -> list[Outcome]:
    before, after = hidden_projections(gan.model, 4_000).values()
    _, untrained = untrained_accuracies(gan.model, 4_000).values()

    def learned(trained: float, least: float, untrained: float) -> Outcome:
        told = f"{100 * trained:.1f} %, before any training {100 * untrained:.1f} %"
        return trained >= least and trained >= untrained + 0.05, told

    return [
        learned(after.separability, 0.9, untrained[0]),
        learned(after.visible, 0.5, untrained[1]),
        (after.visible > before.visible, f"{100 * after.visible:.1f} % after, {100 * before.visible:.1f} % before"),
    ]


def _inversion(gan: Measured) -> list[Outcome]:
    test = FashionMNIST.load("test")
    images, labels = test.images[:50], test.labels[:50]
    *_, found = invert(gan.model, images, labels)
    fresh = (generate(gan.model, 50, 1, labels)[0].float() - images.float()) / 255
    a, b = float(found.errors.median()), float(fresh.square().mean((1, 2)).median())
    return [(a <= b / 2, f"{a:.4f} against {b:.4f}, 50 test images")]


def _diversity(gan: Measured) -> list[Outcome]:
    spreads = [diversity(each.images) or 0.0 for each in class_samples(gan.model, 200)]
    least, most = spreads.index(min(spreads)), spreads.index(max(spreads))
    told = f"{CLASS_NAMES[most]} {spreads[most]:.2f}, {CLASS_NAMES[least]} {spreads[least]:.2f}"
    copies = 100 * gan.metrics["near_copies"]
    return [(spreads[most] >= 1.2 * spreads[least], told), (copies < 5, f"{copies:.2f} %")]


def _growing_vaes(small: Measured, large: Measured, cnn: Measured, longer: Measured) -> list[Outcome]:
    curves = {each.name: list(each.distances().values()) for each in (small, large, cnn, longer)}
    told = ", ".join(f"{name} {curve[0]:.1f} to {curve[-1]:.1f}" for name, curve in curves.items())
    return [
        (all(curve[-1] <= 0.9 * curve[0] for curve in curves.values()), told),
        _better(large, small),
        _better(cnn, large),
    ]


def _then_and_now(*models: Measured) -> list[Outcome]:
    *now, equal, best = models
    sizes = [each.metrics["parameters"] for each in (*now, equal)]
    told = ", ".join(f"{each.name} {size:,}" for each, size in zip((*now, equal), sizes, strict=True))
    return [(max(sizes[:-1]) <= 1.1 * sizes[-1], told), _all_better(now, equal), _all_better(now, best)]


def _all_better(models: Sequence[Measured], other: Measured) -> Outcome:
    """Whether each of the models is better than the other, as BETTER says."""
    outcomes = [_better(each, other) for each in models]
    return all(holds for holds, _ in outcomes), ", ".join(map(_opinions, (*models, other)))


def _one_step(flow: Measured, student: Measured) -> list[Outcome]:
    single = flow.settings.by_steps(flow.metrics["guidance"])[0]
    (learned,) = [row for row in flow.settings.students() if row.model == student.name]
    a, b = (row.figures | {f"{key}_std": value for key, value in row.spread.items()} for row in (learned, single))
    told = [f"{name} {row['fd']:.2f} and {row['fd_second']:.2f}" for name, row in ((student.name, a), (flow.name, b))]
    times = student.metrics["ms_64"], flow.metrics["ms_64"]
    return [
        _better(flow, student),
        (better(a, b), f"{', '.join(told)}, of {flow.settings.samples:,} samples"),
        (10 * times[0] <= times[1], f"{times[0]:.0f} ms against {times[1]:,.0f} ms"),
    ]


def _guided(flow: Measured) -> list[Outcome]:
    rows = {row.guidance: row for row in flow.settings.by_guidance(flow.metrics["steps"])}
    outcomes = []
    for key, sign in (("precision", 1), ("recall", -1), ("class_consistency", 1)):
        weak, strong = (rows[guidance].figures[key] for guidance in (1.0, 3.0))
        spread = 2 * sum(rows[guidance].spread[key] for guidance in (1.0, 3.0))
        outcomes.append((sign * (strong - weak) > spread, f"{strong:.3f} against {weak:.3f}"))
    return outcomes


TESTS: dict[int, Callable[..., list[Outcome]]] = {
    1: _convolutional_vaes,
    2: _larger_latent,
    3: _components,
    4: _bic,
    5: _latents_under_mixtures,
    6: _overfitting,
    7: _balance,
    8: _feature_maps,
    9: _dcgan_curves,
    10: _followed,
    11: _real_or_fake,
    12: _midpoints,
    13: _clusters,
    14: _inversion,
    15: _diversity,
    16: _growing_vaes,
    17: _then_and_now,
    18: _one_step,
    19: _guided,
}
