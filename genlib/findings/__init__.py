"""What the zoo shows: claims, the figures that decide them, the verdicts."""

from typing import TYPE_CHECKING

from genlib.lazy import lazily

if TYPE_CHECKING:
    from genlib.findings.judge import judge_claim, shipped_findings

__all__ = ["judge_claim", "shipped_findings"]
__getattr__ = lazily(__name__, dict.fromkeys(__all__, "genlib.findings.judge"))
