"""The Latent space page: projections kept, drawn as scatters that answer a selection with pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import streamlit as st

from genlib.analysis.latent import Projection, load_fits, outlines, projections, untrained_accuracies
from genlib.data import CLASS_NAMES
from genlib.drawing import CLASS_COLOURS, scatter
from genlib.images import npz_bytes, png_bytes
from genlib.model import HiddenLayers
from ui import zoo
from ui.controls import BOUND, EVERY_CLASS
from ui.pictures import show_tiles
from ui.share import csv_bytes
from ui.zoo import load_model

VIEWS = ("2-D", "3-D")
SHOWN = 40  # pictures of a selection
FAINT = "#808080"
OUTLINE = "rgba(128, 128, 128, 0.95)"
HELP = (
    "Principal components are the directions in which the points vary most; their share of the variance says how much "
    "of the whole cloud this view shows. *A straight boundary* is a linear classifier on all of a point's numbers; "
    "*nearest centre in this plane* uses only what you see. Each learns on half of the (first 4,000) points and is "
    "tested on the other half; guessing would be right in 10 %."
)


@st.cache_resource(max_entries=24, show_spinner="Finding the principal components")
def found_projections(name: str, points: int, seed: int) -> tuple[dict[str, Projection], list[np.ndarray], bool]:
    """Projections by name, the ellipses of a mixture's components in the first, and whether the axes were kept."""
    model, fits = load_model(name), load_fits(name)
    found = projections(model, points, seed, fits=fits)
    if not fits and isinstance(model, HiddenLayers):
        before = untrained_accuracies(model)
        found = {layer: replace(each, untrained=before.get(layer)) for layer, each in found.items()}
    return found, [outline.numpy() for outline in outlines(model, next(iter(found.values())))], bool(fits)


@dataclass(frozen=True)
class Request:
    """One view: everything that decides what is drawn."""

    entry: zoo.Entry
    seed: int
    label: int | None
    view: str
    points: int

    @cached_property
    def _computed(self) -> tuple[dict[str, Projection], list[np.ndarray], bool]:
        return found_projections(self.entry.name, self.points, self.seed)

    @property
    def found(self) -> dict[str, Projection]:
        """Projections by name."""
        return self._computed[0]

    @property
    def ellipses(self) -> list[np.ndarray]:
        """Outlines of a mixture's components."""
        return self._computed[1]

    @property
    def kept_axes(self) -> bool:
        """Whether the axes are those kept beside the weights, which no seed changes."""
        return self._computed[2]

    @property
    def first(self) -> Projection:
        """Any of the projections: they share pictures and classes."""
        return next(iter(self.found.values()))

    @property
    def query(self) -> dict[str, object]:
        """Every control by its key in the URL."""
        seed = {"seed": self.seed} if "hidden_layers" in self.entry.capabilities else {}
        label = EVERY_CLASS if self.label is None else CLASS_NAMES[self.label]
        return {"model": self.entry.name, **seed, "label": label, "dims": self.view, "points": self.points}

    @property
    def code(self) -> str:
        """The lines of genlib that draw these scatters, runnable as they stand."""
        layers = "hidden_layers" in self.entry.capabilities
        fits = f', fits=load_fits("{self.entry.name}")' if layers else ""
        flat = "" if self.view == "2-D" else "  # the first two components; coordinates hold the third"
        return f"""from pathlib import Path

import genlib
from genlib.analysis.latent import {"load_fits, " if layers else ""}outlines, projections
from genlib.drawing import scatter
from genlib.images import png_bytes

model = genlib.load("{self.entry.name}")
found = projections(model, {self.points}, seed={self.seed}{fits})
first = next(iter(found.values()))
panels = {{name: each.coordinates for name, each in found.items()}}
picture = scatter(panels, first.classes, highlight={self.label}, outlines=outlines(model, first)){flat}
Path("latent.png").write_bytes(png_bytes(picture))"""

    def downloads(self) -> dict[str, Callable[[], bytes]]:
        """The scatters, their points and the pictures behind them, made when asked for."""
        name = f"{self.entry.name}-latent"
        panels = {title: each.coordinates.numpy() for title, each in self.found.items()}
        classes = self.first.classes.numpy()
        arrays = {f"coordinates_{i}": places for i, places in enumerate(panels.values(), start=1)}
        arrays |= {"classes": classes, "images": self.first.images.numpy()}
        return {
            f"{name}.png": lambda: png_bytes(scatter(panels, classes, self.label, self.ellipses)),
            f"{name}.npz": lambda: npz_bytes(**arrays),
            f"{name}.csv": lambda: csv_bytes(_rows(panels, classes)),
        }


def _rows(panels: dict[str, np.ndarray], classes: np.ndarray) -> list[dict[str, object]]:
    """A row for each point: its class and its place on every panel."""
    heads = [f"{name}: component {k + 1}" for name, places in panels.items() for k in range(places.shape[1])]
    table = np.concatenate(list(panels.values()), axis=1)
    return [
        {"class": CLASS_NAMES[label]} | {head: f"{value:.5g}" for head, value in zip(heads, row, strict=True)}
        for label, row in zip(classes, table, strict=True)
    ]


def controls_row(entry: zoo.Entry, seed: int, label: int | None) -> Request:
    """Two or three dimensions, and how many points."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        view = st.segmented_control("View", VIEWS, default=VIEWS[0], required=True, key="dims", **BOUND)
        most, usual = (1_000, 500) if "integrates" in entry.capabilities else (10_000, 2_000)  # encodes step by step
        points = st.slider("Points", 500, most, usual, 500, key="points", width=200, **BOUND)
    return Request(entry, seed, label, view if view in VIEWS else VIEWS[0], min(points, most))


def what_is_shown(request: Request) -> str:
    """What a point and its colour are."""
    if "hidden_layers" in request.entry.capabilities:
        about = "Samples of the generator, by its first hidden layer after and before the non-linearity."
        if request.kept_axes:
            about += " Axes and figures are those of 2,000 samples of seed 0: they stay as you change the seed."
        if "conditional" in request.entry.capabilities:
            return f"{about} Colour: the class that was asked for."
        return f"{about} It knows no classes: colour is what genlib's classifier sees in each sample."
    where = "among the mixture's Gaussians" if "mixture" in request.entry.capabilities else "as the encoder places them"
    return f"Test images {where}. Colour: their class."


def show_scatter(request: Request, name: str) -> list[int]:
    """One projection with its figures; the rows of the points that are selected."""
    projection = request.found[name]
    st.markdown(f"**{name[0].upper()}{name[1:]}**")
    figure, rows = _figure(request, projection)
    alt = (
        f"{len(projection.classes)} points of {request.entry.name}, {name}, on {request.view[0]} principal components, "
        f"coloured by class{'' if request.label is None else ', ' + CLASS_NAMES[request.label] + ' alone'}"
    )
    options = {"config": {"displaylogo": False, "scrollZoom": True}, "alt": alt, "key": f"scatter-{name}"}
    selected: list[int] = []
    if request.view == "2-D":
        event = st.plotly_chart(figure, on_select="rerun", **options)
        points = event.selection.points
        selected = [int(rows[each["curve_number"]][each["point_index"]]) for each in points]
    else:
        st.plotly_chart(figure, **options)
    k = int(request.view[0])
    st.markdown(
        f"{100 * float(projection.explained[:k].sum()):.0f} % of the variance in {k} components. Classes told apart: "
        f"**{100 * projection.separability:.1f} %** by a straight boundary, **{100 * projection.visible:.1f} %** by "
        f"the nearest centre in the plane.{_before(projection)}",
        help=HELP,
    )
    return selected


def _before(projection: Projection) -> str:
    """What an untrained network tells apart, where a class that the layer is told would tell itself."""
    if projection.untrained is None:
        return ""
    boundary, centre = (f"{100 * share:.1f} %" for share in projection.untrained)
    return f" Before any training: {boundary} and {centre}, since the layer is told the class."


def _figure(request: Request, projection: Projection):  # type: ignore[no-untyped-def]
    """The Plotly figure, and the rows behind each of its traces."""
    from ui.charts import go

    flat = request.view == "2-D"
    places, classes = projection.coordinates.numpy(), projection.classes.numpy()
    size = (5 if request.points <= 3_000 else 3) - (0 if flat else 2)
    groups = [(CLASS_NAMES[i], np.flatnonzero(classes == i), CLASS_COLOURS[i], 0.8) for i in range(10)]
    if request.label is not None:
        others = np.flatnonzero(classes != request.label)
        groups = [("Other classes", others, FAINT, 0.22 if flat else 0.12), groups[request.label]]
    figure, rows = go.Figure(), []
    for title, group, colour, opacity in groups:
        kind = go.Scattergl if flat else go.Scatter3d
        axes = {axis: places[group, i] for i, axis in enumerate("xy" if flat else "xyz")}
        marker = {"size": size, "color": colour, "opacity": opacity}
        figure.add_trace(kind(**axes, mode="markers", name=title, marker=marker, hoverinfo="name"))
        rows.append(group)
    if flat:
        for i, outline in enumerate(request.ellipses):
            line = {"color": OUTLINE, "width": 1.5}
            about = {"name": "Gaussians, 2 sigma", "legendgroup": "gaussians", "showlegend": i == 0}
            x, y = outline.T
            figure.add_trace(go.Scattergl(x=x, y=y, mode="lines", line=line, hoverinfo="skip", **about))
            rows.append(np.empty(0, int))
    titles = [f"component {i + 1} ({100 * float(share):.0f} %)" for i, share in enumerate(projection.explained)]
    legend = {"orientation": "h", "itemsizing": "constant", "yref": "container", "y": 0, "yanchor": "bottom"}
    figure.update_layout(height=400, margin={"l": 0, "r": 0, "t": 8, "b": 0}, legend=legend, dragmode="select")
    if flat:
        figure.update_xaxes(title=titles[0], zeroline=False, automargin=True)
        figure.update_yaxes(title=titles[1], zeroline=False)
    else:
        short = [title.removeprefix("component ") for title in titles]
        scene = {f"{axis}axis": {"title": title} for axis, title in zip("xyz", short, strict=False)}
        away = {"eye": {"x": 1.5, "y": 1.5, "z": 1.1}}
        figure.update_layout(
            scene=scene | {"camera": away}, dragmode="orbit", legend={"yref": "paper", "y": -0.02, "yanchor": "top"}
        )
    return figure, rows


def show_pictures(request: Request, selected: list[int]) -> None:
    """The pictures of a selection; before there is one, the most central of each class or across the chosen class."""
    images, classes = request.first.images.numpy(), request.first.classes.numpy()
    real = "hidden_layers" not in request.entry.capabilities
    what = "test images" if real else "samples"
    selected = [row for row in selected if row < len(images)]
    if selected:
        shown = selected[:: -(-len(selected) // SHOWN)]
        counts = np.bincount(classes[selected], minlength=10)
        told = ", ".join(f"{CLASS_NAMES[i]} {counts[i]}" for i in counts.argsort()[::-1] if counts[i])
        few = f", every {-(-len(selected) // SHOWN)}th shown" if len(shown) < len(selected) else ""
        caption = f"{len(selected)} {what} selected{few}: {told}"
        show_tiles(images[shown], 20 if len(shown) > 10 else 10, caption, caption=caption)
        return
    hint = "Drag over the points to see their pictures." if request.view == "2-D" else "In 2-D, select points."
    if request.label is None:
        central = [_from_the_centre(request.first, label)[:1] for label in range(10)]
        present = [label for label in range(10) if len(central[label])]
        caption = f"The {what} nearest each class's centre. {hint}"
        heads = [CLASS_NAMES[label] for label in present]
        show_tiles(images[np.concatenate(central)], max(1, len(present)), caption, heads, caption=caption)
    elif len(rows := _from_the_centre(request.first, request.label)):
        spread = rows[np.linspace(0, len(rows) - 1, min(20, len(rows))).astype(int)]
        caption = f"{CLASS_NAMES[request.label]}: {what} from the class's centre to its edge. {hint}"
        show_tiles(images[spread], len(spread), caption, caption=caption)
    else:
        st.info(f"None of these {request.points} {what} is seen as {CLASS_NAMES[request.label]}.")


def _from_the_centre(projection: Projection, label: int) -> np.ndarray:
    """Rows of one class, nearest its centre first."""
    rows = np.flatnonzero(projection.classes.numpy() == label)
    places = projection.coordinates.numpy()[rows]
    if not len(rows):
        return rows
    return rows[np.linalg.norm(places - places.mean(0), axis=1).argsort(kind="stable")]
