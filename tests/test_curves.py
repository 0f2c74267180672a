"""The chart that compares runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from genlib.charts.runs import DISTANCE, compared
from genlib.jobs.run import Job
from genlib.models import get_preset
from genlib.training.progress import Progress


@pytest.mark.parametrize(("epochs", "step"), [([1, 2, 3], 1), ([1, 500, 990], None), ([], 1)])
def test_ticks_are_whole_epochs_and_few(epochs: list[int], step: int | None) -> None:
    """A tick an epoch over a thousand of them kept a browser busy for a minute."""
    progress = Progress()
    progress.records = {epoch: {"epoch": epoch, "losses": {}, "fd": 1.0} for epoch in epochs}
    jobs = [Job(Path(f"vae-cnn-{i}"), "vae-cnn", get_preset("vae-cnn").config.to_dict(), "done") for i in (1, 2)]
    chart = compared({job.id: (job, progress) for job in jobs}, DISTANCE)
    axis = chart.figure["layout"]["xaxis"]
    assert [trace["x"] for trace in chart.traces] == [epochs, epochs]
    assert axis["dtick"] == step and axis["tickformat"] == "d"
