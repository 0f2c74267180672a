"""Findings: do the studies' claims hold?"""

import streamlit as st

from ui import controls, explain, findings, questions

controls.page(
    "findings", "Findings", "Do the sixteen claims of the studies hold, and three of our own? Figures decide."
)
found = findings.load()
findings.overview(found)
st.caption(findings.RULES)
question = questions.with_controls(questions.asked("Findings"), verdict=0)
shown = question.chosen(found)
places = []
for pair in findings.pairs(shown):
    for column, finding in zip(st.columns(2, gap="medium"), pair, strict=False):
        with column:
            places.append(findings.card(finding))

questions.share_question(question, question.files(found))
explain.about("the verdicts", findings.ABOUT)
for finding, place in zip(shown, places, strict=True):
    findings.illustrate(finding, place)
