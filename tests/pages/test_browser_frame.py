"""What every page promises in a real browser: what was set is there again, charts keep their zoom, all can use it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from genlib.jobs.queue import Queue
from tests.pages.conftest import Server, serve
from tests.pages.studio import PAGES, ROOT, SECTIONS
from tests.pages.test_browser import (  # noqa: F401
    PHONE,
    Visit,
    choose,
    enter_seed,
    follow,
    go_to,
    main_picture,
    new_profile,
    profile,
    slide,
    value_of,
    visit,
    wait_for_pictures,
)
from tests.workers import end_workers
from ui.controls import DEFAULT_MODEL
from ui.static import source

pytestmark = pytest.mark.browser
LAPTOP = {"width": 1366, "height": 768}
PATHS = [f"/{page}" if page != "home" else "/" for page in PAGES]
STREAMLITS_OWN = (  # a rule of axe-core and the elements that break it, none of which a page can change
    # the place for a file is focused by its button, and has a name that its role should not have
    ("presentation-role-conflict", '[data-testid="stFileUploaderDropzone"]'),
    ("color-contrast", "pre .token"),  # colours of code
)


def query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def expect_generate(page: Page, **expected: str) -> None:
    """The page, its controls and its address once they say so."""
    expect(page.get_by_role("heading", name="Generate").first).to_be_visible()
    wait_for_pictures(page)
    for name, value in expected.items():
        expect(field(page, name)).to_have_value(value)
    assert urlsplit(page.url).path == "/generate"


def field(page: Page, name: str) -> Locator:
    """A list, a number field or a slider of Streamlit's."""
    return page.locator(f'input[aria-label="{name}"]')


# State ------------------------------------------------------------------------------------------------------------


def test_a_seed_comes_back_by_every_way(visit: Visit) -> None:  # noqa: F811
    page = visit("/generate")
    enter_seed(page, 5)
    go_to(page, "Leaderboard")
    page.go_back()
    expect_generate(page, Seed="5")
    assert query(page) == {"seed": ["5"]}
    page.go_forward()
    page.wait_for_url("**/leaderboard")
    page.reload()
    go_to(page, "Generate")
    expect_generate(page, Seed="5")
    assert query(page) == {"seed": ["5"]}


@pytest.mark.slow
def test_a_links_seed_and_class_go_from_page_to_page(visit: Visit) -> None:  # noqa: F811
    page = visit("/compare?seed=5&label=Coat")
    go_to(page, "Generate")
    expect_generate(page, Seed="5", Class="Coat")
    assert query(page) == {"seed": ["5"], "label": ["Coat"]}
    page.go_back()
    page.wait_for_url("**/compare?seed=5&label=Coat")


@pytest.mark.slow
def test_what_an_address_leaves_out_is_the_visitors_own(visit: Visit) -> None:  # noqa: F811
    page = visit("/generate")
    go_to(page, "Interpolate")
    field(page, "Seed").fill("7")
    page.keyboard.press("Enter")
    follow(page, "Leaderboard")  # at once, before the picture has followed
    page.wait_for_url("**/leaderboard")
    page.go_back()
    page.wait_for_url("**/interpolate?seed=7")
    wait_for_pictures(page)
    page.go_back()
    expect_generate(page, Seed="7")


@pytest.mark.slow
def test_what_an_address_names_wins_even_where_it_is_the_default(visit: Visit) -> None:  # noqa: F811
    page = visit("/generate?seed=5&label=Coat&t=0.5")
    root = page.url.split("/generate")[0]
    page.goto(f"{root}/generate?seed=0&t=1")
    expect_generate(page, Seed="0", Class="Coat", Temperature="1")
    # The tab is told after the controls and the address.
    page.wait_for_function("!('seed' in JSON.parse(sessionStorage.getItem('genlib-settings')).shared)")
    assert query(page) == {"label": ["Coat"]}
    page.goto(f"{root}/generate?label=8&n=100000")
    expect_generate(page, Seed="0", Class="Bag")


LOWER_PART_FIRST = """async ({ script, kept }) => {
  const part = await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
  const sent = [], told = { session: "new", brought: false };
  sessionStorage.setItem("genlib-settings", JSON.stringify(kept));
  part.default({ data: { ...told, page: "generate", values: { shared: { label: null } }, search: "", loose: [] } });
  part.default({ data: told, setStateValue: (name, value) => sent.push({ [name]: value }) });
  return sent;
}"""


@pytest.mark.slow
def test_a_new_sessions_defaults_wait_for_what_the_tab_brings_back(visit: Visit, server: Server) -> None:  # noqa: F811
    """In a busy browser the script at a page's end may run before the one at its head."""
    page = visit("/")
    page.goto(f"{server.address}/_stcore/health")  # the same browser storage, without the studio's own scripts
    kept = {"shared": {"label": ["Coat"]}}
    assert page.evaluate(LOWER_PART_FIRST, {"script": source("studio/settings.js"), "kept": kept}) == [{"stored": kept}]


@pytest.mark.slow
def test_a_pages_own_control_comes_back_and_stays_its_own(visit: Visit) -> None:  # noqa: F811
    page = visit("/interpolate?at=70")
    expect(field(page, "Position")).to_have_value("70")
    go_to(page, "From noise")
    page.get_by_role("slider").first.press("ArrowLeft")
    go_to(page, "Generate")
    slide(page, "Temperature", "ArrowLeft")
    go_to(page, "Interpolate")
    expect(field(page, "Position")).to_have_value("70")
    page.reload()
    wait_for_pictures(page)
    go_to(page, "Generate")
    expect_generate(page, Temperature="0.95")
    slide(page, "Temperature", "ArrowRight")
    page.reload()
    expect_generate(page, Temperature="1")


@pytest.mark.slow
def test_the_live_pages_settings_come_back(visit: Visit) -> None:  # noqa: F811
    page = visit("/live")
    status, temperature = page.get_by_role("status"), page.locator(".live").get_by_label("Temperature")
    temperature.fill("0.5")
    page.wait_for_url(re.compile("temperature=0.5"))
    go_to(page, "Generate")
    assert not query(page)
    go_to(page, "Live")
    expect(temperature).to_have_value("0.5")
    page.go_back()
    expect_generate(page, Temperature="1")
    page.go_back()
    page.wait_for_url(re.compile("temperature=0.5"))
    expect(temperature).to_have_value("0.5")
    expect(status.get_by_text("drawn in")).to_be_visible()


FILE_NAMES = """new MutationObserver(() => {
  window.fileNames ||= !!document.querySelector('[data-testid="stSidebarNav"]');
}).observe(document, { childList: true, subtree: true });"""


@pytest.mark.slow
def test_three_at_once_on_a_cold_server(chromium: Browser, tmp_path: Path) -> None:
    """The flag that makes Streamlit run app.py is the process's; who came first put it right for himself alone.

    Nor is anyone shown a menu of file names in the seconds until the first page is there.
    """
    with serve(tmp_path) as cold:
        contexts = [new_profile(chromium) for _ in range(3)]
        pages = [context.new_page() for context in contexts]
        for page in pages:
            page.add_init_script(FILE_NAMES)
            page.goto(f"{cold.address}/generate?seed=7&label=Coat", wait_until="commit")
        for page in pages:
            expect_generate(page, Model=DEFAULT_MODEL, Seed="7", Class="Coat")
            sections = page.get_by_test_id("stTopNav").get_by_role("button")
            assert sections.all_inner_texts() == list(dict.fromkeys(SECTIONS.values()))
            expect(main_picture(page)).to_have_attribute("alt", re.compile("Coat.* seed 7$"))
            assert not page.evaluate("window.fileNames")
        for context in contexts:
            context.close()


# Charts -----------------------------------------------------------------------------------------------------------

RANGES = """chart => {
  const { xaxis, yaxis } = chart._fullLayout ?? { xaxis: { range: [] }, yaxis: { range: [] } };
  return [...xaxis.range, ...yaxis.range].map((each) => Math.round(1000 * each) / 1000);
}"""
SHOWN = f"({RANGES})(document.querySelector('.js-plotly-plot') ?? {{}})"


def plot(page: Page) -> Locator:
    return page.locator(".js-plotly-plot").first


def ranges(page: Page) -> list[float]:
    """What the first chart shows of its axes."""
    return plot(page).evaluate(RANGES)


def zoom(page: Page) -> list[float]:
    """Drag a box in the first chart's middle."""
    before = ranges(page)
    box = plot(page).locator(".nsewdrag").first.bounding_box()
    assert box
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.3 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.7 * box["height"], steps=8)
    page.mouse.up()
    expect(plot(page)).to_be_visible()
    page.wait_for_function(f"before => JSON.stringify({SHOWN}) !== JSON.stringify(before)", arg=before)
    return ranges(page)


def expect_zoomed(page: Page, zoomed: list[float]) -> None:
    """Once the chart is there again."""
    shown = (
        f"zoomed => JSON.stringify(({RANGES})(document.querySelector('.js-plotly-plot'))) === JSON.stringify(zoomed)"
    )
    page.wait_for_function(shown, arg=zoomed)


@pytest.mark.slow
def test_a_zoom_stays_while_no_point_moves_and_the_wheel_scrolls_the_page(visit: Visit) -> None:  # noqa: F811
    page = visit("/history")
    plot(page).scroll_into_view_if_needed()
    zoomed = zoom(page)
    slide(page, "Epoch", "ArrowLeft")
    expect_zoomed(page, zoomed)
    top = plot(page).bounding_box()
    assert top
    plot(page).hover()
    page.mouse.wheel(0, 300)
    page.wait_for_function(
        "y => document.querySelector('.js-plotly-plot').getBoundingClientRect().y !== y", arg=top["y"]
    )
    assert ranges(page) == zoomed
    choose(page, "Model", "vae-cnn", "vae-cnn")
    assert ranges(page) != zoomed


def test_no_chart_takes_the_wheel() -> None:
    """Every chart goes through what sets its configuration."""
    told = re.compile(r"plotly_chart\((?!figure, config=(config|STILL), alt=)")
    drawn = {path.name: told.search(path.read_text("utf-8")) for path in (ROOT / "ui").glob("*.py")}
    assert not [name for name, found in drawn.items() if found]


# The frame --------------------------------------------------------------------------------------------------------


def expect_in_view(page: Page, *places: Locator) -> None:
    """Seen as the page opens, without scrolling."""
    height = page.viewport_size["height"] if page.viewport_size else 0
    for place in places:
        box = place.bounding_box()
        assert box
        assert 0 <= box["y"] <= box["y"] + box["height"] <= height
        expect(place).to_be_in_viewport()


@pytest.mark.slow
@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_model_class_and_seed_are_seen_at_once(visit: Visit, size: dict[str, int]) -> None:  # noqa: F811
    page = visit("/generate", phone=size is PHONE)
    page.set_viewport_size(size)
    expect_in_view(page, *(field(page, name) for name in ("Model", "Seed", "Class")))
    rows = {round(field(page, name).bounding_box()["y"] / 20) for name in ("Model", "Seed", "Class")}
    assert len(rows) == 1 or size is PHONE
    menu = page.get_by_test_id("stExpandSidebarButton" if size is PHONE else "stTopNav")
    expect_in_view(page, menu)


TOP = "element => element.getBoundingClientRect().y"


def start_of(page: Page) -> Locator:
    return page.get_by_role("button", name="Start training")


@pytest.mark.slow
def test_the_start_of_a_training_stands_under_the_picture_on_a_phone_and_beside_it_else(visit: Visit) -> None:  # noqa: F811
    page = visit("/train", phone=True)
    tops = [place.evaluate(TOP) for place in (main_picture(page), start_of(page))]
    assert tops == sorted(tops)
    page.set_viewport_size(LAPTOP)
    run, form = (page.locator(f".st-key-train-{name}").bounding_box() for name in ("run", "form"))
    assert run
    assert form
    assert run["x"] + run["width"] <= form["x"]
    assert abs(run["y"] - form["y"]) < 5


# For everyone -----------------------------------------------------------------------------------------------------


def finds(page: Page) -> list[str]:
    """What axe-core finds that is ours, in light and in dark."""
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        expect(page.get_by_test_id("stApp")).to_have_css("color-scheme", scheme)
        found += violations(page, scheme)
    return found


NOTHING_FADES = "[data-stale='true'] { opacity: 1 !important; transition: none !important; }"


def violations(page: Page, scheme: str) -> list[str]:
    """What axe-core finds as the page stands, but for Streamlit's own; each line begins with the scheme.

    What Streamlit is drawing anew, which on Train is every second or so, fades for that moment and is not judged pale.
    """
    page.add_style_tag(content=NOTHING_FADES)
    page.wait_for_function("() => document.getAnimations().every((each) => each.playState !== 'running')")
    return [
        f"{scheme}: {violation['id']}: {node['target']}: {node['html'][:200]}"
        for violation in Axe().run(page).response["violations"]
        for node in violation["nodes"]
        if not is_streamlits(page, violation["id"], node["target"][0])
    ]


def is_streamlits(page: Page, rule: str, target: str) -> bool:
    element = page.locator(target).first
    return any(rule == one and element.evaluate("(e, s) => e.matches(s)", own) for one, own in STREAMLITS_OWN)


@pytest.mark.slow
def test_home_has_no_empty_column_and_is_for_everyone(visit: Visit) -> None:  # noqa: F811
    page = visit("/")
    empty = page.get_by_test_id("stColumn").filter(has_not=page.get_by_role("img"))
    expect(empty).to_have_count(0)
    assert not finds(page)


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS[1:])
def test_a_page_is_for_everyone(visit: Visit, path: str) -> None:  # noqa: F811
    assert not finds(visit(path))


@pytest.mark.slow
def test_what_opens_is_for_everyone(visit: Visit) -> None:  # noqa: F811
    page = visit("/generate")
    page.get_by_test_id("stExpander").locator("summary").click()
    page.get_by_role("button", name="Share & export").click()
    expect(page.get_by_role("button", name="PNG")).to_be_enabled()
    assert not finds(page)


FOCUSED = """name => {
  let element = document.activeElement;  // a button's text has its icon's name too
  while (element.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  const text = element.matches("button") ? element.innerText : (element.labels?.[0]?.textContent ?? "");
  return element.getAttribute("aria-label") === name || text.includes(name);
}"""


def tab_to(page: Page, name: str) -> None:
    """Go on by the Tab key until an element so called has the focus."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.evaluate(FOCUSED, name):
            return
    pytest.fail(f"the Tab key does not reach {name}")


@pytest.mark.slow
def test_generate_by_keys(visit: Visit) -> None:  # noqa: F811
    page = visit("/generate")
    tab_to(page, "Seed")
    page.keyboard.type("8")
    page.keyboard.press("Enter")
    expect(main_picture(page)).to_have_attribute("alt", re.compile("seed 8$"))
    wait_for_pictures(page)
    tab_to(page, "Class")
    page.keyboard.type("Coat")
    page.keyboard.press("Enter")
    expect(main_picture(page)).to_have_attribute("alt", re.compile("of class Coat.* seed 8$"))
    wait_for_pictures(page)
    tab_to(page, "Temperature")
    before = main_picture(page).get_attribute("src") or ""
    page.keyboard.press("ArrowLeft")
    expect(main_picture(page)).not_to_have_attribute("src", before)
    wait_for_pictures(page)
    tab_to(page, "Share & export")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("stPopoverBody")).to_be_visible()


@pytest.mark.slow
def test_interpolate_by_keys(visit: Visit) -> None:  # noqa: F811
    page = visit("/interpolate")
    tab_to(page, "Position")
    page.keyboard.press("End")
    expect(main_picture(page)).to_have_attribute("alt", re.compile("100 % of the way"))
    wait_for_pictures(page)
    tab_to(page, "Play")
    page.keyboard.press("Space")
    expect(page.get_by_alt_text(re.compile("and back"))).to_be_visible()


@pytest.mark.slow
def test_live_by_keys(visit: Visit) -> None:  # noqa: F811
    page = visit("/live?n=10")
    status = page.get_by_role("status")
    expect(status.get_by_text("drawn in")).to_be_visible()
    tab_to(page, "Only Bag")
    page.keyboard.press("Enter")
    expect(status.get_by_text("Bag 100 %")).to_be_visible()
    page.keyboard.press("Shift+Tab")
    tab_to(page, "Temperature")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(re.compile("temperature=0.9"))


@pytest.fixture
def no_worker_is_left(server: Server, training_split: None) -> Iterator[None]:
    """Workers outlive the studio; here they must not."""
    yield
    end_workers(Queue(server.log.parent / "runs"))


@pytest.mark.slow
@pytest.mark.usefixtures("no_worker_is_left")
def test_train_by_keys(visit: Visit) -> None:  # noqa: F811
    page = visit("/train?preset=vae-dense-8&batch=1024&latent=2&width=2&measure=Quick+look")
    tab_to(page, "Epochs")
    page.keyboard.type("900")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("epochs=900"))
    wait_for_pictures(page)
    for button, state in (("Start training", "training"), ("Pause", "paused"), ("Resume", "training")):
        tab_to(page, button)
        page.keyboard.press("Enter")
        expect(page.locator(".stMarkdownBadge", has_text=state).first).to_be_visible(timeout=240_000)
    charts = page.locator(".st-key-train-charts")
    expect(charts.locator(".js-plotly-plot").first).to_be_visible(timeout=240_000)
    page.set_viewport_size(PHONE)
    assert start_of(page).evaluate(TOP) < charts.evaluate(TOP)
