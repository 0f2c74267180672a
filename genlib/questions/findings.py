"""Do the studies' claims hold?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from genlib.drawing import verdicts
from genlib.findings.judge import VERDICTS, Finding, shipped_findings
from genlib.images import png_bytes
from genlib.questions.question import Maker, Question, asks, csv_bytes

EVERY_VERDICT = "all"


@dataclass(frozen=True)
class Findings(Question):
    """The claims of one verdict, or all of them, as they are shipped."""

    NAME = "findings"

    verdict: str = asks(EVERY_VERDICT, "Show", choices=(EVERY_VERDICT, *VERDICTS))

    def chosen(self, findings: Sequence[Finding]) -> list[Finding]:
        """Those with the verdict."""
        return [each for each in findings if self.verdict in (EVERY_VERDICT, each.verdict)]

    def command(self) -> str:
        """The command of this name judges anew and prints: it draws nothing."""
        return ""

    def files(self, findings: Sequence[Finding] = ()) -> dict[str, Maker]:
        """The claims as a picture, and as a table; of these findings where some are given."""
        shown = self.chosen(findings or shipped_findings())
        files: dict[str, Maker] = {"findings.csv": lambda: csv_bytes([row for each in shown for row in _rows(each)])}
        return {"findings.png": lambda: png_bytes(verdicts(shown))} | files if shown else files


def _rows(finding: Finding) -> list[dict[str, object]]:
    """A row for each part of a claim."""
    claim, verdict = finding.claim, finding.verdict
    head = {"claim": claim.number, "title": claim.title, "models": " ".join(claim.models), "verdict": verdict}
    parts = [{"part": part.rule, "holds": part.holds, "figures": part.figures} for part in finding.parts]
    return [{**head, **part} for part in parts or [{"part": None, "holds": None, "figures": finding.why}]]
