"""Dataset: what do the models learn from?"""

import streamlit as st

from ui import controls, dataset, dataset_charts, pictures
from ui.share import share

controls.page(
    "dataset", "Dataset", "What do the models learn from? 70,000 small gray photographs of garments in ten classes."
)
request = dataset.controls_row()


def picture() -> None:
    """The view's tiles."""
    pictures.show_tiles(request.tiles, request.columns, request.alt, request.heads, caption=request.alt)


if request.view == "components":
    plane, directions = st.columns([3, 2], gap="medium")
    with plane:
        dataset_charts.show_scatter(request)
    with directions:
        picture()
        dataset_charts.show_shares(request)
else:
    picture()
if request.view == "classes":
    counts, histogram = st.columns(2, gap="medium")
    with counts:
        st.markdown("**Images by class**")
        dataset_charts.show_counts(request)
    with histogram:
        st.markdown("**Pixels by gray level**")
        dataset_charts.show_histogram(request)
share("dataset", request.query, request.code, request.downloads())
dataset.how_it_works()
