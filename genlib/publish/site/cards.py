"""The gallery of all models, and each model's own page."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from urllib.parse import quote

from genlib.analysis.history import ROW, SIDE, History
from genlib.images import read_png
from genlib.metrics.floor import load_floor
from genlib.publish.site.chart import CURVES, chart, places
from genlib.publish.site.html import embedded, filled, from_markdown, rows, whole_page
from genlib.publish.site.shown import Shown, best_first
from genlib.zoo.card import measured_rows, remarks, setting_rows
from genlib.zoo.catalogue import differs_of
from genlib.zoo.entry import capitalised
from genlib.zoo.figures import written
from genlib.zoo.trainings import PICTURE

LIKELIHOOD = "loss_log_likelihood"  # among the losses of a history, but none


def gallery(models: Iterable[Shown]) -> str:
    """Every model with its samples, best first."""
    tiles = "".join(map(_tile, best_first(models)))
    body = filled("models.html", tiles=tiles, floor=written(load_floor(), "fd"))
    return whole_page("models.html", "Models - genlib", "Trained models of garments, with samples and figures.", body)


def _tile(model: Shown) -> str:
    figures = f"Distance {written(model.metrics, 'fd')}, {model.metrics['parameters']:,} parameters."
    return (
        f'<li><a href="{model.page}"><img src="{model.folder}/samples.png" alt="" loading="lazy">'
        f"<h2>{escape(model.name)}</h2><p>{escape(capitalised(model.preset.family))}. {escape(model.summary)} "
        f"{figures}</p></a></li>"
    )


def card(model: Shown) -> str:
    """A model's own page: its samples, its training under a slider, its figures and settings."""
    preset, past, metrics = model.preset, model.history, model.metrics
    height, width = read_png(model.directory / "samples.png").shape[:2]
    kept = past.samples.shape[1]
    told = [_told(past, epoch) for epoch in past.sample_epochs]
    moments = {
        "name": model.name,
        "unit": preset.unit,
        "epochs": past.sample_epochs,
        "rows": kept,
        "told": told,
        "places": places(past),
    }
    settings = setting_rows(model.described, preset)
    body = filled(
        "model.html",
        name=escape(model.name),
        query=quote(model.name, safe=""),
        summary=escape(model.summary),
        family=escape(preset.family),
        width=width,
        height=height,
        unit=escape(capitalised(preset.unit)),
        last=past.sample_epochs[-1],
        steps=len(past.sample_epochs) - 1,
        across=ROW * (SIDE + 1) - 1,
        down=kept * (SIDE + 1) - 1,
        which="; the averaged generator above, the raw one below" if kept > 1 else "",
        told=escape(told[-1]),
        trainings=_trainings(model),
        measured=escape(past.measured),
        chart=chart(past, preset.unit),
        figures=rows(
            (escape(capitalised(label)), escape(text.replace("+-", "±")))
            for label, text in measured_rows(metrics, preset)
        ),
        remarks="".join(map(from_markdown, remarks(model.directory, metrics, differs_of(model.described)))),
        settings=rows((f"<code>{escape(key)}</code>", escape(value), escape(help)) for key, value, help in settings),
        history=embedded(moments),
    )
    said = f"{model.summary} Its samples, training and figures."
    return whole_page(model.page, f"{model.name} - genlib", said, body)


def _trainings(model: Shown) -> str:
    """Samples of each training, where there are several."""
    if PICTURE not in model.pictures:
        return ""
    seeds = ", ".join(map(str, model.metrics.get("training_seeds", ())))
    height, width = read_png(model.directory / PICTURE).shape[:2]
    return (
        f'<figure class="samples"><img src="{PICTURE}" alt="Ten samples of each training of {escape(model.name)}" '
        f'width="{width}" height="{height}" loading="lazy"><figcaption>Trained from the seeds {seeds}, a row each. '
        "The first is the model.</figcaption></figure>"
    )


def _told(past: History, epoch: int) -> str:
    """The figures of an epoch in words."""
    (row,) = (row for row in past.table if row["epoch"] == epoch)
    distances = [f"{name} {row[key]:.2f}" for key, name in CURVES.items() if row.get(key) is not None]
    losses = [
        f"{key.removeprefix('loss_').replace('_', ' ')} {value:.4g}"
        for key, value in row.items()
        if key.startswith("loss_") and key != LIKELIHOOD
    ]
    said = [*(["; ".join(distances)] if distances else []), *([f"loss: {', '.join(losses)}"] if losses else [])]
    said += [f"log-likelihood {row[LIKELIHOOD]:,.1f}"] if LIKELIHOOD in row else []
    return ". ".join(map(capitalised, said)) + "."
