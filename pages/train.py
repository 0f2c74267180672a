"""Train: how does a model come about?"""

import streamlit as st

from genlib.errors import GenlibError
from genlib.jobs import Queue
from genlib.runs import WORKING
from ui import controls, curves, explain, runs, train
from ui.share import csv_bytes, share
from ui.visitor import visitor

controls.page("train", "Train", "How does a model come about? Choose one, change what you like, start it, and watch.")
try:
    queue = Queue()
    jobs = queue.jobs()
except GenlibError as error:
    st.warning(f"Nothing can be trained here: {error}")
    st.stop()
who = visitor()
look, form = st.columns([3, 2], gap="large")

with form:
    preset = train.choose_preset()
    settings = train.settings_form(preset, queue.limits.epochs)
    measuring = train.choose_measuring()
    if train.may_train(queue.limits):
        train.show_estimate(preset.name, settings, measuring, who)
        train.start_button(queue, preset.name, settings, measuring, who)

with look:
    chosen = runs.choose_run(jobs)
    if chosen is None:
        train.show_example(preset)
    else:
        active = any(job.state in ("queued", *WORKING) for job in jobs)
        st.fragment(runs.show_run, run_every=1.0 if active else None)(queue, chosen.id, who)

curves.compare(jobs)
if jobs:
    st.markdown("#### All runs")
    runs.show_table(jobs)
controls_of_the_page = train.query(preset, settings, measuring) | ({"run": chosen.id} if chosen else {})
downloads = {"runs.csv": lambda: csv_bytes(curves.table(jobs))} if jobs else {}
share("train", controls_of_the_page, train.code(preset, settings, measuring), downloads)
explain.how_training_works(preset, settings)
