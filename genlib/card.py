"""The model card: README.md of a model's directory, generated from its configuration and metrics."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from genlib.images import write_file
from genlib.model import capabilities, get_preset
from genlib.store import read_json


def write_card(directory: Path) -> None:
    """Write README.md from config.json, metrics.json and history.json."""
    write_file(directory / "README.md", card(directory).encode())


def card(directory: Path) -> str:
    """The card's Markdown."""
    described, metrics = read_json(directory / "config.json"), read_json(directory / "metrics.json")
    preset = get_preset(described["name"])
    can = ", ".join(capabilities(preset.model_class)).replace("_", " ")
    measured = "\n".join(f"| {label} | {text} |" for label, text in _figures(metrics))
    fields = {field.name: field.metadata["help"] for field in dataclasses.fields(preset.config)}
    settings = "\n".join(
        f"| `{key}` | {', '.join(map(str, value)) if isinstance(value, list) else value} | {fields[key]} |"
        for key, value in described["config"].items()
    )
    return f"""# {preset.name}

{preset.summary} Family: {preset.family}. Beyond sampling: {can or "nothing"}.

![samples of seed 0](samples.png)

Every sample is of seed 0, none is chosen. `progress.png` shows the same noise through training, a row for each epoch
listed in `history.json`{", the averaged generator left and the raw one right" if metrics["fd_raw"] else ""}.

| measured from the shipped weights | |
|---|---|
{measured}

The Frechet distance compares {metrics["samples"]:,} fakes with the 10,000 official test images on the 128 features of
genlib's own Fashion-MNIST classifier (SHA-256 {metrics["extractor"][:12]}...), not on Inception: it compares with
genlib's other models, not with figures from papers. One training run.

| setting | value | meaning |
|---|---|---|
{settings}

```python
import genlib

model = genlib.load("{preset.name}")
images, labels = genlib.generate(model, 64, seed=0)  # uint8 (64, 28, 28)
```

Trained on Fashion-MNIST (Xiao, Rasul and Vollgraf 2017, MIT licence), official training split. Weights: MIT licence.
"""


def _figures(metrics: dict[str, Any]) -> list[tuple[str, str]]:
    """Rows of the card's table: what it is, with its unit and spread."""
    fd = f"{metrics['fd']:.2f} +- {metrics['fd_std']:.2f} (floor {metrics['fd_floor']:.2f})"
    rows = [("Frechet distance, three sample seeds", fd)]
    if metrics["fd_raw"] is not None:
        rows.append(("... of the raw generator", f"{metrics['fd_raw']:.2f}"))
    rows += [
        ("parameters trained", f"{metrics['parameters']:,}"),
        ("64 samples on the CPU", f"{metrics['ms_64']:.1f} ms"),
        ("epochs trained", str(metrics["train_epochs"])),
        ("training time", f"{metrics['train_seconds'] / 60:.0f} minutes"),
        ("peak memory of the training", f"{metrics['peak_memory_mb']:.0f} MB"),
    ]
    return rows
