"""Figures typed into prose are those that were measured: each sentence with its figures as fields, filled in anew."""

from __future__ import annotations

import math
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import pytest

from genlib.data import FashionMNIST
from genlib.findings.claims import WHY
from genlib.io.files import read_json, write_json
from genlib.loading import weights_directory
from genlib.metrics import floor
from genlib.metrics.features import load_extractor
from genlib.metrics.floor import load_floor, load_random, training_floor
from genlib.metrics.frechet import Gaussian, frechet_distance
from genlib.models import get_preset
from genlib.zoo.figures import FIGURES
from genlib.zoo.signs import signs_of
from tests.tiny import SHIPPED

ROOT = Path(__file__).resolve().parent.parent
PAGES = (
    *("README.md", "CHANGELOG.md", "docs/models.md", "docs/recipes.md", "docs/bigger-machines.md"),
    *("ui/compare.py", "ui/leaderboard.py"),
)
M = {name: read_json(weights_directory() / name / "metrics.json") for name in SHIPPED}
H = {
    name: {record["epoch"]: record for record in read_json(weights_directory() / name / "history.json")["epochs"]}
    for name in SHIPPED
}


def percent(figures: dict[str, Any]) -> dict[str, float]:
    return {key: 100 * value for key, value in figures.items() if isinstance(value, int | float)}


def price(d: int, n: int) -> float:
    """What a Gaussian more in d dimensions must earn in nats a point of n to pay for itself in BIC (Schwarz 1978)."""
    return (1 + d + d * (d + 1) / 2) * math.log(n) / (2 * n)


def varies(name: str) -> float:
    """The standard deviation between a model's trainings, in per cent."""
    return 100 * stdev(M[name]["fd_trainings"]) / mean(M[name]["fd_trainings"])


SEVERAL = [name for name in SHIPPED if "fd_trainings" in M[name]]
LIKELIHOODS = {name: [0, *M[name]["bic_curve"]["log_likelihood"][0]] for name in ("ae-gmm-best", "vae-gmm-best")}
MEASURED: dict[str, Any] = {
    "m": M,
    "p": {name: percent(figures) for name, figures in M.items()},
    "h": H,
    "real": load_floor(),
    "seen": percent(load_floor()),
    "looked": training_floor(5_000),
    "covered": {n: 100 * load_floor(n)["coverage"] for n in floor.SIZES},
    "right": {opinion: 100 * load_extractor(opinion).accuracy for opinion in ("first", "second")},
    "price": {"ae": price(392, 60_000), "vae": price(8, 60_000), "class": price(392, 6_000)},
    "minutes": {name: figures["train_seconds"] / 60 for name, figures in M.items()},
    "likely": LIKELIHOODS,
    "lower": 100 * (1 - mean(M["vae-cnn"]["fd_trainings"]) / mean(M["vae-dense-8"]["fd_trainings"])),
    "varies": {name: varies(name) for name in SEVERAL},
    "least": min(map(varies, SEVERAL)),
    "most": max(varies(name) for name in SEVERAL if name != "ae-cnn"),
}
TEXTS = {
    **{name: (ROOT / name).read_text("utf-8") for name in PAGES},
    "claim 1": WHY[1],
    "gan-dense-cnn": get_preset("gan-dense-cnn").differs,
    "floor": floor.__doc__ or "",
    "mixtures": (ROOT / "genlib/models/latent_mixture.py").read_text("utf-8"),
}
SENTENCES = [
    (
        "CHANGELOG.md",
        "a Frechet distance of {m[cgan-conv][fd]:.2f} where the best of the studies' models has "
        "{m[dcgan-dense-stem][fd]:.2f}",
    ),
    (
        "CHANGELOG.md",
        "({m[cvae-cnn][fd]:.2f} to {m[vae-cnn][fd]:.2f}, {m[cvae-cnn][fd_second]:.2f} to {m[vae-cnn][fd_second]:.2f})",
    ),
    ("CHANGELOG.md", "a Frechet distance of {m[flow-unet][fd]:.2f}, recall {m[flow-unet][recall]:.2f}"),
    ("CHANGELOG.md", "a distance of {m[flow-one-step][fd]:.2f}, recall {m[flow-one-step][recall]:.2f}"),
    ("CHANGELOG.md", "distance is {m[cgmm][fd]:.2f}, the best of all mixtures"),
    ("README.md", "0 is perfect, training photographs score {real[fd]:.2f}."),
    ("docs/models.md", "garments (128 features, {right[first]:.1f} % accuracy on the test split)"),
    ("docs/models.md", "training photographs in the samples' place score {real[fd]:.2f}: that is the first row"),
    ("docs/models.md", "a classifier of another kind ({right[second]:.1f} %)"),
    ("docs/models.md", "Test photographs are at {real[nearest_train]:.2f}; copies would be near 0."),
    ("docs/models.md", "varies by {least:.1f} to {most:.1f} % (one standard deviation)"),
    ("docs/models.md", "a Gaussian that training never saw, by {varies[ae-cnn]:.0f} %."),
    ("docs/recipes.md", "(as many test photographs score {looked:.2f})"),
    ("docs/recipes.md", "dcgan-dense-stem, stands at {h[dcgan-dense-stem][100][fd]:.2f} after 100 epochs"),
    (
        "docs/recipes.md",
        "at most 0.9 (it is {m[cgan-conv][fd]:.2f}), the class seen at least 92 % of the time "
        "({p[cgan-conv][class_consistency]:.1f} %), near copies at most 0.02 ({m[cgan-conv][near_copies]:.4f}) and a "
        "recall of at least 0.6: that one is missed, at {m[cgan-conv][recall]:.2f} (0.33",
    ),
    ("docs/recipes.md", "at the price of precision (0.76 instead of {m[cgan-conv][precision]:.2f})"),
    ("docs/recipes.md", "| distance | 0.48 | {m[flow-unet][fd]:.2f} | 0.5 |"),
    ("docs/recipes.md", "| second opinion | 0.17 | {m[flow-unet][fd_second]:.2f} | |"),
    ("docs/recipes.md", "| recall | 0.72 | {m[flow-unet][recall]:.2f} | 0.6 |"),
    ("docs/recipes.md", "| near copies | 0.0012 | {m[flow-unet][near_copies]:.4f} | 0.02 |"),
    (
        "docs/recipes.md",
        "| class seen | 89 % | {p[flow-unet][class_consistency]:.1f} % (photographs: {seen[class_consistency]:.1f} %)",
    ),
    (
        "docs/recipes.md",
        "stands at {m[cvae-cnn][fd]:.2f} (second opinion {m[cvae-cnn][fd_second]:.2f}), where vae-cnn has "
        "{m[vae-cnn][fd]:.2f} ({m[vae-cnn][fd_second]:.2f}) after its {m[vae-cnn][train_epochs]} epochs and vae-cnn-50 "
        "{m[vae-cnn-50][fd]:.2f} ({m[vae-cnn-50][fd_second]:.2f}) after {m[vae-cnn-50][train_epochs]}",
    ),
    (
        "docs/recipes.md",
        "seen as asked for in {p[cvae-cnn][class_consistency]:.0f} % of the samples only (photographs: "
        "{seen[class_consistency]:.1f} %)",
    ),
    ("docs/recipes.md", "Recall is {m[cvae-cnn][recall]:.2f}, as the other VAEs'"),
    (
        "docs/recipes.md",
        "distance {m[flow-one-step][fd]:.2f} (aim 0.9), second opinion {m[flow-one-step][fd_second]:.2f}, recall "
        "{m[flow-one-step][recall]:.2f} (aim 0.6; cgan-conv has {m[cgan-conv][recall]:.2f}, the flow "
        "{m[flow-unet][recall]:.2f}), near copies {m[flow-one-step][near_copies]:.4f}, the class seen in "
        "{p[flow-one-step][class_consistency]:.1f} % (aim 92; photographs {seen[class_consistency]:.1f} %)",
    ),
    ("docs/recipes.md", "a component more must earn {price[ae]:.1f} to pay for itself in BIC ({price[vae]:.4f} on"),
    (
        "docs/recipes.md",
        "from each, {m[ae-gmm-best][train_epochs]:,} iterations and {minutes[ae-gmm-best]:.0f} minutes of a core",
    ),
    ("docs/recipes.md", "BIC then prefers {m[ae-gmm-best][components]} components"),
    (
        "docs/recipes.md",
        "and {m[vae-gmm-best][fd]:.2f} for 20 components; for 11 it went from 7.96 to {m[vae-gmm-11][fd]:.2f}",
    ),
    ("docs/recipes.md", "{m[cgmm][components]} in all; a component of a class must earn {price[class]:.0f} nats"),
    (
        "docs/recipes.md",
        "({m[cgmm][log_likelihood]:.0f} nats an image with {m[cgmm][components]} Gaussians, where 12 without classes "
        "have {likely[ae-gmm-best][12]:.0f})",
    ),
    ("docs/recipes.md", "a distance of {m[cgmm][fd]:.2f}, where ae-gmm-18 has {m[ae-gmm-18][fd]:.2f}"),
    ("docs/recipes.md", "{m[cgmm][train_epochs]} iterations, {minutes[cgmm]:.1f} minutes of a core"),
    ("ui/compare.py", "classifier ({seen[class_consistency]:.1f} % right on the test images)"),
    ("docs/bigger-machines.md", "that of ten thousand {m[gan-dense-1][fd]:.2f}: compare at equal numbers"),
    ("claim 1", "The distance is {lower:.0f} % lower over three trainings of each"),
    ("gan-dense-cnn", "its garments are clean (precision {m[gan-dense-cnn][precision]:.2f})"),
    ("gan-dense-cnn", "hardly a photograph lies among them (recall {m[gan-dense-cnn][recall]:.3f})"),
    ("floor", "a thousand photographs cover {covered[1000]:.0f} % of the test split's"),
    ("floor", "neighbourhoods, ten thousand {covered[10000]:.0f} %"),
    ("mixtures", "{price[ae]:.1f} nats an image with ae-cnn, {price[vae]:.4f} with the VAE"),
]


def plain(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("case", range(len(SENTENCES)))
def test_a_sentence_says_what_was_measured(case: int) -> None:
    name, sentence = SENTENCES[case]
    assert sentence.format(**MEASURED) in plain(TEXTS[name])


def test_what_a_training_that_came_to_nothing_is_held_against(test_split: FashionMNIST, tmp_path: Path) -> None:
    extractor = load_extractor()
    features = extractor.features(test_split.images[:5_000])
    classes = [features[test_split.labels[:5_000].numpy() == label] for label in range(10)]
    alone = [frechet_distance(Gaussian.of(each), extractor.test) for each in classes]
    assert min(alone) == pytest.approx(25, abs=1) and max(alone) == pytest.approx(40, abs=1)
    repeated = np.square(features - extractor.test.mean).sum(1) + extractor.test.covariance.trace()
    assert np.median(repeated) == pytest.approx(55, abs=1)
    write_json(tmp_path / "history.json", {"epochs": [], "sample_epochs": []})
    (told,) = signs_of(tmp_path, 65.0)
    noise = f"{load_random()['fd']:.0f}"
    assert f"one class alone score 25 to 40, noise {noise}, one photograph again and again mostly 55" in told


def rows(section: str, head: str) -> list[list[str]]:
    """The cells of the table that begins with a head, in a section of the recipes."""
    text = TEXTS["docs/recipes.md"].partition(f"## {section}\n")[2].partition("\n## ")[0]
    lines = text[text.index(head) :].splitlines()
    table = lines[: next((i for i, line in enumerate(lines) if not line.startswith("|")), len(lines))]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def test_a_history_in_the_recipes_is_that_of_the_shipped_model() -> None:
    _, _, *epochs = rows("cgan-conv", "| epoch |")
    for epoch, averaged, raw in epochs:
        record = H["cgan-conv"][int(epoch)]
        assert (averaged, raw) == (f"{record['fd']:.2f}", f"{record['fd_raw']:.2f}")
    for name in ("flow-unet", "flow-one-step"):
        (_, *epochs), _, (_, *distances) = rows(name, "| epoch |")
        assert distances == [f"{H[name][int(epoch)]['fd']:.2f}" for epoch in epochs]


@pytest.mark.parametrize(("name", "form", "place"), [("ae-gmm-best", ".1f", 0), ("vae-gmm-best", ".3f", 1)])
def test_likelihoods_in_the_recipes_are_those_of_the_shipped_search(name: str, form: str, place: int) -> None:
    heads = ["| components | 2 |", "| components | 4 |"]
    (_, *sizes), *_, (what, *shipped) = rows("The mixtures", heads[place])
    assert what.endswith("(as shipped)")
    found = [format(LIKELIHOODS[name][int(size)], form) for size in sizes if size.isdigit()]
    assert shipped == found + [str(M[name]["train_epochs"])] * (len(sizes) - len(found))


def test_the_table_of_other_trainings_is_what_was_measured() -> None:
    lines = [line for line in TEXTS["docs/models.md"].splitlines() if line.startswith("| `")]
    expected = {
        f"| `{name}` | "
        + ", ".join(f"{value:.2f}" for value in M[name]["fd_trainings"])
        + f" | {M[name]['fd_std']:.2f} | "
        + ", ".join(f"{value:.2f}" for value in M[name]["fd_second_trainings"])
        + " | "
        + ", ".join(f"{value:.3f}" for value in M[name]["recall_trainings"])
        + " |"
        for name in SEVERAL
    }
    assert set(lines) == expected
    assert len(SEVERAL) == 10
    ten = (
        ("docs/models.md", "Ten models were trained"),
        ("README.md", "Ten were trained three"),
        ("ui/leaderboard.py", "Ten of"),
    )
    assert all(words in TEXTS[name] for name, words in ten)


def test_a_figure_of_one_sample_seed_says_so() -> None:
    """What has no spread between seeds is not their mean."""
    of_samples = ("fd", "fd_second", "fd_raw", "kid", "precision", "recall", "density", "coverage")
    of_samples += ("class_consistency", "balance_kl", "cas", "nearest_train", "near_copies")
    spread = set().union(*(figures["spread"] for figures in M.values()))
    for key in of_samples:
        assert FIGURES[key].meaning.endswith("Of one sample seed.") is (key not in spread), key
