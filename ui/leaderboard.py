"""The Leaderboard page: what each figure means, the best three, a scatter against cost and the whole table."""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from genlib.images import grid, png_bytes
from genlib.leaderboard import REAL, leaderboard
from genlib.model import families
from ui import draw, zoo
from ui.controls import BOUND
from ui.pictures import CLASS_COLOURS, STILL, show_tiles
from ui.share import Maker, csv_bytes

Row = dict[str, Any]
STRIP = 10


@dataclass(frozen=True)
class Figure:
    """One column: its title, how it is written, what it means; `better` where one model can beat another by it."""

    title: str
    form: str  # as d3 and Streamlit's number columns understand it
    meaning: str
    better: str | None = None
    log: bool = False
    scale: float = 1


FIGURES = {
    "fd": Figure(
        "Frechet distance",
        "%.2f",
        "How far the samples are from the test photographs as a whole, as a classifier of garments sees both. Counts "
        "both poor pictures and missing kinds.",
        "lower",
        log=True,
    ),
    "fd_raw": Figure(
        "Raw Frechet distance",
        "%.2f",
        "The same for a GAN's last weights instead of their average over the last steps.",
        "lower",
        log=True,
    ),
    "kid": Figure(
        "Kernel distance",
        "%.4f",
        "The same question with another ruler (cubic polynomial kernel), unbiased: real images score 0 within noise.",
        "lower",
    ),
    "precision": Figure(
        "Precision",
        "%.1f %%",
        "Share of the samples that lie among the real images: are the pictures plausible?",
        "higher",
        scale=100,
    ),
    "recall": Figure(
        "Recall",
        "%.1f %%",
        "Share of the real images that lie among the samples: is every kind of garment drawn?",
        "higher",
        scale=100,
    ),
    "density": Figure(
        "Density",
        "%.2f",
        "Precision that counts how many real images a sample lies close to, and forgives outliers; may exceed 1.",
        "higher",
    ),
    "coverage": Figure(
        "Coverage",
        "%.1f %%",
        "Share of the real images with a sample in their immediate neighbourhood: recall that forgives outliers.",
        "higher",
        scale=100,
    ),
    "class_consistency": Figure(
        "Class consistency",
        "%.1f %%",
        "How often the classifier sees the class that was asked for. Only for models that take a class.",
        "higher",
        scale=100,
    ),
    "balance_kl": Figure(
        "Class imbalance",
        "%.3f",
        "How unevenly the ten classes are drawn, in nats: 0 is even, 2.3 is one class alone. Only for models that take "
        "no class.",
        "lower",
        log=True,
    ),
    "cas": Figure(
        "Classification accuracy score",
        "%.1f %%",
        "How well a classifier that saw nothing but samples does on real test images. Only for models that take a "
        "class.",
        "higher",
        scale=100,
    ),
    "nearest_train": Figure(
        "Nearest training image",
        "%.2f",
        "Median distance from a sample to the training image most like it. Far below the test images' own: copies.",
    ),
    "near_copies": Figure(
        "Near copies",
        "%.1f %%",
        "Share of the samples nearer to a training image than 99 % of the test images are; 1 % would be natural.",
        scale=100,
    ),
    "mse": Figure(
        "Reconstruction error",
        "%.4f",
        "Squared error per pixel of test images encoded and decoded. Only for models that encode.",
        "lower",
        log=True,
    ),
    "ssim": Figure(
        "Structural similarity",
        "%.3f",
        "Likeness of test images and their reconstructions; 1 is equal. Only for models that encode.",
        "higher",
    ),
    "parameters": Figure("Parameters", "localized", "Numbers that training set.", log=True),
    "ms_64": Figure(
        "64 samples, ms", "%.1f", "Milliseconds for 64 samples on the processor they were measured on.", log=True
    ),
    "train_seconds": Figure("Training, s", "localized", "Seconds of training, on one machine or another.", log=True),
    "train_epochs": Figure("Epochs", "%d", "Passes over the training images; for mixtures, EM iterations."),
    "peak_memory_mb": Figure("Peak memory, MB", "localized", "The most memory that training held."),
    "components": Figure("Components", "%d", "Gaussians in a mixture."),
    "log_likelihood": Figure(
        "Log-likelihood", "%.1f", "Nats per training image, in the space of the mixture: compare like with like."
    ),
    "bic": Figure("BIC", "%.3g", "Likelihood against number of parameters; lower is better on the same data."),
    "protocol": Figure("Protocol", "%d", "The version of these measurements; the first had the distances alone."),
    "samples": Figure("Samples", "%d", "Samples a seed, measured for three seeds."),
}
COSTS = {"parameters": "size", "ms_64": "time to sample", "train_seconds": "time to train"}
QUALITIES = tuple(key for key, figure in FIGURES.items() if figure.better)


@dataclass(frozen=True)
class Board:
    """The table, and what it is ranked by and plotted against."""

    rows: list[Row]
    real: Row
    metric: str = "fd"
    cost: str = "parameters"

    @property
    def figure(self) -> Figure:
        """What the models are ranked by."""
        return FIGURES[self.metric]

    @property
    def ranked(self) -> list[Row]:
        """Rows that have the figure, best first."""
        sign = 1 if self.figure.better == "lower" else -1
        return sorted((row for row in self.rows if row[self.metric] is not None), key=lambda r: sign * r[self.metric])

    @property
    def without(self) -> list[Row]:
        """Rows that lack it."""
        return [row for row in self.rows if row[self.metric] is None]

    @property
    def query(self) -> dict[str, object]:
        """Every control by its key in the URL."""
        return {"metric": self.figure.title, "against": COSTS[self.cost]}

    def written(self, row: Row) -> str:
        """The row's figure with its spread, as a reader would write it."""
        value, spread = row[self.metric], row.get(f"{self.metric}_spread")
        text = self.figure.form % (self.figure.scale * value)
        return text if spread is None else f"{text} ± {self.figure.form % (self.figure.scale * spread)}"

    def downloads(self) -> dict[str, Maker]:
        """The table, made when asked for."""
        return {"leaderboard.csv": lambda: csv_bytes([self.real, *self.rows])}


CODE = """import csv

from genlib.leaderboard import leaderboard

rows = leaderboard()  # the first is what real images score; fractions, not per cent
with open("leaderboard.csv", "w", encoding="utf-8", newline="") as file:
    writer = csv.DictWriter(file, rows[0])
    writer.writeheader()
    writer.writerows(rows)"""


@st.cache_data(ttl=30, show_spinner=False)
def _table() -> list[Row]:
    return leaderboard()


def board_or_stop() -> Board:
    """Every model that loaded; the page stops with a plain line where there is none."""
    names = zoo.usable()
    if not names:
        st.info("No trained model is here to be measured. Train one: `python -m genlib train cgan-mlp`")
        st.stop()
    real, *rows = _table()
    return Board([row for row in rows if row["model"] in names], real)


def controls_row(board: Board) -> Board:
    """What to rank by, and what to set it against."""
    measured = [key for key in QUALITIES if any(row[key] is not None for row in board.rows)] or ["fd"]
    titles = {FIGURES[key].title: key for key in measured}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        metric = st.selectbox("Quality", list(titles), key="metric", width=260, **BOUND)
        against = st.segmented_control(
            "Against", list(COSTS.values()), default="size", required=True, key="against", **BOUND
        )
    cost = next((key for key, name in COSTS.items() if name == against), "parameters")
    return replace(board, metric=titles.get(metric or "", measured[0]), cost=cost)


def show_podium(board: Board) -> None:
    """Samples of the best three."""
    if not board.ranked:
        st.info("No model here has figures; `python -m genlib evaluate --all` measures them.")
    for place, (rank, row) in zip(st.columns(3, gap="medium"), enumerate(board.ranked[:3], start=1), strict=False):
        with place:
            show_tiles(draw.strip(row["model"], STRIP), STRIP, f"{STRIP} samples of {row['model']}, number {rank}")
            st.markdown(f"**{rank}. {row['model']}** · {board.written(row)}")


def show_scatter(board: Board) -> None:
    """Quality against cost, a colour a family; the bars are the spread between sample seeds."""
    import plotly.graph_objects as go

    figure, cost = go.Figure(), FIGURES[board.cost]
    rows = [row for row in board.ranked if row[board.cost] is not None]
    for family, colour in zip(families(), CLASS_COLOURS, strict=False):
        if own := [row for row in rows if row["family"] == family]:
            figure.add_scatter(**_points(own, board), name=family, marker={"color": colour, "size": 12})
    figure.update_layout(
        height=400,
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        showlegend=True,
    )
    unit = f"{board.figure.title}{', %' if board.figure.scale == 100 else ''} ({board.figure.better} is better)"
    figure.update_yaxes(title=unit, tickformat="~g")
    figure.update_xaxes(title=cost.title, type="log", tickformat="~s", tickvals=_ticks([r[board.cost] for r in rows]))
    if board.figure.log:
        figure.update_yaxes(type="log", tickvals=_ticks([row[board.metric] for row in rows]))
    real = board.real[board.metric]
    if real is not None and not board.figure.log:
        grey = CLASS_COLOURS[8]
        figure.add_hline(board.figure.scale * real, line={"color": grey, "dash": "dot"}, annotation_text="real images")
    best = f"; best: {rows[0]['model']}, {board.written(rows[0])}" if rows else ""
    st.plotly_chart(figure, config=STILL, alt=f"{board.figure.title} of {len(rows)} models against {cost.title}{best}")


def _ticks(values: list[float]) -> list[float]:
    """1, 2 and 5 in every power of ten about the values; the first alone where they span many."""
    logs = [math.log10(value) for value in values if value > 0] or [0]
    low, high = math.floor(min(logs)), math.ceil(max(logs))
    return [m * 10.0**e for e in range(low, high + 1) for m in ((1, 2, 5) if high - low < 3 else (1,))]


def _points(rows: list[Row], board: Board) -> dict[str, Any]:
    scale = board.figure.scale
    return {
        "x": [row[board.cost] for row in rows],
        "y": [scale * row[board.metric] for row in rows],
        "error_y": {"array": [scale * (row.get(f"{board.metric}_spread") or 0) for row in rows], "thickness": 1},
        "text": [row["model"] for row in rows],
        "mode": "markers+text",
        "textposition": ["top center" if board.ranked.index(row) % 2 else "bottom center" for row in rows],
        "cliponaxis": False,
    }


def caption(board: Board) -> str:
    """What the figure means, what real images score, which models have none."""
    real = f" Real training images score {board.written(board.real)}." if board.real[board.metric] is not None else ""
    names = ", ".join(row["model"] for row in board.without)
    lacking = f" Not measured, or not applicable: {names}." if names else ""
    return f"**{board.figure.title}** ({board.figure.better} is better). {board.figure.meaning}{real}{lacking}"


def show_table(board: Board) -> None:
    """Every figure of every model, what real images score among them; a click on a head sorts."""
    rows = [*board.ranked, *board.without, board.real]
    first = ("model", "family", board.metric, f"{board.metric}_spread")
    columns = sorted(
        (key for key in rows[0] if any(row[key] is not None for row in rows)), key=lambda k: k not in first
    )
    table = {key: [_cell(row, key) for row in rows] for key in columns}
    st.dataframe(
        {"strip": [_strip_address(row["model"]) for row in rows], **table},
        column_config={"strip": st.column_config.ImageColumn("Samples", width=310)} | _configuration(columns),
        hide_index=True,
        row_height=30,
        height="content",
        placeholder="",
        alt=f"Every figure of {len(board.rows)} models and of real images, ordered by {board.figure.title}",
        key="table",
    )


def _cell(row: Row, key: str) -> object:
    scale = FIGURES[key.removesuffix("_spread")].scale if key not in ("model", "family") else 1
    return row[key] if scale == 1 or row[key] is None else scale * row[key]


def _configuration(columns: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "model": st.column_config.TextColumn("Model", pinned=True),
        "family": st.column_config.TextColumn("Family"),
    }
    for key in columns:
        if key in FIGURES:
            figure = FIGURES[key]
            sense = f" {figure.better.capitalize()} is better." if figure.better else ""
            found[key] = st.column_config.NumberColumn(figure.title, format=figure.form, help=figure.meaning + sense)
        elif key not in found:
            figure = FIGURES[key.removesuffix("_spread")]
            about = f"{figure.title}: standard deviation between the three sample seeds"
            found[key] = st.column_config.NumberColumn("±", format=figure.form, help=about, width=70)
    return found


@st.cache_data(max_entries=64, show_spinner=False)
def _strip_address(name: str) -> str | None:
    """A model's first samples as a data URL."""
    if name == REAL:
        return None
    strip = png_bytes(grid(draw.strip(name, STRIP), STRIP, 2, 2))
    return "data:image/png;base64," + base64.b64encode(strip).decode()


def explain_figures() -> None:
    """Every figure in plain words, and the protocol."""
    with st.expander("How it works: one protocol for every model", icon=":material/school:"):
        st.markdown(
            "Every model draws 10,000 samples (one that takes a class: 1,000 of each), rounded to 256 gray levels like "
            "photographs, and they are compared with the 10,000 test images. Three times, with different noise: the "
            "figure is the mean, **±** the standard deviation. Distances are not taken between pixels but between what "
            "a small classifier of garments, trained once on the training split and frozen, sees in them "
            "(128 numbers an image). *Real training images* are 10,000 photographs measured in the samples' place: no "
            "model can be expected to do better."
        )
        lines = [f"- **{each.title}**{_sense(each)}. {each.meaning}" for each in FIGURES.values()]
        st.markdown("\n".join(lines))
        st.markdown(
            "Sources: Frechet distance [arXiv:1706.08500](https://arxiv.org/abs/1706.08500), kernel distance "
            "[arXiv:1801.01401](https://arxiv.org/abs/1801.01401), precision and recall "
            "[arXiv:1904.06991](https://arxiv.org/abs/1904.06991), density and coverage "
            "[arXiv:2002.09797](https://arxiv.org/abs/2002.09797), classification accuracy score "
            "[arXiv:1905.10887](https://arxiv.org/abs/1905.10887). `python -m genlib evaluate NAME` measures a model."
        )


def _sense(figure: Figure) -> str:
    return f" ({figure.better} is better)" if figure.better else ""
