"""The studies' claims with their verdicts, judged by our figures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genlib.errors import GenlibError, parsing
from genlib.findings.claims import CLAIMS, WHY, Claim
from genlib.findings.verdicts import TESTS, Measured, Unjudged
from genlib.io.fields import TEXT, TRUTH, WHOLE, Kind, list_of, read_fields, record_of
from genlib.loading import model_directory


@dataclass(frozen=True)
class Part:
    """One part of a claim: the rule, whether our figures meet it, and those figures in words."""

    rule: str
    holds: bool
    figures: str


@dataclass(frozen=True)
class Finding:
    """A claim with its verdict: "holds", "partly" or "does not hold", or "not tested" for want of a model or
    of figures."""

    claim: Claim
    verdict: str
    parts: tuple[Part, ...]
    why: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As `findings --json` writes it."""
        return {
            "number": self.claim.number,
            "title": self.claim.title,
            "models": list(self.claim.models),
            "verdict": self.verdict,
            "parts": [vars(part) for part in self.parts],
            "why": self.why,
        }


VERDICTS = ("holds", "partly", "does not hold", "not tested")
SIGNS = dict(zip(VERDICTS, "✓≈✗?", strict=True))  # beside a verdict's colour, which is never alone
FILE = Path(__file__).with_name("findings.json")
_PART = {"rule": TEXT, "holds": TRUTH, "figures": TEXT}
_VERDICT = Kind("a verdict", lambda value: value in VERDICTS)
_ENTRY = {"number": WHOLE, "verdict": _VERDICT, "parts": list_of(record_of(_PART, _PART)), "why": TEXT}
_FIELDS = {"findings": list_of(record_of(_ENTRY, _ENTRY))}


def untested_findings() -> tuple[Finding, ...]:
    """Every claim in order, none judged."""
    return tuple(Finding(claim, "not tested", ()) for claim in CLAIMS)


def shipped_findings() -> tuple[Finding, ...]:
    """Every claim in order with the verdict shipped for it, "not tested" where there is none.

    `python -m genlib findings --json genlib/findings/findings.json` writes the file; GenlibError where it is damaged.
    """
    try:
        entries = read_fields(FILE, _FIELDS, _FIELDS)["findings"]
    except GenlibError as error:
        raise GenlibError(f"{error}; python -m genlib findings --json writes it anew") from error
    judged = {entry["number"]: entry for entry in entries}
    return tuple(
        _finding(each.claim, judged[each.claim.number]) if each.claim.number in judged else each
        for each in untested_findings()
    )


def _finding(claim: Claim, entry: dict[str, Any]) -> Finding:
    parts = tuple(Part(**{key: part[key] for key in _PART}) for part in entry["parts"])
    return Finding(claim, entry["verdict"], parts, entry["why"])


def judge_claim(claim: Claim) -> Finding:
    """One claim judged: it holds if every part does, and holds partly if some do."""
    missing = [name for name in claim.models if not _shipped(name)]
    if missing:
        return Finding(claim, "not tested", (), f"not trained yet: {', '.join(missing)}")
    try:
        with parsing(f"claim {claim.number} cannot be judged by what is kept of {', '.join(claim.models)}"):
            outcomes = TESTS[claim.number](*(Measured(name) for name in claim.models))
            parts = tuple(Part(rule, *outcome) for rule, outcome in zip(claim.rule, outcomes, strict=True))
    except Unjudged as error:
        return Finding(claim, "not tested", (), str(error))
    held = sum(part.holds for part in parts)
    verdict = "holds" if held == len(parts) else "partly" if held else "does not hold"
    return Finding(claim, verdict, parts, WHY.get(claim.number, ""))


def _shipped(name: str) -> bool:
    try:
        return (model_directory(name) / "metrics.json").is_file()
    except GenlibError:
        return False
