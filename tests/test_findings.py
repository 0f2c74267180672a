"""The claims' rules, on figures made up to sit on either side of each threshold, and on the shipped ones."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from genlib.findings import judge as findings
from genlib.findings import verdicts
from genlib.findings.claims import CLAIMS, WHY, Claim
from genlib.findings.judge import judge_claim, shipped_findings
from genlib.findings.verdicts import Measured
from genlib.io.files import read_json
from genlib.loading import model_directory
from genlib.models import presets


class Figures(Measured):
    """A model of made-up figures."""

    def __init__(self, name: str = "m", epochs: list[dict[str, Any]] | None = None, **metrics: Any) -> None:
        self.name = name
        own = {"fd_std": 0.01, **metrics}
        second = {"fd_second": own.get("fd"), "fd_second_std": own["fd_std"]}  # which agrees, unless told otherwise
        self.__dict__["metrics"] = second | own
        self.__dict__["epochs"] = epochs or []


def curve(**losses: list[float]) -> list[dict[str, Any]]:
    """An epoch's records of losses."""
    rows = zip(*losses.values(), strict=True)
    return [{"epoch": i, "losses": dict(zip(losses, row, strict=True))} for i, row in enumerate(rows, start=1)]


def claim(number: int) -> Claim:
    return CLAIMS[number - 1]


def holds(number: int, *models: Figures) -> list[bool]:
    """The outcome of each part of a claim."""
    return [outcome[0] for outcome in verdicts.TESTS[number](*models)]


def test_every_claim_has_a_rule_and_a_test_of_its_models() -> None:
    assert [each.number for each in CLAIMS] == list(range(1, 20)) == list(verdicts.TESTS)
    for each in CLAIMS:
        assert each.rule
        assert set(each.models) <= set(presets())
        inspect.signature(verdicts.TESTS[each.number]).bind(*each.models)


@pytest.mark.parametrize(
    ("a", "b", "std", "better"),
    [(8.9, 10, 0.01, True), (9.1, 10, 0.01, False), (8.0, 10, 0.6, False), (11, 10, 0.01, False)],
)
def test_better_is_ten_percent_and_twice_the_spread(a: float, b: float, std: float, better: bool) -> None:
    assert verdicts._better(Figures(fd=a, fd_std=std), Figures(fd=b, fd_std=std))[0] is better


@pytest.mark.parametrize(
    ("outcomes", "verdict"),
    [((True, True), "holds"), ((True, False), "partly"), ((False, False), "does not hold")],
)
def test_verdicts(outcomes: tuple[bool, bool], verdict: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "_shipped", lambda _: True)
    monkeypatch.setattr(findings, "Measured", Figures)
    monkeypatch.setitem(verdicts.TESTS, 2, lambda *_: [(each, "so") for each in outcomes])
    found = judge_claim(claim(2)).to_dict()
    assert found["verdict"] == verdict
    assert [part["holds"] for part in found["parts"]] == list(outcomes)
    assert found["parts"][0]["rule"] == claim(2).rule[0]


def test_a_claim_about_a_missing_model_is_not_tested(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GENLIB_WEIGHTS", str(tmp_path))
    found = judge_claim(claim(7))
    assert found.verdict == "not tested"
    assert found.why == "not trained yet: gan-cnn, gan-dense-cnn"


def test_a_rule_that_cannot_be_asked_leaves_its_claim_untested(monkeypatch: pytest.MonkeyPatch) -> None:
    def judge(*_: object) -> list[verdicts.Outcome]:
        raise verdicts.Unjudged("a fit stopped short")

    monkeypatch.setitem(verdicts.TESTS, 4, judge)
    found = judge_claim(claim(4))
    assert (found.verdict, found.parts, found.why) == ("not tested", (), "a fit stopped short")


def test_bic_at_the_edge_is_seen() -> None:
    def best(first: int, second: int) -> Figures:
        rows = [[1000.0 + abs(k - pick) for k in range(1, 21)] for pick in (first, second)]
        rising = [[float(k) for k in range(1, 21)]] * 2
        return Figures(bic_curve={"regularisation": [1e-4, 1e-3], "bic": rows, "log_likelihood": rising})

    assert holds(4, best(18, 17)) == [True, True, True]
    assert holds(4, best(20, 3)) == [True, False, False]
    assert holds(4, best(9, 9)) == [False, False, True]


def test_bic_of_fits_that_stopped_short_judges_nothing() -> None:
    rows = {"bic": [[3.0, 2.0, 1.0]] * 2, "log_likelihood": [[1.0, 2.0, 3.0], [1.0, 3.0, 2.0]]}
    with pytest.raises(verdicts.Unjudged, match="m fits worse with 3 components than with 2: its search stopped short"):
        holds(4, Figures(bic_curve={"regularisation": [1e-4, 1e-3], **rows}))


def test_coverage_is_higher_by_more_than_its_spread() -> None:
    def mixtures(coverage: float) -> list[Figures]:
        vae, ae = (Figures(fd=8.0, coverage=each, spread={"coverage": 0.01}) for each in (coverage, 0.25))
        return [vae, ae] * 3

    assert holds(5, *mixtures(0.30)) == [False, False, False, True]
    assert holds(5, *mixtures(0.28)) == [False] * 4


def test_overfitting_is_the_gap_of_the_last_fifth() -> None:
    def gan(gap: float, fd: float) -> Figures:
        early = [{"accuracy_train": 0.5, "accuracy_test": 0.1}] * 8
        return Figures(epochs=[*early, *[{"accuracy_train": 0.6 + gap, "accuracy_test": 0.6}] * 2], fd=fd)

    assert holds(6, gan(0.10, 3), gan(0.01, 5)) == [True, True]
    assert holds(6, gan(0.02, 5), gan(0.01, 3)) == [False, False]


def test_a_collapsed_generator_is_told() -> None:
    assert holds(7, Figures(fd=3), Figures(fd=30, recall=0.2)) == [True, True]
    assert holds(7, Figures(fd=3), Figures(fd=5, recall=0.01)) == [True, True]
    assert holds(7, Figures(fd=5), Figures(fd=3, recall=0.2)) == [False, False]


def followed(g: list[float], raw: dict[int, float], d: list[float], **metrics: float) -> list[bool]:
    epochs = curve(generator=g, discriminator=d)
    for epoch, fd in raw.items():
        epochs[epoch - 1]["fd_raw"] = fd
    return holds(10, Figures(epochs=epochs, **metrics))


def test_a_followed_gan() -> None:
    good = {"recall": 0.3, "balance_kl": 0.1, "nearest_train": 3.4, "nearest_train_test": 3.5}
    bad = {"recall": 0.05, "balance_kl": 0.1, "nearest_train": 2.0, "nearest_train_test": 3.5}
    raw = {1: 30.0, 19: 8.0, 150: 4.0, 250: 4.2, 350: 4.4, 500: 4.1}
    assert followed([3.0, *[1.0] * 499], raw, [0.5] * 500, **good) == [True] * 6
    risen = raw | {19: 20.0, 350: 9.0, 500: 9.0}
    assert followed([1.0] * 500, risen, [0.5, 0.2] * 250, **bad) == [False] * 6


def test_the_laplacian_is_of_gray_levels() -> None:
    flat = torch.full((2, 28, 28), 9, dtype=torch.uint8)
    assert verdicts._laplacian(flat) == 0
    checked = flat.clone()
    checked[:, ::2, ::2], checked[:, 1::2, 1::2] = 10, 10
    assert verdicts._laplacian(checked) == 4


@pytest.mark.parametrize("number", [1, 2, 11])
def test_shipped_figures_are_judged(number: int) -> None:
    found = judge_claim(claim(number))
    assert found.verdict in ("holds", "partly", "does not hold")
    assert all(part.figures for part in found.parts)


QUOTED = [  # figures in the words behind a verdict
    (5, "vae-cnn-50", "fd", ".1f"),
    (7, "gan-dense-cnn", "fd", ".1f"),
    (7, "gan-cnn", "fd", ".1f"),
    (7, "gan-dense-cnn", "recall", ".3f"),
    (7, "gan-cnn", "recall", ".2f"),
    (8, "dcgan-64", "recall", ".2f"),
    (8, "dcgan-32", "recall", ".2f"),
    (10, "gan-fid", "fd", ".1f"),
]


@pytest.mark.parametrize(("number", "name", "key", "form"), QUOTED)
def test_figures_in_a_verdicts_words_are_those_measured(number: int, name: str, key: str, form: str) -> None:
    assert format(read_json(model_directory(name) / "metrics.json")[key], form) in WHY[number]


@pytest.mark.parametrize("number", [claim.number for claim in CLAIMS])
def test_each_verdicts_words_name_only_figures_that_are_tested_or_its_own(number: int) -> None:
    """A number with decimals in a WHY is one of QUOTED, of the rule's outcome, or listed here with its source."""
    own = {10: {"4.4", "0.69"}, 2: {"0.1"}}  # the history, log 2, the limit
    tested = {
        format(read_json(model_directory(name) / "metrics.json")[key], form)
        for of, name, key, form in QUOTED
        if of == number
    }
    assert set(re.findall(r"\d+\.\d+", WHY.get(number, ""))) <= tested | own.get(number, set())


@pytest.mark.slow
@pytest.mark.parametrize("number", [claim.number for claim in CLAIMS])
def test_shipped_verdicts_are_what_judging_gives(number: int) -> None:
    shipped = {finding.claim.number: finding for finding in shipped_findings()}[number]
    found = judge_claim(claim(number))
    assert found.verdict == shipped.verdict
    assert [part.rule for part in found.parts] == [part.rule for part in shipped.parts]
    for judged, kept in zip(found.parts, shipped.parts, strict=True):
        assert judged.holds == kept.holds
        numbers = [[float(text) for text in re.findall(r"\d+\.?\d*", part.figures)] for part in (judged, kept)]
        assert numbers[0] == pytest.approx(numbers[1], rel=0.02, abs=0.15)  # another machine rounds otherwise
