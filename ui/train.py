"""The form of the Train page: a preset, what to change of it, what that will cost, and the start."""

from __future__ import annotations

import dataclasses
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from genlib.config import Config
from genlib.data import FashionMNIST
from genlib.errors import GenlibError
from genlib.jobs.estimates import duration, estimator
from genlib.jobs.limits import Limits
from genlib.jobs.queue import Queue
from genlib.model import Preset
from genlib.models import presets
from ui.controls import BOUND
from ui.words import capitalised, line_of, plain

DEFAULT_PRESET = "vae-dense-8"
MEASURES = {"Full protocol": None, "Quick look": (1_000, 1_000)}
FIRST_EPOCHS = 5  # enough to see something, soon
MAIN = (
    *("epochs", "batch_size", "lr", "dropout", "latent_size", "latent_channels", "beta", "width"),
    *("components", "seed"),
)
KEYS = {"batch_size": "batch", "latent_size": "latent", "seed": "rng"}  # `seed` is that of the pictures
LABELS = {"lr": "Learning rate"}
STEPS: dict[str, tuple[float, ...]] = {
    "lr": (1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2),
    "batch_size": (16, 32, 64, 128, 256, 512, 1024),
    "latent_size": (2, 4, 8, 16, 32, 64, 100, 128, 256),
    "dropout": (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8),
    "beta": (0.0, 0.1, 0.3, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0),
}


def places() -> list[DeltaGenerator]:
    """Where the run, the form and the run's charts stand, as studio.css has it."""
    with st.container(key="train"):
        return [st.container(key=f"train-{name}") for name in ("run", "form", "charts")]


def choose_preset() -> Preset:
    """Any preset of the zoo, shipped or not."""
    names = list(presets())
    name = st.selectbox(
        "Preset",
        names,
        index=names.index(DEFAULT_PRESET),
        key="preset",
        on_change=_take_its_settings,
        **BOUND,
    )
    preset = presets()[name or DEFAULT_PRESET]
    st.caption(f"**{capitalised(preset.family)}.** {preset.summary}")
    return preset


def _take_its_settings() -> None:
    """Another preset begins with its own settings, whatever was set for the one before."""
    config = presets()[st.session_state["preset"]].config
    for field in dataclasses.fields(config):
        st.session_state[_key(field.name)] = _initial(config, field.name)


def _initial(config: Config, name: str) -> Any:
    """The value that a control begins with: the preset's own, but few epochs."""
    own = getattr(config, name)
    if name == "epochs":
        most = Limits.from_environment().epochs or own
        return min(own, most, FIRST_EPOCHS if hasattr(config, "batch_size") else own)
    return _written(own) if isinstance(own, tuple) else own


def _key(field: str) -> str:
    return KEYS.get(field, field)


def settings_form(preset: Preset, most_epochs: int | None) -> dict[str, Any]:
    """A control for each field of the preset's configuration; those that differ from the preset's own."""
    fields = {field.name: field for field in dataclasses.fields(preset.config)}
    main = [fields[name] for name in MAIN if name in fields]
    chosen = {}
    columns = st.columns(2)
    for place, field in enumerate(main):
        with columns[place % 2]:
            chosen[field.name] = _control(preset, field, most_epochs)
    with st.expander("More settings"):
        for field in fields.values():
            if field.name not in MAIN:
                chosen[field.name] = _control(preset, field, most_epochs)
    return {name: value for name, value in chosen.items() if value != getattr(preset.config, name)}


def _control(preset: Preset, field: dataclasses.Field[Any], most_epochs: int | None) -> Any:
    """The control that fits a field's type, between the bounds that its configuration allows."""
    name, own, first = field.name, getattr(preset.config, field.name), _initial(preset.config, field.name)
    label = LABELS.get(name, name.replace("_", " ").capitalize())
    about = f"{field.metadata['help'].capitalize()}. The preset's own: {_written(own)}."
    told = {"key": _key(name), "help": about, **BOUND}
    if name == "epochs":
        most = most_epochs or int(field.metadata["high"])
        return int(st.number_input(f"{capitalised(preset.unit)}s", 1, most, first, **told))
    if name in STEPS:
        return st.select_slider(label, sorted({*STEPS[name], own}), own, format_func=_written, **told)
    if isinstance(own, bool):
        return st.toggle(label, own, **told)
    if field.metadata["choices"]:
        options = list(field.metadata["choices"])
        return st.selectbox(label, options, options.index(own), **told)
    if isinstance(own, tuple):
        return _whole_numbers(label, first, told)
    low, high = field.metadata["low"], field.metadata["high"]
    if isinstance(own, int):
        return int(st.number_input(label, int(low), int(high), own, **told))
    step = own / 2 or 0.1
    return float(st.number_input(label, float(low), float(high), float(own), step=step, format="%g", **told))


def _written(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _whole_numbers(label: str, first: str, told: dict[str, Any]) -> tuple[Any, ...]:
    """Layer widths, written with commas; what is no number is left for the configuration to refuse."""
    text = st.text_input(label, first, max_chars=80, **told) or ""
    parts = [part.strip() for part in text.split(",")]
    return tuple(int(part) if part.isascii() and part.isdigit() and len(part) < 10 else part for part in parts)


def is_let_in(limits: Limits) -> bool:
    """Whether this session may start runs, and let its own go on."""
    return limits.training == "on" or (limits.training == "password" and bool(st.session_state.get("let_in")))


def may_train(limits: Limits) -> bool:
    """Whether this visitor may; asks for the password where there is one."""
    if limits.training == "off":
        st.info("Training is switched off on this host. To train, run the studio on a machine of your own: `make run`.")
        return False
    if not is_let_in(limits):
        given = st.text_input("Password of this host", type="password", key="password")
        if not limits.opens(given):
            st.caption("Training here needs the host's password." if not given else ":red[That is not the password.]")
            return False
        st.session_state["let_in"] = True  # for this session, without the password being kept
    try:
        if not FashionMNIST.available("train"):
            st.caption("The training split is not on this machine yet: the first run fetches it (26 MB).")
    except GenlibError as error:
        st.warning(f"A run cannot find the training split: {line_of(error)}")
    return True


def choose_measuring() -> str:
    """How much is measured of a finished run, and while it trains."""
    told = (
        "The full protocol takes some minutes after the training, and its figures compare with the leaderboard's. A "
        "quick look draws 1,000 samples instead of 10,000. Its distances are biased upwards: compare them with other "
        "quick looks only. They stay off the leaderboard."
    )
    chosen = st.segmented_control(
        "Measuring", list(MEASURES), default="Full protocol", required=True, key="measure", help=told, **BOUND
    )
    return chosen or "Full protocol"


@st.fragment(run_every=1.0)
def show_estimate(preset: str, settings: dict[str, Any], measuring: str, session: str) -> None:
    """Time and disk, timed on this machine."""
    found = estimator().ask(session, preset, settings)
    if found is None:
        st.caption(":material/timer: Timing 20 steps of this on this machine …")
    elif isinstance(found, str):
        st.warning(f"No estimate: {plain(found)}", icon=":material/timer:")
    else:
        most = "at most " if found.at_most else "about "
        full = MEASURES[measuring] is None
        measured = f", {duration(found.evaluation_seconds)} of it for measuring" if full else ", then a quick look"
        total = found.seconds if full else found.seconds - found.evaluation_seconds
        st.caption(
            f":material/timer: {most}**{duration(total)}** on this machine as busy as it is now{measured}; "
            f"{found.megabytes:.0f} MB"
        )


def start_button(queue: Queue, preset: str, settings: dict[str, Any], measuring: str, owner: str) -> None:
    """Start the run, or say why not."""
    told = {"on_click": _start, "args": (queue, preset, settings, measuring, owner)}
    st.button("Start training", type="primary", icon=":material/play_arrow:", width="stretch", **told)
    if refused := st.session_state.get("refused"):
        st.error(refused)
    limits = queue.limits
    words = [
        f"at most {limits.epochs} epochs" if limits.epochs else "",
        f"{limits.minutes} minutes a run" if limits.minutes else "",
        f"{limits.runs} runs a visitor" if limits.runs else "",
    ]
    if any(words):
        st.caption(f"This host allows {', '.join(filter(None, words))}.")


def _start(queue: Queue, preset: str, settings: dict[str, Any], measuring: str, owner: str) -> None:
    try:
        st.session_state["run"] = queue.submit(preset, settings, owner, MEASURES[measuring]).id
        st.session_state.pop("refused", None)
    except GenlibError as error:
        st.session_state["refused"] = line_of(error)


def query(preset: Preset, settings: dict[str, Any], measuring: str) -> dict[str, object]:
    """Every control by its key in the URL."""
    values = {_key(key): _written(value) for key, value in (vars(preset.config) | settings).items()}
    return {"preset": preset.name, **values, "measure": measuring}


def code(preset: Preset, settings: dict[str, Any], measuring: str) -> str:
    """The lines of genlib that train this, runnable as they stand."""
    quick = MEASURES[measuring]
    samples = f", samples={quick}" if quick else ""
    return f"""from genlib.jobs import Queue

queue = Queue()  # of the directory $GENLIB_RUNS, else runs/; this studio shows them too
job = queue.submit("{preset.name}", {settings}{samples})
for event in queue.follow(job.id):
    print(event)"""
