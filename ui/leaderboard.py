"""The Leaderboard page: the best three, a scatter of quality against cost, and the whole table."""

from __future__ import annotations

import base64
import math
from dataclasses import replace
from typing import Any

import streamlit as st

from genlib.charts.leaderboard import trade_off
from genlib.errors import GenlibError
from genlib.images import grid, png_bytes
from genlib.metrics.evaluation import EVALUATION_SAMPLES, warning
from genlib.metrics.floor import load_floor, load_spoiled
from genlib.questions.leaderboard import Board, Row
from genlib.zoo.figures import FIGURES, Figure
from genlib.zoo.leaderboard import leaderboard, nothing_learned
from ui import questions, zoo
from ui.own_samples import FAMILY
from ui.pictures import show_tiles, strip
from ui.words import line_of, plain

__all__ = ["trade_off"]
STRIP = 10
WORDS = ("model", "family", "disputed")  # columns that are no figures


def board_or_stop() -> Board:
    """Every model that loaded, and what to rank by; the page stops with a plain line where there is none."""
    names = zoo.usable()
    if not names:
        st.info("No trained model is here to be measured. Train one: `python -m genlib train cgan-mlp`")
        st.stop()
    try:
        real, *rows = leaderboard()
    except GenlibError as error:
        st.warning(f"There is no leaderboard: {line_of(error)}", icon=":material/broken_image:")
        st.stop()
    asked = questions.own_controls(questions.asked("Leaderboard"), metric=260, against=0)
    return Board(asked, [row for row in rows if row["model"] in names], real)


def beside(board: Board, own: list[Row]) -> Board:
    """The board with more rows in its table, and where each stands in words."""
    for row in own:
        floor = load_floor(row["samples"] or EVALUATION_SAMPLES)
        st.markdown(
            f"**{plain(row['model'])}**: Frechet distance {row['fd']:.2f}, which would be place "
            f"{board.place(row, 'fd')} of {len(board.rows) + 1}; second opinion {row['fd_second'] or math.nan:.2f}. "
            f"{floor['samples']:,} photographs score {floor['fd']:.2f} and {floor['fd_second']:.2f}. "
            f"{warning(row['samples'] or EVALUATION_SAMPLES).capitalize()}"
        )
    return replace(board, rows=[*board.rows, *own])


def show_podium(board: Board) -> None:
    """Samples of the best three."""
    if not board.ranked:
        st.info("No model here has figures; `python -m genlib evaluate --all` measures them.")
    for place, (rank, row) in zip(st.columns(3, gap="medium"), enumerate(board.ranked[:3], start=1), strict=False):
        with place:
            show_tiles(strip(row["model"], STRIP), STRIP, f"{STRIP} samples of {row['model']}, number {rank}")
            st.markdown(f"**{rank}. {row['model']}** · {board.written(row)}{_second_opinion(row, board)}")


def _second_opinion(row: Row, board: Board) -> str:
    """What the other extractor says of one of the best, and its place by that."""
    if board.metric != "fd" or row["fd_second"] is None:
        return ""
    place = board.place(row, "fd_second")
    return f"  \nsecond opinion {row['fd_second']:.2f}, place {place}{' :material/balance:' if row['disputed'] else ''}"


def show_disputes(board: Board) -> None:
    """Where the two extractors clearly order two models in opposite ways."""
    lines = [f"- **{row['disputed']}** to {row['model']}" for row in board.ranked if row["disputed"]]
    if board.metric not in ("fd", "fd_second") or not lines:
        return
    st.markdown(
        ":material/balance: **Where the two opinions part.** A distance is what a classifier sees, and a second one, "
        "built in another way, sees other things. By more than chance the first puts the model on the right ahead, and "
        "the second prefers\n\n" + "\n".join(lines) + "\n\nThese figures do not say which of the two is better: look "
        "at the samples."
    )


def show_table(board: Board) -> None:
    """Every figure of every model, what real images score among them; a click on a head sorts."""
    rows = [*board.ranked, *board.without, board.real, nothing_learned()]
    trainings = f"{board.metric}_trainings"
    known = [
        key
        for key in rows[0]
        if any(row[key] is not None for row in rows) and (key == trainings or not key.endswith("_trainings"))
    ]
    first = ("model", board.metric, f"{board.metric}_spread", trainings, "strip", "family")
    places = {key: place for place, key in enumerate(first)} | {"disputed": len(first) + 1}
    columns = sorted(["strip", *known], key=lambda key: places.get(key, len(first)))
    st.caption("Every figure: the table goes on to the right. A click on a head sorts by it.")
    st.dataframe(
        {key: [_cell(row, key) for row in rows] for key in columns},
        column_config=_configuration(columns),
        hide_index=True,
        row_height=30,
        height="content",
        placeholder="",
        alt=f"Every figure of {len(board.rows)} models, of real images and of random pixels, by {board.figure.title}",
        key="table",
    )


def _cell(row: Row, key: str) -> object:
    if key == "strip":
        return None if row["family"] == FAMILY else _strip_address(row["model"])
    if key.endswith("_trainings"):
        figure = FIGURES[key.removesuffix("_trainings")]
        return None if row[key] is None else ", ".join(map(figure.text, row[key]))
    scale = FIGURES[key.removesuffix("_spread")].scale if key not in WORDS else 1
    return row[key] if scale == 1 or row[key] is None else scale * row[key]


def _configuration(columns: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "model": st.column_config.TextColumn("Model", pinned=True),
        "strip": st.column_config.ImageColumn("Samples", width=270),
        "family": st.column_config.TextColumn("Family"),
        "disputed": st.column_config.TextColumn(
            "Opinions part",
            width=260,
            help="Models that this one is clearly ahead of by the first extractor's distance and clearly behind by "
            "the second's: which is better depends on who looks.",
        ),
    }
    for key in columns:
        if key in FIGURES:
            figure = FIGURES[key]
            sense = f" {figure.better.capitalize()} is better." if figure.better else ""
            found[key] = st.column_config.NumberColumn(
                figure.title, format=_printf(figure), help=figure.meaning + sense
            )
        elif key.endswith("_trainings"):
            found[key] = st.column_config.TextColumn(
                "Trainings",
                width=150,
                help="The same figure of several trainings of the model, each from another seed; the first is shipped.",
            )
        elif key not in found:
            figure = FIGURES[key.removesuffix("_spread")]
            about = f"{figure.title}: standard deviation between the three sample seeds"
            found[key] = st.column_config.NumberColumn("±", format=_printf(figure), help=about, width=70)
    return found


def _printf(figure: Figure) -> str:
    """How a column of numbers writes the figure, as Streamlit has it."""
    if figure.scale == 100:
        return "%.1f %%"
    return "localized" if "," in figure.form else "%" + figure.form.removeprefix("z")


@st.cache_data(max_entries=64, show_spinner=False)
def _strip_address(name: str) -> str | None:
    """A model's first samples as a data URL; None for rows that are no models."""
    if name not in zoo.usable():
        return None
    picture = png_bytes(grid(strip(name, STRIP), STRIP, 2, 2))
    return "data:image/png;base64," + base64.b64encode(picture).decode()


def explain_figures() -> None:
    """Every figure in plain words, and the protocol."""
    with st.expander("How it works: one protocol for every model", icon=":material/school:"):
        st.markdown(
            "Every model draws 10,000 samples (one that takes a class: 1,000 of each), rounded to 256 gray levels like "
            "photographs, and they are compared with the 10,000 test images. Three times, with different noise: the "
            "figure is the mean, **±** the standard deviation. Distances are not taken between pixels but between what "
            "a small classifier of garments, trained once on the training split and frozen, sees in them "
            "(128 numbers an image). Another classifier, built in another way, gives a **second opinion**: a distance "
            "depends on who looks, so one model is called better than another only where both agree. *Real training "
            "images* are 10,000 photographs measured in the samples' place: no model can be expected to come nearer, "
            "or to cover more. Precision and density can exceed theirs, where a model draws nothing but the most "
            "usual garments. *Random pixels* are what one would see without any learning.\n\n"
            "Another training, from another seed, would end at other weights. Ten of the models were trained three "
            "times: the **rings** in the chart and the column *Trainings* are what the others scored. Where they are "
            "known, one model is called better than another only if the gap is more than twice that spread too."
        )
        st.markdown(_what_each_minds())
        lines = [f"- **{each.title}**{_sense(each)}. {each.meaning}" for each in FIGURES.values()]
        st.markdown("\n".join(lines))
        st.markdown(
            "Sources: Frechet distance [arXiv:1706.08500](https://arxiv.org/abs/1706.08500), kernel distance "
            "[arXiv:1801.01401](https://arxiv.org/abs/1801.01401), precision and recall "
            "[arXiv:1904.06991](https://arxiv.org/abs/1904.06991), density and coverage "
            "[arXiv:2002.09797](https://arxiv.org/abs/2002.09797), classification accuracy score "
            "[arXiv:1905.10887](https://arxiv.org/abs/1905.10887). `python -m genlib evaluate NAME` measures a model."
        )


def _what_each_minds() -> str:
    """Photographs spoiled in one way, as the two extractors see them."""
    spoiled = load_spoiled() | {"nothing": load_floor()}
    names = {
        "nothing": "as they are",
        "noise": "with grain of 20 gray levels on the garments",
        "blur": "blurred by 3 × 3 pixels",
        "no_bags": "without any bags",
    }
    rows = [f"| {told} | {spoiled[key]['fd']:.2f} | {spoiled[key]['fd_second']:.2f} |" for key, told in names.items()]
    return (
        "The two classifiers are sensitive to different faults. Frechet distances of 10,000 photographs:\n\n"
        "| photographs | first | second |\n|---|---|---|\n" + "\n".join(rows) + "\n\n"
        "For the first, grain is worse than a missing class; for the second it matters far less. Grainy but "
        "well-shaped garments score better by the second, clean but misshapen ones by the first."
    )


def _sense(figure: Figure) -> str:
    return f" ({figure.better} is better)" if figure.better else ""
