"""The From noise page: a flow's way from noise to garment, and what its steps and its guidance are worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from genlib.analysis.path import trace
from genlib.data import CLASS_NAMES
from genlib.drawing import CLASS_COLOURS
from genlib.errors import GenlibError, without_places
from genlib.images import gif_bytes, grid, npz_bytes, png_bytes
from genlib.metrics.floor import load_floor
from genlib.metrics.settings import Measured, Settings, load_settings
from genlib.solvers import SOLVERS
from ui import zoo
from ui.controls import BOUND, EVERY_CLASS
from ui.pictures import STILL, show_tiles
from ui.share import csv_bytes
from ui.zoo import load_model

SHOWN = 10  # samples, one of each class where every class is asked for
MOST_STEPS = 32
STRONGEST = 6.0


@st.cache_data(max_entries=64, show_spinner="Following the flow")
def points(
    name: str, seed: int, label: int | None, steps: int, solver: str, guidance: float
) -> tuple[tuple[float, ...], np.ndarray, np.ndarray]:
    """Times, the points uint8 (p, 10, 28, 28) and the ends expected from them."""
    way = trace(load_model(name), SHOWN, seed, label, steps=steps, solver=solver, guidance=guidance)
    return way.times, way.images.numpy(), way.expected.numpy()


@dataclass(frozen=True)
class Request:
    """Ten ways and a place on them: everything that decides the picture."""

    entry: zoo.Entry
    seed: int
    label: int | None
    steps: int
    solver: str
    guidance: float
    step: int = 0

    @property
    def way(self) -> tuple[tuple[float, ...], np.ndarray, np.ndarray]:
        """The whole way, as `points` keeps it."""
        return points(self.entry.name, self.seed, self.label, self.steps, self.solver, self.guidance)

    @property
    def heads(self) -> tuple[str, ...]:
        """The classes over the columns, where they are the classes in turn."""
        return CLASS_NAMES if self.label is None else ()

    @property
    def query(self) -> dict[str, object]:
        """Every control by its key in the URL."""
        label = EVERY_CLASS if self.label is None else CLASS_NAMES[self.label]
        query: dict[str, object] = {"model": self.entry.name, "seed": self.seed, "label": label}
        return query | {"nfe": self.steps, "solver": self.solver, "guidance": self.guidance, "at": self.step}

    @property
    def code(self) -> str:
        """The lines of genlib that make this picture, runnable as they stand."""
        options = f'steps={self.steps}, solver="{self.solver}", guidance={self.guidance:g}'
        return "\n".join(
            [
                "from pathlib import Path\n",
                "import torch\n",
                "import genlib",
                "from genlib.analysis.path import trace",
                "from genlib.images import grid, png_bytes\n",
                f'model = genlib.load("{self.entry.name}")',
                f"way = trace(model, {SHOWN}, seed={self.seed}, label={self.label}, {options})",
                f"images = torch.cat([way.images[{self.step}], way.expected[{self.step}]])  # at time {self._time:.2f}",
                f'Path("way.png").write_bytes(png_bytes(grid(images, columns={SHOWN}, scale=4, gap=4)))',
            ]
        )

    @property
    def images(self) -> np.ndarray:
        """The ten points, and the ten ends expected from there, uint8 (20, 28, 28)."""
        _, images, expected = self.way
        return np.concatenate([images[self.step], expected[self.step]])

    @property
    def _time(self) -> float:
        return self.way[0][self.step]

    @property
    def said(self) -> str:
        """Where the slider stands, in words."""
        if self.step == 0:
            return (
                "Time 1: pure noise. Below it, what the model expects to come of it: the mean of everything possible."
            )
        if self.step == self.steps:
            return "Time 0: the samples."
        return (
            f"Time {self._time:.2f}, after {self.step} of {self.steps} steps. Below, what the model expects from here."
        )

    def downloads(self) -> dict[str, Callable[[], bytes]]:
        """The place as a picture and as numbers, the whole way as a film, and what was measured as a table."""
        _, images, expected = self.way
        name = f"{self.entry.name}-way-seed{self.seed}"
        found = measured(self.entry.name)
        files = {
            f"{name}.png": lambda: png_bytes(grid(self.images, SHOWN, 4, 4)),
            f"{name}.gif": lambda: _film(images, expected),
            f"{name}.npz": lambda: npz_bytes(images=self.images),
        }
        return files | ({f"{self.entry.name}-settings.csv": lambda: csv_bytes(_table(found))} if found else {})


def _film(images: np.ndarray, expected: np.ndarray) -> bytes:
    frames = [grid(np.concatenate(pair), SHOWN, 3, 3) for pair in zip(images, expected, strict=True)]
    return gif_bytes([*frames, *[frames[-1]] * 8], milliseconds=200)


def controls_row(entry: zoo.Entry, seed: int, label: int | None) -> Request:
    """Steps, solver and guidance; the model's own unless moved."""
    config = load_model(entry.name).config
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        steps = st.slider("Steps", 1, MOST_STEPS, config.steps, key="nfe", width=170, **BOUND)
        solver = st.segmented_control(
            "Solver",
            SOLVERS,
            default=config.solver,
            required=True,
            key="solver",
            help="Euler follows one arrow a step; Heun looks at the arrow where it arrives too, and takes the mean.",
            **BOUND,
        )
        guidance = st.slider(
            "Guidance",
            *(0.0, STRONGEST, config.guidance, 0.1),
            format="%.1f",
            key="guidance",
            width=170,
            help="How far the class pulls. 0: the class is not heard; 1: as learned; above: more typical, less varied.",
            **BOUND,
        )
    return Request(entry, seed, label, steps, solver or config.solver, guidance)


def placed(request: Request) -> Request:
    """The slider along the way: how many steps have been taken, half of them unless moved."""
    if st.session_state.get("at", 0) > request.steps:
        st.session_state["at"] = request.steps
    step = st.slider("Steps taken", 0, request.steps, request.steps // 2, key="at", **BOUND)
    return replace(request, step=step)


def show_place(request: Request) -> None:
    """The samples where the slider stands, over the ends expected from there."""
    alt = f"Ten samples of {request.entry.name} on their way, and the ends expected. {request.said}"
    show_tiles(request.images, SHOWN, alt, request.heads, caption=request.said)


def show_whole(request: Request) -> None:
    """The first sample's whole way as a strip."""
    times, images, expected = request.way
    chosen = np.linspace(0, len(times) - 1, min(len(times), 11)).round().astype(int)
    st.markdown("**One garment, the whole way.** Above where it is, below what the model expects from there.")
    alt = f"The first sample of {request.entry.name} at {len(chosen)} of its points, from noise to image"
    heads = [f"{times[i]:.2f}" for i in chosen]
    show_tiles(np.concatenate([images[chosen, 0], expected[chosen, 0]]), len(chosen), alt, heads)


@st.cache_resource(max_entries=16, show_spinner=False)
def measured(name: str) -> Settings | None:
    """What was measured of a model's settings, read once; None where nothing is kept."""
    return load_settings(name)


def show_settings(entry: zoo.Entry) -> None:
    """Steps against distance, guidance against precision and recall, as they were measured and kept."""
    name = entry.name
    try:
        found = measured(name)
    except GenlibError as error:
        st.warning(without_places(str(error)), icon=":material/broken_image:")
        return
    if found is None:
        st.caption(
            f"How good {name} is at other settings was not measured: `genlib path {name} --keep` does, in half an hour."
        )
        return
    floor = load_floor(found.samples)
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Are more steps better?** Frechet distance, lower is better")
        steps_chart(name)
    with right:
        st.markdown("**What does guidance buy?** Shares, higher is better")
        guidance_chart(name)
    st.caption(
        f"Each point: three sets of {found.samples:,} samples against the test images, with the standard deviation "
        f"between the sets, solver {found.solver}. {found.samples:,} photographs in their place score a distance of "
        f"{floor['fd']:.2f}, precision {floor['precision']:.0%} and recall {floor['recall']:.0%}. So few samples make "
        "distances larger than the leaderboard's: compare within these charts only."
    )


def steps_chart(name: str) -> None:
    """Distance by steps, a flow's students and photographs beside it; nothing where it was not measured."""
    from ui.charts import go

    if (found := measured(name)) is None:
        return
    rows_ = found.by_steps(load_model(name).config.guidance)
    floor = load_floor(found.samples)["fd"]
    figure = go.Figure()
    figure.add_scatter(**_line(rows_, "fd", [row.steps for row in rows_], name=rows_[0].model, colour=0))
    for i, student in enumerate(found.students(), start=1):
        figure.add_scatter(**_line([student], "fd", [1], name=f"{student.model}, one evaluation", colour=i))
    real = {"color": CLASS_COLOURS[8], "dash": "dot"}
    figure.add_scatter(x=[rows_[0].steps, rows_[-1].steps], y=[floor] * 2, mode="lines", name="photographs", line=real)
    figure.update_xaxes(type="log", title="steps", tickvals=[row.steps for row in rows_])
    _lay_out(figure)
    figure.update_yaxes(type="log", tickvals=[0.3, 1, 3, 10])
    told = ", ".join(f"{row.figures['fd']:.2f} at {row.steps}" for row in rows_)
    told += "".join(f"; {row.model} {row.figures['fd']:.2f} in one" for row in found.students())
    st.plotly_chart(figure, config=STILL, alt=f"Frechet distance by steps: {told}; photographs {floor:.2f}")


def guidance_chart(name: str) -> None:
    """Precision, recall and how often the class is seen, by guidance; nothing where it was not measured."""
    from ui.charts import go

    if (found := measured(name)) is None:
        return
    rows_ = found.by_guidance(load_model(name).config.steps)
    figure = go.Figure()
    names = {"precision": "precision", "recall": "recall", "class_consistency": "seen as the class asked for"}
    for i, (key, name) in enumerate(names.items()):
        figure.add_scatter(**_line(rows_, key, [row.guidance for row in rows_], name=name, colour=i))
    figure.update_xaxes(title="guidance", tickvals=[row.guidance for row in rows_])
    _lay_out(figure)
    figure.update_yaxes(range=[0, 1.02], tickformat=".0%")
    told = "; ".join(
        f"at {row.guidance:g}: precision {row.figures['precision']:.0%}, recall {row.figures['recall']:.0%}, "
        f"seen as asked {row.figures['class_consistency']:.0%}"
        for row in rows_
    )
    st.plotly_chart(figure, config=STILL, alt=f"Precision and recall by guidance, {told}")


def _line(found: list[Measured], key: str, x: list, name: str, colour: int) -> dict:
    spread = [row.spread[key] for row in found]
    return {
        "x": x,
        "y": [row.figures[key] for row in found],
        "error_y": {"array": spread, "thickness": 1},
        "mode": "lines+markers",
        "name": name,
        "line": {"color": CLASS_COLOURS[colour]},
        "customdata": [row.evaluations for row in found],
        "hovertemplate": "%{y:.3f}, %{customdata} evaluations of the network a sample",
    }


def _lay_out(figure) -> None:
    figure.update_layout(
        height=300,
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        showlegend=True,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )
    figure.update_yaxes(rangemode="tozero")


def _table(found: Settings) -> list[dict[str, object]]:
    """Every setting with its figures and their spread."""
    return [
        {"model": row.model, "steps": row.steps, "guidance": row.guidance, "evaluations": row.evaluations}
        | row.figures
        | {f"{key}_spread": value for key, value in row.spread.items()}
        for row in found.rows
    ]
