"""The Findings page: each claim with its verdict, the figures behind it, and what shows it live."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from html import escape
from urllib.parse import urlencode

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from genlib.charts.chart import Chart
from genlib.charts.evidence import evidence
from genlib.drawing import VERDICT_COLOURS
from genlib.errors import GenlibError
from genlib.findings.claims import BETTER
from genlib.findings.judge import SIGNS, VERDICTS, Finding, shipped_findings, untested_findings
from ui import pictures, zoo
from ui.words import line_of, plain

WORDS = {verdict: verdict for verdict in VERDICTS} | {"partly": "holds partly", "not tested": "not tested yet"}
BADGES = dict(zip(VERDICTS, ("blue", "orange", "red", "gray"), strict=True))
RULES = (
    "The rule for each claim, a figure and a threshold, was written down before the studies' models were trained, "
    f"except for three of them. Claims 17 to 19 are our own (see the end of the page). {BETTER}"
)
LIVE: dict[int, Sequence[tuple[str, str, dict[str, str]]]] = {
    1: (("Training history", "history", {"model": "vae-cnn"}), ("Reconstruct", "reconstruct", {"model": "vae-cnn"})),
    2: (("Reconstruct", "reconstruct", {"model": "vae-dense-64"}), ("Same question", "compare", {"family": "VAE"})),
    3: (("Mixtures", "mixtures", {"model": "gmm-10"}),),
    4: (("Mixtures", "mixtures", {"model": "ae-gmm-best"}),),
    5: (("Mixtures", "mixtures", {"model": "vae-gmm-11"}), ("Same question", "compare", {"family": "VAE + mixture"})),
    6: (("Discriminator", "discriminator", {"model": "gan-dense-2"}), ("History", "history", {"model": "gan-dense-2"})),
    7: (("Generate", "generate", {"model": "gan-dense-cnn"}), ("Same question", "compare", {"family": "GAN"})),
    8: (("Generate", "generate", {"model": "dcgan-32"}), ("Same question", "compare", {"family": "DCGAN"})),
    9: (
        ("Training history", "history", {"model": "dcgan-64"}),
        ("Interpolate", "interpolate", {"model": "dcgan-64", "between": "random pairs"}),
    ),
    10: (("Training history", "history", {"model": "gan-fid"}),),
    11: (("Discriminator", "discriminator", {"model": "cgan-mlp"}),),
    12: (
        ("T-shirt to Dress", "interpolate", {"model": "cgan-mlp", "from": "T-shirt/top", "to": "Dress"}),
        ("Shirt to Coat", "interpolate", {"model": "cgan-mlp", "from": "Shirt", "to": "Coat"}),
    ),
    13: (("Latent space", "latent", {"model": "cgan-mlp"}),),
    14: (("Reconstruct", "reconstruct", {"model": "cgan-mlp", "fresh": "true"}),),
    15: (("Diversity", "diversity", {"model": "cgan-mlp"}),),
    16: (("Training history", "history", {"model": "vae-dense-64"}), ("Same question", "compare", {"family": "VAE"})),
    17: (("Same question", "compare", {}), ("Live", "live", {"model": "cgan-conv"})),
    18: (("From noise", "path", {"nfe": "1", "at": "1"}), ("Live", "live", {"model": "flow-one-step"})),
    19: (("From noise", "path", {"guidance": "3.0", "at": "8"}),),
}


def load() -> tuple[Finding, ...]:
    """Every claim with its shipped verdict; a damaged file is told in one line and all claims stand untested."""
    try:
        return shipped_findings()
    except GenlibError as error:
        st.warning(f"The verdicts are not available: {line_of(error)}", icon=":material/broken_image:")
        return untested_findings()


def overview(findings: Sequence[Finding]) -> None:
    """All claims and verdicts at a glance: a tile a claim, which leads down to it."""
    tiles = "".join(_tile(finding) for finding in findings)
    found = Counter(each.verdict for each in findings)
    counts = [f"{words}: {found[verdict]}" for verdict, words in WORDS.items() if found[verdict]]
    st.html(f'<nav class="genlib-verdicts" aria-label="Claims">{tiles}</nav>')
    st.markdown(f"**{' · '.join(counts)}**")


def _tile(finding: Finding) -> str:
    sign, words = SIGNS[finding.verdict], WORDS[finding.verdict]
    colour, number = VERDICT_COLOURS[finding.verdict], finding.claim.number
    return (
        f'<a href="#claim-{number}" style="border-color:{colour}"><b>{sign} {words}</b>'
        f"<small>{number}. {escape(finding.claim.title)}</small></a>"
    )


def pairs(findings: Sequence[Finding]) -> list[tuple[Finding, ...]]:
    """Two a line."""
    if not findings:
        st.caption("No claim has this verdict.")
    return [tuple(findings[start : start + 2]) for start in range(0, len(findings), 2)]


def card(finding: Finding) -> DeltaGenerator:
    """Title, verdict, the parts with their figures, and where to see it live; returns the place for a picture."""
    claim, verdict = finding.claim, finding.verdict
    with st.container(border=True):
        st.header(f"{claim.number}. {claim.title}", anchor=f"claim-{claim.number}")
        st.badge(f"{SIGNS[verdict]} {WORDS[verdict]}", color=BADGES[verdict])  # type: ignore[arg-type]
        place = st.container()
        if finding.parts:
            st.markdown("\n".join(_part(part.holds, part.rule, part.figures) for part in finding.parts))
        else:
            st.markdown("\n".join(f"- {rule}" for rule in claim.rule))
        st.caption("  \n".join(filter(None, [plain(finding.why), f"Models: {', '.join(claim.models)}"])))
        links = [f"[{title}]({page}?{urlencode(query)})" for title, page, query in LIVE[claim.number]]
        st.markdown(f"See it live: {' · '.join(links)}")
    return place


def illustrate(finding: Finding, place: DeltaGenerator) -> None:
    """The picture, where every model of the claim is here; some are computed, so all text comes before the first."""
    models = finding.claim.models
    if all(name in zoo.usable() for name in models):
        with place, suppress(GenlibError, KeyError):  # a model's history or figures may be lost: the verdict stands
            for shown in evidence(finding.claim.number, models):
                if isinstance(shown, Chart):
                    pictures.show_chart(shown)
                else:
                    st.caption(shown.said)
                    pictures.show_tiles(shown.images, shown.columns, shown.alt)


def _part(holds: bool, rule: str, figures: str) -> str:
    return f"- {'✓' if holds else '✗'} {plain(rule)}: **{plain(figures).replace('+-', '±')}**"


ABOUT = f"""
Each claim was broken into parts, and each part given a rule: a figure and a threshold. The rules were committed before
the models they judge were trained (cgan-mlp, vae-cnn and gmm-10 are the exception: they were trained before, but of
their figures only the Frechet distance had been looked at). Claims 17 to 19 are our own, and their rules were committed
after the models were trained: the figures of 17 and of 18's first part were known, those of other steps and other
guidance were not. A claim **holds** where every part does, **partly** where some do.

{BETTER}

The studies trained on other code, other seeds and sometimes another loss scale, so a claim that does not hold here is
not refuted by that: it did not show in one run of ours. `python -m genlib findings` judges all of them anew.
"""
