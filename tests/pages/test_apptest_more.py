"""Same question, Reconstruct and Findings through Streamlit's test runner, with every model they offer."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

import genlib.findings.judge
from genlib.analysis import inversion
from genlib.analysis.reconstruction import choose
from genlib.data import FashionMNIST
from genlib.findings.claims import CLAIMS
from genlib.findings.judge import FILE, shipped_findings
from genlib.model import capabilities
from genlib.models import get_preset
from tests.pages.studio import Query, assert_healthy, controls, go_to, open_page, pictures, set_control, shared
from tests.pages.test_apptest import CONDITIONAL, MIXTURE, SHIPPED, VAE
from tests.pages.test_snippets import Seen, gray
from tests.tiny import DIFFERENT, refused, thinned
from ui import search
from ui.words import plain

INVERTED = tuple(name for name in SHIPPED if "discriminates" in capabilities(get_preset(name).model_class))
ENCODING = tuple(name for name in SHIPPED if "encodes" in capabilities(get_preset(name).model_class))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Searches of 20 steps: what the page does with them is the same."""
    monkeypatch.setattr(inversion.invert, "__defaults__", (None, 0, 2, 20))


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    return Seen(monkeypatch)


def captions(app: AppTest) -> str:
    return "\n".join(each.value for each in app.caption)


def check_link(page: str, query: Query) -> None:
    """The link in "Share & export" spells every control out and gives the same pictures."""
    app = open_page(page, query)
    assert_healthy(app)
    address, spelled_out = shared(app)
    assert address == page
    assert controls(app).keys() <= spelled_out.keys()
    again = open_page(page, spelled_out)
    assert pictures(again) == pictures(app)
    assert controls(again) == controls(app)


# Same question ----------------------------------------------------------------------------------------------------


def test_every_model_answers() -> None:
    app = open_page("compare")
    assert_healthy(app)
    assert sorted(link.proto.label.strip("*") for link in app.get("page_link")) == sorted(SHIPPED)
    assert len(set(pictures(app))) == DIFFERENT
    assert captions(app).count("distance **") == len(SHIPPED)
    assert captions(app).count("64 samples in ") == len(SHIPPED)


@pytest.mark.parametrize("query", [{}, {"label": "Coat", "seed": "3"}, {"label": "Bag", "unlabelled": "as drawn"}])
def test_a_comparison_link_gives_the_same_pictures(query: Query) -> None:
    check_link("compare", query)


@pytest.mark.parametrize(
    ("query", "key", "value"),
    [
        ({}, "seed", 5),
        ({}, "label", "Bag"),
        ({}, "each", 5),
        ({}, "family", "VAE"),
        ({"label": "Bag"}, "unlabelled", "as drawn"),
    ],
)
def test_a_question_changes_the_answers_and_back(query: Query, key: str, value: object) -> None:
    app = open_page("compare", query)
    before, default = pictures(app), controls(app)[key]
    changed = set_control(app, key, value)
    assert_healthy(changed)
    assert pictures(changed) != before
    assert pictures(set_control(changed, key, default)) == before


def test_unlabelled_models_are_picked_by_sight_and_say_how_often() -> None:
    app = open_page("compare", {"label": "Trouser"})
    told = [name for name in SHIPPED if "conditional" in capabilities(get_preset(name).model_class)]
    assert captions(app).count("Trouser is seen in ") == len(SHIPPED) - len(told)
    drawn = open_page("compare", {"label": "Trouser", "unlabelled": "as drawn"})
    assert "is seen in" not in captions(drawn)
    same = set(pictures(drawn)) & set(pictures(open_page("compare")))
    assert len(same) == DIFFERENT - len(told)


def test_a_class_that_never_comes_is_said() -> None:
    app = open_page("compare", {"label": "Coat", "family": "autoencoder"})
    assert_healthy(app)
    assert "Coat is seen in none of 100 samples" in captions(app)


@pytest.mark.parametrize("bad", [{"each": "0"}, {"each": "x"}, {"family": "nope"}, {"unlabelled": ""}, {"seed": "nan"}])
def test_a_bad_question_is_the_plain_one(bad: Query) -> None:
    app = open_page("compare", {"label": "Coat", **bad})
    assert_healthy(app)
    assert pictures(app) == pictures(open_page("compare", {"label": "Coat"}))


SANDALS = {"label": "Sandal", "seed": "2", "each": "5"}


@pytest.mark.slow
def test_comparing_forgets_no_choice() -> None:
    app = set_control(open_page("generate", {"model": VAE}), "seed", 7)
    for page in ("compare", "findings", "generate"):
        assert_healthy(go_to(app, page))
    assert (controls(app)["model"], controls(app)["seed"]) == (VAE, 7)


@pytest.mark.parametrize(
    "query",
    [
        pytest.param({"family": "VAE"}, id="a family"),
        pytest.param({}, id="plain", marks=pytest.mark.slow),
        pytest.param(SANDALS, id="sandals", marks=pytest.mark.slow),
    ],
)
def test_the_code_makes_the_comparison(
    query: Query, seen: Seen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_healthy(open_page("compare", query))
    made = run_snippet(seen.code, tmp_path / "empty", monkeypatch)
    assert np.abs(made.astype(int) - gray(seen.files["png"]())[..., None]).max() <= 1
    header, *table = seen.files["csv"]().decode().split("\n")[:-1]
    assert header.startswith("model,family,frechet_distance")
    compared = [name for name in SHIPPED if get_preset(name).family in query.get("family", get_preset(name).family)]
    assert len(table) == len(compared)
    with np.load(io.BytesIO(seen.files["npz"]()), allow_pickle=False) as arrays:
        assert sorted(arrays["models"]) == sorted(compared)


def run_snippet(code: str, directory: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """Run the code in an empty directory; the pixels (H, W, 3) of the one file it writes."""
    directory.mkdir(exist_ok=True)
    before = set(directory.glob("*"))
    monkeypatch.chdir(directory)
    exec(compile(code, "snippet", "exec"), {"__name__": "__main__"})
    (written,) = set(directory.glob("*")) - before
    return np.asarray(Image.open(written).convert("RGB"))


# Reconstruct ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name",), thinned(zip([*INVERTED, *ENCODING], strict=True), lambda name: name in (INVERTED[0], ENCODING[0]))
)
def test_every_model_that_can_gives_images_back(name: str) -> None:
    app = open_page("reconstruct", {"model": name})
    assert_healthy(app)
    assert controls(app)["model"] == name
    assert len(pictures(app)) == 3
    assert len(set(pictures(app))) == 3
    assert ("seed" in controls(app)) == (name in INVERTED)
    assert app.get("plotly_chart")


def test_a_model_that_cannot_is_not_offered() -> None:
    app = open_page("reconstruct", {"model": MIXTURE})
    (picker,) = (each for each in app.selectbox if each.key == "model")
    assert sorted(picker.options) == sorted([*INVERTED, *ENCODING])
    assert MIXTURE not in picker.options


@pytest.mark.parametrize(
    ("query", "key", "value"),
    [
        ({"model": VAE}, "first", 500),
        ({"model": VAE}, "count", 3),
        ({"model": VAE}, "label", "Bag"),
        ({"count": "2"}, "seed", 3),
        ({"count": "2"}, "fresh", True),
    ],
)
def test_a_reconstruction_follows_its_controls(query: Query, key: str, value: object) -> None:
    app = open_page("reconstruct", query)
    before, default = pictures(app), controls(app)[key]
    changed = set_control(app, key, value)
    assert_healthy(changed)
    assert pictures(changed) != before
    assert pictures(set_control(changed, key, default)) == before


@pytest.mark.parametrize("query", [{"model": VAE, "first": "9999"}, {"count": "2", "fresh": "true", "label": "Bag"}])
def test_a_reconstruction_link_gives_the_same_pictures(query: Query) -> None:
    check_link("reconstruct", query)


@pytest.mark.parametrize(
    "bad",
    [{"first": "10000"}, {"first": "nan"}, {"count": "0"}, {"of": "etchings"}, {"label": "coatt"}, {"fresh": "2"}],
)
def test_a_bad_reconstruction_is_the_plain_one(bad: Query) -> None:
    app = open_page("reconstruct", {"model": VAE, **bad})
    assert_healthy(app)
    assert pictures(app) == pictures(open_page("reconstruct", {"model": VAE}))


def test_a_new_sample_is_named_for_what_it_is() -> None:
    app = open_page("reconstruct", {"fresh": "true", "count": "2"})
    assert len(pictures(app)) == 4
    assert "New sample of the class, no reconstruction" in "".join(each.proto.body for each in app.get("html"))
    assert "fresh" not in controls(open_page("reconstruct", {"model": VAE, "fresh": "true"}))


def test_a_stopped_search_keeps_what_it_reached() -> None:
    app = open_page("reconstruct", {"count": "1", "seed": "77"})
    key, found = app.session_state["reached"]
    search._finished().pop(key)
    app.session_state["stopped"] = key
    app.run()
    assert_healthy(app)
    assert any(each.value.startswith(f"Stopped at step {found.step}") for each in app.markdown)
    app.button(key="again").click().run()
    assert "stopped" not in app.session_state
    assert key in search._finished()


def test_finished_searches_are_bounded() -> None:
    kept = search._finished()
    kept.update({(number,): None for number in range(200)})  # type: ignore[misc,dict-item]
    open_page("reconstruct", {"count": "1", "seed": "78"})
    assert len(kept) <= search.KEPT
    kept.clear()


@pytest.mark.parametrize(
    "query",
    [{"model": VAE, "label": "Bag", "first": "70"}, {"count": "2", "seed": "4"}, {"count": "2", "fresh": "true"}],
    ids=["vae", "search", "new-samples"],
)
def test_the_code_makes_the_reconstruction(
    query: Query, seen: Seen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_healthy(open_page("reconstruct", query))
    made = run_snippet(seen.code, tmp_path / "empty", monkeypatch)
    offered = np.asarray(Image.open(io.BytesIO(seen.files["png"]())))
    assert made.shape == offered.shape
    assert np.abs(made.astype(int) - offered).max() <= 4  # a difference's colour is twice as steep
    originals = gray(seen.shown[-4 if "fresh" in query else -3])
    assert np.array_equal(originals[:, :112], offered[:112, :112, 0])
    with np.load(io.BytesIO(seen.files["npz"]()), allow_pickle=False) as arrays:
        assert arrays["images"].shape == arrays["reconstructions"].shape
        assert np.array_equal(arrays["images"][0], offered[:112:4, :112:4, 0])
    assert seen.files["csv"]().decode().startswith("test_image,class,error")


# One's own picture ------------------------------------------------------------------------------------------------


def own_png() -> bytes:
    """A test image, dark on white and enlarged, as someone might bring it."""
    image = 255 - FashionMNIST.load("test").images[int(choose(1, label=9))].numpy()
    buffer = io.BytesIO()
    Image.fromarray(image.repeat(5, 0).repeat(5, 1)).save(buffer, "PNG")
    return buffer.getvalue()


def upload(app: AppTest, name: str, data: bytes) -> AppTest:
    return app.file_uploader(key="file").set_value((name, data, "image/png")).run()


@pytest.mark.parametrize("name", [CONDITIONAL, VAE])
def test_an_own_file_is_shown_as_it_will_be_seen_and_given_back(
    name: str, seen: Seen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page("reconstruct", {"model": name, "of": "your own file"})
    assert_healthy(app)
    assert "test images stand in" in captions(app)
    assert len(pictures(app)) == 3
    upload(app, "boot.png", own_png())
    assert_healthy(app)
    assert len(pictures(app)) == 5
    assert "inverted: the models know light garments on black" in captions(app)
    if name == CONDITIONAL:
        assert "the classifier sees: Ankle boot" in captions(app)
    (tmp_path / "boot.png").write_bytes(own_png())
    made = run_snippet(seen.code, tmp_path, monkeypatch)
    assert np.abs(made.astype(int) - np.asarray(Image.open(io.BytesIO(seen.files["png"]())))).max() <= 4


def control(app: AppTest, kind: str, name: str):
    """A control of the upload's own, whose key ends with the upload's number."""
    return next(each for each in app.get(kind) if (each.key or "").startswith(name))


def test_every_guess_about_a_file_can_be_overruled_and_taken_back(
    seen: Seen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = upload(open_page("reconstruct", {"model": VAE, "of": "your own file"}), "boot.png", own_png())
    assert control(app, "button", "back-").disabled
    control(app, "slider", "size-").set_value(60)
    control(app, "slider", "contrast-").set_value(1.5)
    control(app, "toggle", "background-").set_value(False).run()
    assert_healthy(app)
    assert 'crop=(0.5, 0.5357, 0.6), contrast=1.5, background="kept")' in seen.code
    (tmp_path / "boot.png").write_bytes(own_png())
    made = run_snippet(seen.code, tmp_path, monkeypatch)
    assert np.abs(made.astype(int) - np.asarray(Image.open(io.BytesIO(seen.files["png"]())))).max() <= 4
    control(app, "toggle", "background-").set_value(True)
    control(app, "slider", "size-").set_value(5).run()
    assert "the crop holds 7 x 7 pixels" in app.error[0].value
    assert len(pictures(app)) == 4
    control(app, "button", "back-").click().run()
    assert "crop" not in seen.code
    assert not app.error
    assert (control(app, "slider", "size-").value, control(app, "slider", "contrast-").value) == (100, 1)


@pytest.mark.parametrize("data", [b"", b"years of work", own_png()[:200]])
def test_a_bad_file_is_one_line_and_the_page_goes_on(data: bytes) -> None:
    app = upload(open_page("reconstruct", {"model": VAE, "of": "your own file"}), "boot.png", data)
    assert not app.exception
    (error,) = (each.value for each in app.error)
    assert error.startswith("boot.png: ")
    assert "\n" not in error
    assert len(pictures(app)) == 3


def test_the_drawing_page_waits_for_a_stroke() -> None:
    app = open_page("reconstruct", {"model": VAE, "of": "your drawing"})
    assert_healthy(app)
    assert "Draw a garment" in captions(app)
    assert len(pictures(app)) == 3


def test_an_address_puts_no_link_and_no_flood_on_the_page() -> None:
    strange = [f"[{i}](http://localhost)![p](http://localhost/p.png)" for i in range(50)]
    told = [each.value for each in open_page("live", {"model": "vae-cnn", "beside": strange}).warning]
    assert 0 < len(told) <= 4
    assert all("[" not in each.replace(r"\[", "") and len(each) < 150 for each in told)


@pytest.mark.parametrize("text", ["a_b, c-d: 'e' (f)", "5 % of 3.5"])
def test_words_without_marks_stay_as_they_are(text: str) -> None:
    assert plain(text) == text
    assert plain(f"<b>\n{text}") == rf"\<b\> {text}"


# Findings ---------------------------------------------------------------------------------------------------------


def test_every_claim_has_a_card_a_verdict_and_a_link() -> None:
    app = open_page("findings")
    assert_healthy(app)
    assert [each.value for each in app.header] == [f"{each.number}. {each.title}" for each in CLAIMS]
    links = [each.value for each in app.markdown if each.value.startswith("See it live: ")]
    assert len(links) == len(CLAIMS)
    assert all("](" in each and "http" not in each for each in links)
    text = captions(app)
    assert "Every other model is a single training run" in text
    assert "was written down before the studies' models were trained" in text
    assert pictures(app)


@pytest.mark.parametrize("verdict", ["holds", "partly", "does not hold", "not tested"])
def test_claims_can_be_chosen_by_verdict(verdict: str) -> None:
    app = open_page("findings", {"verdict": verdict})
    assert_healthy(app)
    expected = [each.claim for each in shipped_findings() if each.verdict == verdict]
    assert [each.value for each in app.header] == [f"{each.number}. {each.title}" for each in expected]
    check_link("findings", {"verdict": verdict})


def test_a_bad_verdict_is_all_of_them() -> None:
    assert len(open_page("findings", {"verdict": "perhaps"}).header) == len(CLAIMS)


def test_our_figures_are_on_the_cards(seen: Seen) -> None:
    app = open_page("findings")
    text = "\n".join(each.value for each in app.markdown).replace("\\", "").replace("±", "+-")
    for finding in shipped_findings():
        for part in finding.parts:
            assert part.figures in text
    rows = seen.files["csv"]().decode().splitlines()
    assert len(rows) > len(CLAIMS)


@pytest.mark.parametrize("query", [{}, {"verdict": "holds"}], ids=["all", "some"])
def test_the_code_makes_the_picture_of_the_verdicts(
    query: Query, seen: Seen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_healthy(open_page("findings", query))
    made = run_snippet(seen.code, tmp_path / "empty", monkeypatch)
    assert np.array_equal(made, np.asarray(Image.open(io.BytesIO(seen.files["png"]()))))


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"findings": 3}', '{"findings": [{"number": 1, "verdict": "sure", "parts": [], "why": ""}]}'],
)
def test_a_damaged_file_leaves_the_claims_untested(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = tmp_path / "findings.json"
    damaged.write_text(content)
    monkeypatch.setattr(genlib.findings.judge, "FILE", damaged)
    with refused("findings.json"):
        shipped_findings()
    app = open_page("findings")
    assert not app.exception
    (warning,) = (each.value for each in app.warning)
    assert warning.startswith("The verdicts are not available: ")
    assert len(app.header) == len(CLAIMS)


def test_the_shipped_file_holds_findings() -> None:
    known = json.loads(FILE.read_text("utf-8"))
    assert known.keys() == {"rule", "findings"}
    assert {each["number"] for each in known["findings"]} <= {each.number for each in CLAIMS}
