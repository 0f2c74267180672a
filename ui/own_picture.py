"""One's own picture: a file or a drawing, how it is cropped and lightened, and what the models see of it."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from genlib.analysis.own_image import Crop, OwnImage, automatic_crop, outlined, shrunk
from genlib.errors import GenlibError
from genlib.images import grid
from genlib.io.photo import Photo, read_photo
from genlib.questions.reconstruct import SOURCES, Reconstruct, prepared
from ui.canvas import canvas
from ui.words import line_of, plain

SHOWN = 224  # longest edge, in pixels, of the picture as given: the page enlarges and reduces without smoothing
NARROW = 165  # pixels of a slider: two fit beside each other on a phone
SEEN = "Your picture as the models see it, 28 x 28 pixels"


def with_own(question: Reconstruct) -> Reconstruct:
    """The question of a file or a drawing, once there is one; test images stand in until then."""
    if question.of == SOURCES[0]:
        return question
    return _of_a_file(question) if question.of == SOURCES[1] else _of_a_drawing(question)


def _of_a_file(question: Reconstruct) -> Reconstruct:
    """The uploader; once there is a file, the picture with its crop, what it becomes, and what can be changed."""
    file = st.file_uploader(
        "A photograph of a garment: JPEG, PNG or WebP. It stays on the machine that runs this studio and is not saved.",
        ["png", "jpg", "jpeg", "webp"],
        key="file",
    )
    if file is None:
        st.caption("Best: one garment, from the front, on a plain background. Save a HEIC picture as JPEG first.")
        _wait()
        return question
    try:
        photo, crop = _read(file.getvalue(), file.file_id)
    except GenlibError as error:
        _refuse(file.name, error)
        return question
    return _adjusted(question, replace(question, file=file.name, photo=photo), crop, file.file_id)


def _of_a_drawing(question: Reconstruct) -> Reconstruct:
    """A square to draw on, beside what the models see of it."""
    left, right = st.columns([2, 3], gap="medium")
    with left:
        st.caption("Draw a garment with the pointer; it is read after each stroke.")
        data = canvas("canvas")
    with right:
        if data is None:
            _wait()
            return question
        try:
            drawn = replace(question, file="drawing.png", photo=read_photo(data))
            picture = prepared(drawn)
        except GenlibError as error:
            _refuse("drawing.png", error)
            return question
        st.image(shrunk(picture.given, SHOWN), width=110, alt="Your picture as given")
        st.image(grid(picture.image[None], 1, 4), width=112, alt=SEEN)
        _say("As given, and as the models see it, 28 x 28", picture)
    return drawn


def _wait() -> None:
    st.caption("Until there is a picture of yours, test images stand in for it.")


def _refuse(name: str, error: GenlibError) -> None:
    st.error(f"{plain(name)}: {line_of(error)}", icon=":material/broken_image:")


def _say(what: str, picture: OwnImage) -> None:
    st.caption("; ".join([what, *picture.notes]))


@st.cache_data(max_entries=16, show_spinner="Reading the picture")
def _read(_data: bytes, file_id: str) -> tuple[Photo, Crop]:
    """The file decoded small, once an upload, and the crop found in it."""
    photo = read_photo(_data)
    return photo, automatic_crop(photo)


# What can be changed ----------------------------------------------------------------------------------------------


def _adjusted(plain: Reconstruct, question: Reconstruct, automatic: Crop, upload: str) -> Reconstruct:
    """The picture with its crop, the image made of it or what is wrong with it, and the controls."""
    pictures, controls = st.columns(2, gap="medium")
    with controls:
        crop, contrast, background = _controls(automatic, upload)
    square = () if crop is None else (crop.x, crop.y, crop.size)
    question = replace(question, crop=square, contrast=contrast, background=background)
    with pictures:
        pair = st.container(horizontal=True)
        framed = outlined(shrunk(question.photo.pixels, SHOWN), crop or automatic)
        pair.image(framed, alt="Your picture as given, with the square that is taken of it")
        try:
            picture = prepared(question)
        except GenlibError as error:
            _refuse(question.file, error)
            return plain
        pair.image(grid(picture.image[None], 1, 6), width=168, alt=SEEN)
        _say("As given, and as the models see it", picture)
    return question


def _controls(automatic: Crop, upload: str) -> tuple[Crop | None, float, str]:
    """The crop, None while it is the automatic one; the contrast, and what becomes of the background.

    The keys are the upload's own, so that the next file begins with what is found in it, and new after each way back: a
    browser keeps what a control of the same key was set to.
    """
    own = f"{upload}-{st.session_state.get(_ways_back(upload), 0)}"
    with st.container(horizontal=True):
        across = _percent("Crop: across", automatic.x, 0, 100, f"across-{own}")
        down = _percent("Crop: down", automatic.y, 0, 100, f"down-{own}")
        size = _percent("Crop: size", automatic.size, 5, 150, f"size-{own}")
        contrast = _contrast(f"contrast-{own}")
    removed = st.toggle(
        "Remove the background",
        True,
        key=f"background-{own}",
        help="Makes everything black that does not stand out from the picture's border. Turn it off if parts of the "
        "garment get lost: the picture is then only made gray and stretched.",
    )
    chosen = across, down, size
    found = automatic.x, automatic.y, automatic.size
    crop = None if chosen == found else Crop(*(round(value, 4) for value in chosen))
    unchanged = crop is None and contrast == 1 and removed
    st.button(
        "Back to automatic",
        key=f"back-{upload}",
        icon=":material/undo:",
        on_click=_go_back,
        args=(upload,),
        disabled=unchanged,
    )
    return crop, contrast, "removed" if removed else "kept"


def _percent(label: str, found: float, low: int, high: int, key: str) -> float:
    """A slider in percent that begins at what was found, which stays exact until the slider is moved."""
    start = min(max(round(100 * found), low), high)
    value = st.slider(label, low, high, start, key=key, format="%d %%", width=NARROW)
    return found if value == start else value / 100


def _contrast(key: str) -> float:
    about = "1: the garment's lightest parts are nearly white."
    return st.slider("Contrast", 0.2, 5.0, 1.0, 0.1, key=key, width=NARROW, help=about)


def _go_back(upload: str) -> None:
    st.session_state[_ways_back(upload)] = st.session_state.get(_ways_back(upload), 0) + 1


def _ways_back(upload: str) -> str:
    """The key of how often the controls of this upload went back to automatic."""
    return f"ways-back-{upload}"
