"""The model card: README.md of a model's directory, generated from its configuration and metrics."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genlib.errors import parsing, plain
from genlib.io.files import write_file
from genlib.metrics.evaluation import warning
from genlib.model import Preset, capabilities
from genlib.models import get_preset
from genlib.zoo.catalogue import differs_of, is_presets, summary_of
from genlib.zoo.figures import FIGURES, written
from genlib.zoo.files import STUDY_FILE, read_described, read_metrics, read_records, read_study
from genlib.zoo.signs import signs_of

DATA = "zalando-datasets/fashion_mnist"  # on the Hub
_MEASURED = (
    *("fd_second", "kid", "precision", "recall", "density", "coverage", "class_consistency", "cas", "balance_kl"),
    *("nearest_train", "near_copies", "mse", "ssim", "components", "log_likelihood", "bic"),
)
END = "\n\n"  # of a paragraph
INCOMPLETE = "does not hold the figures that a training writes"


def write_card(directory: Path, metrics: dict[str, Any]) -> None:
    """Write README.md from config.json, history.json and the figures that metrics.json has, or will have."""
    write_file(directory / "README.md", card(directory, metrics).encode())


def hub_card(directory: Path, repository: str) -> str:
    """The card as the Hub reads it: its figures as front matter, and how to load the model from "owner/name"."""
    with parsing(f"{directory} {INCOMPLETE}"):
        return f"---\n{_front_matter(directory)}\n---\n\n{card(directory, read_metrics(directory), repository)}"


def _front_matter(directory: Path) -> str:
    """YAML: licence, library, tags, and every measure of the protocol as a model-index."""
    from huggingface_hub import EvalResult, ModelCardData

    described, metrics = read_described(directory), read_metrics(directory)
    preset = get_preset(described["name"])
    conditional = "conditional" in capabilities(preset.model_class)
    task = "class-conditional-image-generation" if conditional else "unconditional-image-generation"
    results = [
        EvalResult(
            task_type=task,
            dataset_type=DATA,
            dataset_name="Fashion-MNIST",
            dataset_split="test",
            metric_type=key,
            metric_name=label,
            metric_value=value,
        )
        for key, label, value in _results(metrics)
    ]
    return ModelCardData(
        license="mit",
        library_name="genlib",
        pipeline_tag=None if conditional else task,  # the Hub's list of tasks has no other that fits
        tags=["genlib", "image-generation", "fashion-mnist", preset.family.lower().replace(" ", "-"), task],
        datasets=[DATA],
        model_name=preset.name,
        eval_results=results,
    ).to_yaml()


def _results(metrics: dict[str, Any]) -> list[tuple[str, str, float]]:
    """The measures that there are: key, name and value."""
    keys = [key for key in ("fd", *_MEASURED) if metrics.get(key) is not None]
    return [(key, FIGURES[key].label, metrics[key]) for key in keys]


def card(directory: Path, metrics: dict[str, Any], repository: str | None = None) -> str:
    """The card's Markdown; the model is loaded by its own name unless a repository is given.

    Raises GenlibError where figures are missing that a training writes, as an older protocol's are.
    """
    with parsing(f"{directory} {INCOMPLETE}"):
        return _card(directory, metrics, repository)


def _card(directory: Path, metrics: dict[str, Any], repository: str | None) -> str:
    described = read_described(directory)
    preset = get_preset(described["name"])
    capable = capabilities(preset.model_class)
    can, unit = ", ".join(capable).replace("_", " "), preset.unit
    measured = "\n".join(f"| {label} | {text} |" for label, text in measured_rows(metrics, preset))
    settings = "\n".join(f"| `{key}` | {value} | {told} |" for key, value, told in setting_rows(described, preset))
    return f"""# {preset.name}

{summary_of(described)} Family: {preset.family}. Beyond sampling: {can or "nothing"}.

![samples of seed 0](samples.png)

Every sample is of seed 0, none is chosen. `progress.png` shows the same noise through training, a row for each {unit}
listed in `history.json`{", the averaged generator left and the raw one right" if metrics["fd_raw"] else ""}.

| measured from the shipped weights | |
|---|---|
{measured}

The Frechet distance compares {metrics["samples"]:,} fakes with the 10,000 official test images on the 128 features of
genlib's own Fashion-MNIST classifier (SHA-256 {metrics["extractor"][:12]}...), not on Inception: it compares with
genlib's other models, not with figures from papers. The second opinion is a classifier of another kind
({metrics["extractor_second"][:12]}...), on a scale of its own. Real images: {metrics["floor"]["samples"]:,} training
images in the samples' place. {_told_of_trainings(metrics)}

{"".join(f"{each}{END}" for each in remarks(directory, metrics, differs_of(described)))}| setting | value | meaning |
|---|---|---|
{settings}

```python
import genlib

model = genlib.load("{repository or _place(described)}")
images, labels = genlib.generate(model, 64, seed=0)  # uint8 (64, 28, 28)
```

Trained on Fashion-MNIST (Xiao, Rasul and Vollgraf 2017, MIT licence), official training split. Weights: MIT licence.
"""


def _place(described: dict[str, Any]) -> str:
    """What loads the model where it lies: a run's directory, for its name would load the shipped one."""
    return str(described["name"]) if is_presets(described) else "."


def measured_rows(metrics: dict[str, Any], preset: Preset) -> list[tuple[str, str]]:
    """What was measured, a row each: what it is, and the figure with its unit, spread and floor."""
    return [*_figures(metrics), *_costs(metrics, preset)]


def setting_rows(described: dict[str, Any], preset: Preset) -> list[tuple[str, str, str]]:
    """The configuration, a row each: field, value, meaning; GenlibError where it is not one of the preset's family."""
    type(preset.config).from_dict(described["config"])
    fields = {field.name: field.metadata["help"] for field in dataclasses.fields(preset.config)}
    return [
        (key, ", ".join(map(str, value)) if isinstance(value, list) else str(value), fields[key])
        for key, value in described["config"].items()
    ]


def remarks(directory: Path, metrics: dict[str, Any], differs: str) -> list[str]:
    """What is to be known of this training, a paragraph each, in Markdown."""
    return [
        *(f"**Mind:** {plain(sign)}." for sign in signs_of(directory, metrics.get("fd"))),
        *_few(metrics),
        *_origin(directory),
        *_cut_off(metrics),
        *_study(directory, differs),
    ]


def _origin(directory: Path) -> list[str]:
    """What the training began with, and the legs that it came in."""
    history = read_records(directory) if (directory / "history.json").is_file() else {}
    origin, legs, ends, told = *(history.get(key) for key in ("start_from", "legs", "extended")), []
    if origin:
        told.append(
            f"The training began with the weights of {plain(origin['name'])} ({plain(origin['sha256'][:12])}...)."
        )
    if legs:
        told.append(
            f"The training came in legs of {' and '.join(map(str, legs))} epochs, each from the weights of the one "
            "before (`--start-from`); the optimiser and the average began anew."
        )
    if ends:
        told.append(f"The training was extended after {' and '.join(map(str, ends))} epochs.")
    return told


def _few(metrics: dict[str, Any]) -> list[str]:
    told = warning(metrics["samples"])
    return [f"**A quick look:** {told}."] if told else []


def _cut_off(metrics: dict[str, Any]) -> list[str]:
    if not was_cut_off(metrics):
        return []
    told = "this is the fit then under way, not BIC's choice"
    return [f"The search by BIC was cut off after {metrics['train_epochs']} iterations: {told}."]


def _study(directory: Path, differs: str) -> list[str]:
    """Where the model differs from its study; study.json holds a shorter run with the study's own setting."""
    if not differs:
        return []
    told = f"Against its study: {differs}"
    if not (directory / STUDY_FILE).is_file():
        return [told]
    study = read_study(directory)
    ours = {record["epoch"]: record.get("fd") for record in read_records(directory)["epochs"]}
    measured = [record for record in study["epochs"] if "fd" in record and ours.get(record["epoch"])]
    if measured:
        last = measured[-1]
        own = ", ".join(f"{key} {value:g}" for key, value in study["settings"].items())
        told += (
            f" Evidence: with the study's {own} the distance is {last['fd']:.1f} after {last['epoch']} epochs, with "
            f"this model's settings {ours[last['epoch']]:.1f} (5,000 samples against the training split; `study.json`)."
        )
    return [told]


def _figures(metrics: dict[str, Any]) -> list[tuple[str, str]]:
    """Rows of the card's table: what it is, with its unit and spread."""
    fd = f"{metrics['fd']:.2f} +- {metrics['fd_std']:.2f} (floor {metrics['fd_floor']:.2f})"
    rows = [(f"Frechet distance, three sample seeds of {metrics['samples']:,}", fd), *_trainings(metrics)]
    if metrics["fd_raw"] is not None:
        rows.append(("... of the raw generator", f"{metrics['fd_raw']:.2f}"))
    for key in _MEASURED:
        if metrics.get(key) is not None:
            spread = f" +- {format(metrics['fd_second_std'], FIGURES[key].form)}" if key == "fd_second" else ""
            floor = written(metrics["floor"], key)
            real = f" (real images {floor})" if floor else ""
            rows.append((FIGURES[key].label, f"{written(metrics, key)}{spread}{real}"))
    return rows


def _trainings(metrics: dict[str, Any]) -> list[tuple[str, str]]:
    """What other trainings scored, where there are some."""
    return [
        (f"... of {len(values)} trainings{opinion}", f"{', '.join(f'{value:.2f}' for value in values)}")
        for key, opinion in (("fd", ""), ("fd_second", ", second opinion"))
        if (values := metrics.get(f"{key}_trainings"))
    ]


def _told_of_trainings(metrics: dict[str, Any]) -> str:
    """How many trainings the figures are of."""
    seeds = metrics.get("training_seeds")
    if not seeds:
        return "One training run."
    devices = sorted({device for device in metrics.get("training_devices") or () if device})
    where = f" (trained on {', '.join(map(plain, devices))})" if devices else ""
    given = ", ".join(map(str, seeds))
    return f"""Trained {len(seeds)} times, from the seeds {given}. These are the weights of the first; of the others,
figures and samples are kept{where}.

![ten samples of each training, a row each](trainings.png)"""


def _costs(metrics: dict[str, Any], preset: Preset) -> list[tuple[str, str]]:
    """The last rows: size and time. A mixture's figures count its encoder's size, but not its training."""
    seconds, base = metrics["train_seconds"], preset.model_class.base_name
    within = f", those of {base} among them" if base and not preset.model_class.base_answers else ""
    time = f"{seconds:.0f} seconds" if seconds < 120 else f"{seconds / 60:.0f} minutes"
    time += f" on {plain(metrics['train_device'])}" if "train_device" in metrics else ""
    return [
        ("parameters trained", f"{metrics['parameters']:,}{within}"),
        ("64 samples on the CPU", f"{metrics['ms_64']:.1f} ms"),
        (f"{preset.unit}s trained", str(metrics["train_epochs"])),
        ("training time", time + (f", without that of {base}" if base else "")),
        ("peak memory of the training", f"{metrics['peak_memory_mb']:.0f} MB"),
    ]


def was_cut_off(metrics: Mapping[str, Any]) -> bool:
    """Whether the figures are those of a search by BIC that ended before it had fitted every size."""
    curve = metrics.get("bic_curve")
    return curve is not None and curve["bic"][-1][-1] is None
