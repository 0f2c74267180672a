"""Same question: what does every model answer to one seed and class?"""

import streamlit as st

from ui import compare, controls, explain, questions, zoo
from ui.words import capitalised

controls.page("compare", "Same question", "What does each model draw from the same seed and class?")
question = questions.seed_and_class(questions.asked("Compare"))
question = questions.own_controls(question, each=165, family=190, unlabelled=0)
entries = compare.asked_of(question)
st.caption(zoo.DISTANCE)

headed = set()
for line in compare.lines(entries):
    for column, (family, members) in zip(compare.columns(line), line.items(), strict=False):
        column.header(f"{capitalised(family)}{', continued' if family in headed else ''}", anchor=False)
        headed.add(family)
        for place, entry in zip(column.columns(len(members)), members, strict=True):
            with place:
                compare.card(question, entry)

questions.share_question(question, question.files([entry.name for entry in entries]))
explain.about("the same question", compare.ABOUT)
