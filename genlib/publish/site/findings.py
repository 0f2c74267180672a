"""The findings: the studies' claims with our verdicts, part by part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from genlib.drawing import VERDICT_COLOURS
from genlib.findings.claims import BETTER
from genlib.findings.judge import SIGNS, VERDICTS, Finding, shipped_findings
from genlib.publish.site.html import filled, whole_page
from genlib.publish.site.shown import Shown


def findings(models: Sequence[Shown]) -> str:
    """The page."""
    found = shipped_findings()
    pages = {model.name: model.page for model in models}
    counts = {verdict: sum(each.verdict == verdict for each in found) for verdict in VERDICTS}
    body = filled(
        "findings.html",
        rule=escape(BETTER),
        counts=" · ".join(f"{verdict}: {count}" for verdict, count in counts.items() if count),
        tiles="".join(map(_tile, found)),
        claims="\n".join(_claim(each, pages) for each in found),
    )
    return whole_page("findings.html", "Findings - genlib", "What studies claimed, and what our models show.", body)


def _tile(finding: Finding) -> str:
    number, title, verdict = finding.claim.number, escape(finding.claim.title), finding.verdict
    return (
        f'<li><a href="#claim-{number}" style="border-color:{VERDICT_COLOURS[verdict]}">'
        f"<b>{SIGNS[verdict]} {verdict}</b>{number}. {title}</a></li>"
    )


def _claim(finding: Finding, pages: Mapping[str, str]) -> str:
    claim, verdict = finding.claim, finding.verdict
    judged = [
        f"{'✓' if part.holds else '✗'} {escape(part.rule)}: <b>{escape(part.figures).replace('+-', '±')}</b>"
        for part in finding.parts
    ]
    parts = "".join(f"<li>{part}</li>" for part in judged or map(escape, claim.rule))
    models = ", ".join(
        f'<a href="{pages[name]}">{escape(name)}</a>' if name in pages else escape(name) for name in claim.models
    )
    return (
        f'<article class="claim" id="claim-{claim.number}" style="border-color:{VERDICT_COLOURS[verdict]}">'
        f"<h2>{claim.number}. {escape(claim.title)}</h2><p><b>{SIGNS[verdict]} {verdict}</b></p><ul>{parts}</ul>"
        f'<p>{escape(finding.why)}</p><p class="note">Models: {models}</p></article>'
    )
