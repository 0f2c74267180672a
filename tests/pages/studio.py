"""The studio without a browser: Streamlit's own test runner, and what a test asks of a page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.testing.v1 import AppTest

from genlib.model import capabilities
from genlib.models import get_preset

ROOT = Path(__file__).resolve().parents[2]
TABLE = (ROOT / "app.py").read_text("utf-8")  # of the navigation
PAGES = tuple(re.findall(r'"pages/(\w+)\.py"', TABLE))
SECTIONS = {  # of the menu, by the titles under them
    title: section
    for section, pages in re.findall(r'"(\w+)": \[(.*?)\]', TABLE, re.S)
    for title in re.findall(r'title="(.+?)"', pages)
}
NEEDS = {  # capabilities of which a page needs one; the other pages show every model
    "latent": {"hidden_layers", "encodes", "mixture"},
    "discriminator": {"discriminates"},
    "mixtures": {"mixture"},
    "path": {"integrates"},
}
TIMEOUT = 120  # seconds for one run of a page: far more than it takes on any machine
Query = Mapping[str, object]


def open_page(page: str, query: Query | None = None) -> AppTest:
    """A new visitor's first run of a page, come by a link."""
    app = AppTest.from_file(ROOT / "app.py", default_timeout=TIMEOUT).switch_page(f"pages/{page}.py")
    app._bidi_component_manager = _components()
    app.query_params.update(query or {})
    return app.run()


@cache
def _components() -> BidiComponentManager:
    """As on a server, found once: looking for them in every installed package is most of a visit's time."""
    manager = BidiComponentManager()
    manager.discover_and_register_components(start_file_watching=False)
    return manager


def offers(page: str, name: str) -> bool:
    """Whether the page's picker has the model."""
    return page not in NEEDS or bool(NEEDS[page] & set(capabilities(get_preset(name).model_class)))


def go_to(app: AppTest, page: str) -> AppTest:
    """Another page in the same session, as by the menu: only what the session keeps comes along."""
    app.query_params.clear()
    return app.switch_page(f"pages/{page}.py").run()


def pictures(app: AppTest) -> list[str]:
    """Addresses of the page's pictures in order. Streamlit makes them from the bytes: equal is the same picture."""
    return [address for image in app.image for address in image.value]


def controls(app: AppTest) -> dict[str, object]:
    """The value of every control on the page by its key."""
    return {widget.key: widget.value for widget in _widgets(app)}


def set_control(app: AppTest, key: str, value: object) -> AppTest:
    """Change one control, as a hand would."""
    (widget,) = (widget for widget in _widgets(app) if widget.key == key)
    return widget.set_value(value).run()


def _widgets(app: AppTest) -> list:
    return [
        *app.selectbox,
        *app.multiselect,
        *app.slider,
        *app.select_slider,
        *app.number_input,
        *app.button_group,
        *app.toggle,
    ]


def shared(app: AppTest) -> tuple[str, dict[str, str | list[str]]]:
    """The page and the query of the link in "Share & export"; a key that comes several times has its values."""
    parts = urlsplit(next(each.value for each in app.code if each.value.startswith("http")))
    found = parse_qs(parts.query, keep_blank_values=True)
    return parts.path.strip("/"), {key: values if len(values) > 1 else values[0] for key, values in found.items()}


def assert_healthy(app: AppTest) -> None:
    """No exception, no error, no model out of order."""
    assert not app.exception, [each.value for each in app.exception]
    assert not app.error, [each.value for each in app.error]
    assert not app.warning, [each.value for each in app.warning]
