"""Same question: what does every model answer to one seed and class?"""

import streamlit as st

from ui import compare, controls
from ui.share import share

controls.page("compare", "Same question", "One seed and one class, asked of every model: what does each of them draw?")
seed = controls.seed_control()
label = controls.class_control()
request = compare.controls_row(seed, label)

if not request.entries:
    st.info("No trained weights are here yet. Train a model: `python -m genlib train vae-cnn`")
    st.stop()

answers = {}
for line in compare.lines(request.entries):
    for column, (family, members) in zip(compare.columns(line), line.items(), strict=False):
        column.header(f"{family[0].upper()}{family[1:]}", anchor=False)
        for place, entry in zip(column.columns(len(members)), members, strict=True):
            with place:
                answers[entry.name] = compare.card(request, entry)

share("compare", request.query, request.code, request.downloads(answers))
compare.how_it_works(request)
