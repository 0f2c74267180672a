"""Every page through Streamlit's test runner: it draws, its controls matter, nothing in an address can break it."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
import streamlit as st

from genlib.data import CLASS_NAMES
from genlib.errors import GenlibError
from genlib.live.export import exported
from genlib.loading import weights_directory
from genlib.model import capabilities
from genlib.models import get_preset
from tests.pages.studio import (
    PAGES,
    ROOT,
    Query,
    assert_healthy,
    controls,
    go_to,
    offers,
    open_page,
    pictures,
    set_control,
    shared,
)
from tests.tiny import DIFFERENT, SHIPPED, SHIPPED_PER_FAMILY, every_pair, thinned
from ui.controls import DEFAULT_MODEL, DEFAULTS, EVERY_CLASS

CONDITIONAL, VAE, MIXTURE = "cgan-mlp", "vae-cnn", "gmm-10"
EACH_KIND = (CONDITIONAL, VAE, MIXTURE)  # between them they have every control
ELSEWHERE = (
    "home",
    "leaderboard",
    "dataset",
    "compare",
    "reconstruct",
    "findings",
    "train",
    "live",
)  # no model picker, or other tests
WORKING_PAGES = tuple(page for page in PAGES if page not in ELSEWHERE)
UNDERSTAND = ("latent", "discriminator", "diversity", "mixtures")  # test_understand.py opens them with every model


def test_the_default_model_is_shipped() -> None:
    assert DEFAULT_MODEL in SHIPPED


def test_home_has_a_card_for_every_model() -> None:
    app = open_page("home")
    assert_healthy(app)
    cards = app.get("page_link")
    assert {card.proto.page for card in cards} == {"live"}
    assert sorted(card.proto.label.strip("*") for card in cards) == sorted(SHIPPED)
    assert all(card.proto.query_string == f"model={card.proto.label.strip('*')}" for card in cards)
    assert len(set(pictures(app))) == DIFFERENT


@pytest.mark.parametrize(
    ("name", "page"),
    thinned(
        [
            (name, page)
            for name in SHIPPED_PER_FAMILY
            for page in WORKING_PAGES
            if page not in UNDERSTAND and offers(page, name)
        ],
        lambda name, page: (name, page) not in {("flow-unet", "variation"), ("flow-unet", "interpolate")},  # many steps
    ),
)
def test_a_page_draws_each_family(page: str, name: str) -> None:
    app = open_page(page, {"model": name})
    assert_healthy(app)
    assert controls(app)["model"] == name
    assert pictures(app)
    assert app.code[1].value.count(f'("{name}"') == 1


@pytest.mark.parametrize("page", WORKING_PAGES)
def test_a_page_opens_with_the_default_model(page: str) -> None:
    app = open_page(page)
    assert_healthy(app)
    expected = next(name for name in (*DEFAULTS, *SHIPPED) if offers(page, name))
    assert (controls(app)["model"], controls(app).get("seed", 0)) == (expected, 0)


# Controls ---------------------------------------------------------------------------------------------------------

GENERATE_CHANGES = [
    *((name, {}, key, value) for name in EACH_KIND for key, value in (("seed", 1), ("t", 0.5), ("n", 10))),
    (CONDITIONAL, {}, "label", "Coat"),
    (CONDITIONAL, {}, "weights", "raw"),
    (CONDITIONAL, {}, "d1", 2.0),
    (CONDITIONAL, {"label": "Coat"}, "mix", "Bag"),
    (CONDITIONAL, {"label": "Coat", "mix": "Bag"}, "share", 0.9),
    (VAE, {}, "d1", 2.0),
    *(("flow-unet", {"n": "4"}, key, value) for key, value in (("nfe", 2), ("solver", "euler"), ("guidance", 3.0))),
]
INTERPOLATE_CHANGES = [
    *((name, {}, "at", 25) for name in EACH_KIND),
    *((name, {}, "play", True) for name in EACH_KIND),
    *((name, {"between": "random pairs"}, "rows", 3) for name in EACH_KIND),
    *((name, {"between": "random pairs"}, "seed", 3) for name in EACH_KIND),
    *((name, {"between": "seeds"}, "seed2", 3) for name in EACH_KIND),
    (CONDITIONAL, {}, "between", "seeds"),
    (CONDITIONAL, {}, "seed", 5),
    (CONDITIONAL, {}, "from", "Bag"),
    (CONDITIONAL, {}, "to", "Sandal"),
    (CONDITIONAL, {"between": "seeds"}, "label", "Coat"),
    (VAE, {"between": "seeds"}, "path", "straight"),
    (VAE, {"between": "test images"}, "a", 17),
    (VAE, {"between": "test images"}, "b", 17),
    (VAE, {"between": "test images"}, "path", "straight"),
    (CONDITIONAL, {}, "equal", "features"),
]
HISTORY_CHANGES = [(name, {}, "epoch", 3) for name in EACH_KIND]
LEADERBOARD_CHANGES = [(CONDITIONAL, {}, "metric", "Precision")]
DATASET_CHANGES = [
    (CONDITIONAL, {}, "view", "classes"),
    (CONDITIONAL, {}, "seed", 1),
    (CONDITIONAL, {}, "label", "Coat"),
    (CONDITIONAL, {}, "n", 10),
    (CONDITIONAL, {"view": "neighbours"}, "image", 17),
]
CHANGES = {
    "generate": GENERATE_CHANGES,
    "interpolate": INTERPOLATE_CHANGES,
    "history": HISTORY_CHANGES,
    "leaderboard": LEADERBOARD_CHANGES,
    "dataset": DATASET_CHANGES,
}


@pytest.mark.parametrize(
    ("page", "name", "query", "key", "value"),
    thinned(
        [(page, *case) for page, cases in CHANGES.items() for case in cases],
        lambda page, *case: case in [tuple(each) for each in CHANGES[page][:3]],
    ),
)
def test_a_control_changes_the_picture_and_back(page: str, name: str, query: Query, key: str, value: object) -> None:
    app = open_page(page, {"model": name, **query})
    before, default = pictures(app), controls(app)[key]
    assert value != default
    changed = set_control(app, key, value)
    assert_healthy(changed)
    assert pictures(changed) != before
    assert str(controls(changed)[key]) == str(value)
    if key != "n":  # the count's own sliders stay
        assert pictures(set_control(changed, key, default)) == before


def test_no_noise_is_the_same_picture_for_every_seed() -> None:
    still = [pictures(open_page("generate", {"t": "0.0", "seed": seed}))[0] for seed in ("1", "2")]
    moving = [pictures(open_page("generate", {"t": "0.05", "seed": seed}))[0] for seed in ("1", "2")]
    assert still[0] == still[1] != moving[0] != moving[1]


def test_the_dice_rolls_another_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.randbelow", lambda limit: limit - 1)
    app = open_page("generate")
    before = pictures(app)
    app.button(key="dice").click().run()
    assert controls(app)["seed"] == 9_999
    assert pictures(app)[0] != before[0]


@pytest.mark.parametrize("text", ["4", "Coat"])
def test_an_address_may_name_or_number_the_class(text: str) -> None:
    app = open_page("generate", {"label": text})
    assert controls(app)["label"] == "Coat"
    assert pictures(app)[0] == pictures(set_control(open_page("generate"), "label", "Coat"))[0]


def test_models_without_classes_offer_none() -> None:
    for name in (VAE, MIXTURE):
        assert "label" not in controls(open_page("generate", {"model": name, "label": "Coat"}))


def test_models_of_one_step_offer_no_steps() -> None:
    app = open_page("generate", {"nfe": "3", "solver": "euler", "guidance": "2.0"})
    assert_healthy(app)
    assert not {"nfe", "solver", "guidance"} & controls(app).keys()


def test_interpolate_offers_what_a_model_can() -> None:
    offered = {}
    for name in EACH_KIND:
        (between,) = (each for each in open_page("interpolate", {"model": name}).button_group if each.key == "between")
        offered[name] = tuple(option.content for option in between.proto.options)
    assert offered == {
        CONDITIONAL: ("classes", "seeds", "random pairs"),
        VAE: ("seeds", "test images", "random pairs"),
        MIXTURE: ("seeds", "random pairs"),
    }


# From page to page ------------------------------------------------------------------------------------------------


def test_switching_pages_keeps_model_seed_and_class() -> None:
    app = open_page("generate")
    for key, value in (("seed", 7), ("label", "Coat")):
        set_control(app, key, value)
    before = pictures(app)
    for page in ("interpolate", "home", "generate"):
        assert_healthy(go_to(app, page))
    assert {key: controls(app)[key] for key in ("model", "seed", "label")} == {
        "model": DEFAULT_MODEL,
        "seed": 7,
        "label": "Coat",
    }
    assert pictures(app) == before


@pytest.mark.parametrize("name", [VAE, MIXTURE])
def test_switching_pages_keeps_a_chosen_model(name: str) -> None:
    app = set_control(open_page("generate"), "model", name)
    for page in ("interpolate", "home", "generate"):
        go_to(app, page)
    assert controls(app)["model"] == name


def test_a_model_without_classes_does_not_forget_the_class() -> None:
    app = set_control(open_page("generate"), "label", "Coat")
    for name in (VAE, CONDITIONAL):
        set_control(app, "model", name)
    assert controls(app)["label"] == "Coat"


# Links ------------------------------------------------------------------------------------------------------------

CHOICES: dict[str, dict[str, list[object]]] = {
    "generate": {
        "seed": [0, 1, 4_294_967_295],
        "label": [EVERY_CLASS, *CLASS_NAMES, *range(10)],
        "t": [0.0, 0.35, 1.0, 2.0],
        "n": [1, 7, 20, 100],
        "weights": ["averaged", "raw"],
        "mix": ["Nothing", *CLASS_NAMES],
        "share": [0.0, 0.25, 1.0],
        **{f"d{i}": [-3.0, 0.7, 3.0] for i in range(1, 9)},
        "nfe": [1, 2, 5],
        "solver": ["euler", "heun"],
        "guidance": [0.0, 1.0, 2.5],
    },
    "interpolate": {
        "seed": [0, 1, 4_294_967_295],
        "label": [EVERY_CLASS, *CLASS_NAMES],
        "between": ["classes", "seeds", "test images", "random pairs"],
        "from": list(CLASS_NAMES),
        "to": list(CLASS_NAMES),
        "seed2": [0, 9, 4_294_967_295],
        "a": [0, 77, 9_999],
        "b": [0, 78, 9_999],
        "path": ["spherical", "straight"],
        "equal": ["input", "features"],
        "rows": [1, 10],
        "at": [0, 33, 100],
        "play": ["true", "false"],
    },
    "path": {
        "seed": [0, 1, 4_294_967_295],
        "label": [EVERY_CLASS, *CLASS_NAMES],
        "nfe": [1, 2, 5],
        "solver": ["euler", "heun"],
        "guidance": [0.0, 1.0, 2.5],
        "at": [0, 1, 4],
    },
    "history": {"epoch": [1, 3, 10, 15, 50, 100]},
    "leaderboard": {
        "metric": ["Frechet distance", "Precision", "Recall", "Coverage", "Reconstruction error"],
        "against": ["size", "time to sample", "time to train"],
    },
    "latent": {
        "seed": [0, 1, 4_294_967_295],
        "label": [EVERY_CLASS, *CLASS_NAMES],
        "dims": ["2-D", "3-D"],
        "points": [500, 2000],
    },
    "discriminator": {
        "seed": [0, 7],
        "threshold": [0.0, 0.35, 1.0],
        "images": [500, 2000],
        "norm": ["running", "batch"],
    },
    "diversity": {"seed": [0, 7], "per": [4, 20], "near": ["true", "false"]},
    "variation": {"seed": [0, 7], "n": [20, 40], "label": [EVERY_CLASS, *CLASS_NAMES]},
    "mixtures": {"seed": [0, 7], "component": [1, 2], "t": [0.0, 0.35, 2.0]},
    "dataset": {
        "view": ["images", "classes", "components", "neighbours"],
        "split": ["test", "train"],
        "n": [1, 7, 100],
        "seed": [0, 1, 4_294_967_295],
        "label": [EVERY_CLASS, *CLASS_NAMES, *range(10)],
        "image": [0, 77, 9_999],
    },
}


def random_query(page: str, name: str, number: int) -> Query:
    """A well-formed address: the model and some of the page's controls."""
    chance = random.Random(f"{page} {name} {number}")
    keys = [key for key in CHOICES[page] if chance.random() < 0.6]
    return {"model": name} | {key: str(chance.choice(CHOICES[page][key])) for key in keys}


def check_the_link_gives_the_same_picture(page: str, query: Query) -> None:
    app = open_page(page, query)
    assert_healthy(app)
    address, spelled_out = shared(app)
    assert address == page
    again = open_page(page, spelled_out)
    assert_healthy(again)
    assert pictures(again) == pictures(app)
    assert controls(again) == controls(app)


@pytest.mark.parametrize(("page", "name"), every_pair(CHOICES, EACH_KIND))
def test_the_shared_link_gives_the_same_picture(page: str, name: str) -> None:
    check_the_link_gives_the_same_picture(page, random_query(page, name, 0))


@pytest.mark.slow
@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("page", CHOICES)
def test_every_model_by_a_link(page: str, name: str) -> None:
    check_the_link_gives_the_same_picture(page, random_query(page, name, 1))


@pytest.mark.parametrize(("page", "name"), every_pair(CHOICES, EACH_KIND))
def test_the_link_spells_out_every_control(page: str, name: str) -> None:
    """Defaults too, so that a default changed by mistake changes no one's link."""
    app = open_page(page, {"model": name})
    _, spelled_out = shared(app)
    shown = {key: str(value) for key, value in controls(app).items()}
    assert shown == {key: spelled_out.get(key, "").replace("false", "False") for key in shown}


@pytest.mark.parametrize("page", ["generate", "leaderboard"])  # within a fragment of the page, and outside
def test_the_files_are_made_when_share_and_export_opens(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And whole: a file that waits for its click is lost with the next run."""
    made: list[object] = []
    button = st.download_button

    def offer(label: str, data: object, **options: object) -> None:
        made.append(data)
        button(label, data, **options)

    monkeypatch.setattr(st, "download_button", offer)
    app = open_page(page)
    files = len(made)
    assert made == [b""] * files
    assert all(each.proto.disabled for each in app.get("download_button"))
    app.session_state["export"] = True
    assert_healthy(app.run())
    assert len(made) == 2 * files
    assert all(isinstance(data, bytes) and len(data) > 100 for data in made[files:])
    assert not any(each.proto.disabled for each in app.get("download_button"))


# Bad addresses ----------------------------------------------------------------------------------------------------

BAD: dict[str, list[str]] = {
    "model": ["nope", "", "CGAN-MLP", "../../etc", "<b>", "0"],
    "seed": ["abc", "-1", "4294967296", "inf", "1e400", "nan", "", "9" * 30],
    "label": ["99", "coatt", "-1", "", "4.0", "nan", "10", "9" * 5000, "²"],
    "n": ["0", "1000000", "-5", "abc", "nan", "1e9", ""],
    "t": ["nan", "inf", "-inf", "-1", "2.5", "warm", ""],
    "weights": ["foo", "", "RAW"],
    "mix": ["coatt", "99", ""],
    "share": ["nan", "2", "-1", "half"],
    "d1": ["nan", "99", "-99", "x"],
    "between": ["xyz", "", "images"],
    "at": ["999", "-1", "nan", "x"],
    "play": ["maybe", "2", ""],
    "from": ["coatt", "99", ""],
    "to": ["coatt", "-1"],
    "seed2": ["abc", "-1", "4294967296", "-inf"],
    "a": ["10000", "-1", "abc", "nan"],
    "b": ["10000", "x"],
    "path": ["round", ""],
    "rows": ["0", "11", "nan", "many"],
    "epoch": ["0", "-1", "999999", "2.5", "last", "nan", ""],
    "metric": ["fd", "Beauty", "1", ""],
    "against": ["beauty", "1", ""],
    "nfe": ["0", "33", "nan", "many", ""],
    "solver": ["huen", "Heun", ""],
    "guidance": ["-1", "20", "nan", "inf", "strong", ""],
    "dims": ["4-D", "", "2"],
    "points": ["0", "499", "20000", "nan", "many"],
    "threshold": ["nan", "-1", "1.5", "half", ""],
    "images": ["0", "1000000", "x"],
    "per": ["3", "21", "nan", ""],
    "near": ["maybe", "2", ""],
    "component": ["0", "99", "-1", "x"],
    "view": ["xyz", "Images", "", "1"],
    "split": ["validation", "TEST", ""],
    "image": ["10000", "-1", "abc", "nan", ""],
}
PAGE_KEYS = {
    page: [key for key in BAD if key in choices or (key == "model" and page in WORKING_PAGES)]
    for page, choices in CHOICES.items()
}
REACHED: dict[tuple[str, str], Query] = {  # what shows a control that the plain page does not have
    ("interpolate", "label"): {"between": "seeds"},
    ("generate", "mix"): {"label": "Coat"},
    ("generate", "share"): {"label": "Coat", "mix": "Bag"},
    **{("generate", key): {"model": "flow-unet", "n": "4"} for key in ("nfe", "solver", "guidance")},
    ("interpolate", "seed2"): {"between": "seeds"},
    ("interpolate", "path"): {"between": "seeds"},
    ("interpolate", "rows"): {"between": "random pairs"},
    ("interpolate", "a"): {"model": VAE, "between": "test images"},
    ("interpolate", "b"): {"model": VAE, "between": "test images"},
    ("dataset", "image"): {"view": "neighbours"},
}


def together(page: str) -> list[tuple[Query, list[str]]]:
    """The page's keys by what shows their control: keys that a plain address reaches, and so on."""
    ways: dict[tuple, list[str]] = {}
    for key in PAGE_KEYS[page]:
        ways.setdefault(tuple(REACHED.get((page, key), {}).items()), []).append(key)
    return [(dict(way), keys) for way, keys in ways.items()]


@pytest.mark.parametrize(
    ("page", "good", "keys"),
    thinned(
        [(page, *case) for page in PAGE_KEYS for case in together(page)],
        lambda page, good, keys: page in ("generate", "latent", "history", "train") and not good,
    ),
)
def test_bad_values_in_the_address_are_the_defaults(page: str, good: Query, keys: list[str]) -> None:
    """Every bad value of every key once, a bad value of each key at a time."""
    expected = open_page(page, good)
    assert set(keys) <= controls(expected).keys()
    for i in range(max(len(BAD[key]) for key in keys)):
        bad = {key: BAD[key][i % len(BAD[key])] for key in keys}
        app = open_page(page, {**good, **bad})
        assert_healthy(app)
        assert controls(app) == controls(expected), bad
        assert pictures(app) == pictures(expected), bad


@pytest.mark.slow
@pytest.mark.parametrize(("page", "key"), [(page, key) for page, keys in PAGE_KEYS.items() for key in keys])
def test_a_bad_value_alone_is_the_default(page: str, key: str) -> None:
    good = REACHED.get((page, key), {})
    expected = open_page(page, good)
    for text in BAD[key]:
        app = open_page(page, {**good, key: text})
        assert_healthy(app)
        assert controls(app) == controls(expected), f"{key}={text[:40]}"
        assert pictures(app) == pictures(expected), f"{key}={text[:40]}"


def bad_query(page: str, number: int) -> Query:
    """Several malformed values at once, keys the page does not have, and keys given twice."""
    chance, keys = random.Random(f"{page} {number}"), PAGE_KEYS[page]
    chosen = chance.sample(keys, min(len(keys), chance.randint(2, 6)))
    query: dict[str, object] = {key: chance.choice(BAD[key]) for key in chosen}
    query[chance.choice(["utm_source", "d99", "dice", "download-png"])] = chance.choice(["1", "", "true", "☃"])
    twice = chance.choice(list(query))
    query[twice] = [query[twice], query[twice]]
    return query


def check_a_bad_address_is_the_plain_page(page: str, number: int, plain: tuple[object, ...]) -> None:
    query = bad_query(page, number)
    app = open_page(page, query)
    assert_healthy(app)
    assert (controls(app), pictures(app)) == plain, query


@pytest.mark.parametrize(("page",), thinned(zip(CHOICES, strict=True), lambda page: page in ("generate", "latent")))
def test_many_bad_values_at_once(page: str) -> None:
    app = open_page(page)
    for number in range(6):
        check_a_bad_address_is_the_plain_page(page, number, (controls(app), pictures(app)))


@pytest.mark.slow
@pytest.mark.parametrize("page", CHOICES)
def test_dozens_of_bad_addresses(page: str) -> None:
    app = open_page(page)
    for number in range(6, 60):
        check_a_bad_address_is_the_plain_page(page, number, (controls(app), pictures(app)))


@pytest.mark.parametrize(
    ("page",), thinned(zip(PAGES, strict=True), lambda page: page in ("home", "generate", "latent"))
)
def test_a_query_of_other_pages_breaks_nothing(page: str) -> None:
    everything = {key: values[0] for key, values in BAD.items()}
    app = open_page(page, everything)
    assert_healthy(app)
    assert pictures(app) == pictures(open_page(page))


# Weights out of order ---------------------------------------------------------------------------------------------


@pytest.fixture
def weights(weights: Path) -> Path:
    """A copy of the shipped weights to damage."""
    for name in EACH_KIND:
        shutil.copytree(ROOT / "weights" / name, weights / name, ignore=shutil.ignore_patterns("samples.png", "*.md"))
    return weights


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip_a_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)


def add_an_unknown_key(path: Path) -> None:
    text = path.read_text("utf-8")
    assert '"epochs"' in text
    path.write_text(text.replace('"epochs"', '"epocks": 1, "epochs"'), "utf-8")


def assert_only_this_model_is_gone(page: str, name: str) -> None:
    app = open_page(page, {"model": name, "preset": VAE})
    left = [each for each in EACH_KIND if each != name and offers(page, each)]
    assert not app.exception, [each.value for each in app.exception]
    (notice,) = (each.value for each in app.warning)
    assert notice.startswith(f"{name} ")
    assert notice.count("\n") == 0
    assert str(weights_directory().parent) not in notice  # where the host keeps its files is no visitor's business
    if not left:
        assert ["genlib train" in each.value for each in app.info] == [True]
        return
    assert pictures(app) or page in ("train", "live")  # one shows this very preset, one draws in the browser
    if page in WORKING_PAGES:
        (picker,) = (each for each in app.selectbox if each.key == "model")
        assert sorted(picker.options) == sorted(left)
        assert picker.value in left


def hits_a_default(page: str, name: str) -> bool:
    """Whether it is the very model that the page opens with, on pages of each kind."""
    return page in ("home", "generate", "latent", "leaderboard") and name == (
        CONDITIONAL if offers(page, CONDITIONAL) else MIXTURE
    )


@pytest.mark.parametrize(
    ("page", "name"), thinned([(page, name) for page in PAGES for name in EACH_KIND], hits_a_default)
)
def test_half_a_weights_file_disables_that_model_alone(page: str, name: str, weights: Path) -> None:
    halve(weights / name / "model.safetensors")
    assert_only_this_model_is_gone(page, name)


DAMAGES = [
    ("model.safetensors", flip_a_byte),
    ("model.safetensors", Path.unlink),
    ("config.json", halve),
    ("config.json", Path.unlink),
    ("config.json", add_an_unknown_key),
]


@pytest.mark.parametrize(
    ("page", "file", "damage"),
    thinned(
        [(page, *damage) for page in PAGES for damage in DAMAGES],
        lambda page, file, damage: page == "generate",
    ),
)
def test_other_damage_disables_that_model_alone(page: str, file: str, damage, weights: Path) -> None:
    damage(weights / VAE / file)
    assert_only_this_model_is_gone(page, VAE)


@pytest.mark.parametrize(
    ("page", "damage"),
    thinned(
        [(page, damage) for page in PAGES if offers(page, VAE) for damage in (halve, Path.unlink)],
        lambda page, damage: damage is halve and page in ("home", "generate", "history", "leaderboard"),
    ),
)
def test_lost_figures_break_no_page(page: str, damage, weights: Path) -> None:
    damage(weights / VAE / "metrics.json")
    app = open_page(page, {"model": VAE, "preset": VAE})
    assert not app.exception, [each.value for each in app.exception]
    assert pictures(app) or page == "live"  # which draws in the browser


@pytest.mark.parametrize("page", [page for page in PAGES if page not in ("dataset", "findings")])
def test_without_weights_a_page_says_what_to_do(page: str, weights: Path) -> None:
    shutil.rmtree(weights)
    weights.mkdir()
    app = open_page(page)
    assert not app.exception, [each.value for each in app.exception]
    assert ["genlib train" in each.value for each in app.info] == [True]


def test_the_families_of_these_tests_are_what_they_say() -> None:
    assert "conditional" in capabilities(get_preset(CONDITIONAL).model_class)
    assert "encodes" in capabilities(get_preset(VAE).model_class)
    assert "mixture" in capabilities(get_preset(MIXTURE).model_class)


def test_a_model_that_cannot_be_drawn_live_is_one_line_and_the_others_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    def export_most(name: str) -> Path:
        if name == "gmm-10":
            raise GenlibError("it has no live program yet")
        return exported(name)

    monkeypatch.setattr("ui.live.exported", export_most)
    app = open_page("live", {"beside": ["gmm-10", "vae-cnn", "nope", "dcgan-32", "gan-cnn"]})
    assert not app.exception
    assert [each.value for each in app.warning] == [
        "nope is not a model of this studio.",
        "At most 4 models stand side by side; left out: gan-cnn.",
        "gmm-10: it has no live program yet",
    ]
    assert controls(app)["beside"] == ["gmm-10", "vae-cnn", "dcgan-32"]
