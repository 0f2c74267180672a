"""A training begun, watched, left, stopped and ended in the browser, by the worker that trains for real."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from genlib.jobs.queue import Queue
from tests.pages.conftest import Server
from tests.pages.test_browser import Visit, main_picture, profile, visit  # noqa: F401
from tests.workers import end_workers

pytestmark = [pytest.mark.browser, pytest.mark.slow]
TINY = "/train?preset=vae-dense-8&epochs=8&batch=1024&latent=2&width=2&measure=Quick+look"
RUN = r"vae-dense-8-run-\d+"  # the studio may have others' runs
SECONDS = 240_000  # milliseconds for a training to get somewhere on a busy machine


@pytest.fixture(autouse=True)
def _no_worker_is_left(server: Server, training_split: None) -> Iterator[None]:
    """Workers outlive the studio; here they must not."""
    yield
    end_workers(Queue(server.log.parent / "runs"))


def press(page: Page, label: str) -> None:
    page.get_by_role("button", name=label, exact=True).click()


def state(page: Page, word: str) -> None:
    """Wait until the run is in a state."""
    expect(page.locator(".stMarkdownBadge", has_text=word).first).to_be_visible(timeout=SECONDS)


def test_a_training_is_begun_left_stopped_and_ended(visit: Visit) -> None:  # noqa: F811
    page = visit(TINY)
    press(page, "Start training")
    state(page, "training")
    samples = page.get_by_alt_text(re.compile(f"Ten samples of .*{RUN} after epochs"))
    expect(samples).to_be_visible(timeout=SECONDS)
    run = re.search(RUN, samples.get_attribute("alt") or "")
    assert run
    page.reload()
    state(page, "training")
    press(page, "Cancel")
    state(page, "cancelled")
    press(page, "Resume")
    state(page, "done")
    page.get_by_test_id("stPageLink").get_by_role("link", name="Open in Generate").click()
    expect(main_picture(page)).to_have_attribute("alt", re.compile(f"samples as drawn by .*{run[0]}, seed 0"))
