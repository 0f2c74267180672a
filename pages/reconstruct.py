"""Reconstruct: can a model give back a picture it is shown?"""

import streamlit as st

from ui import controls, explain, own_picture, questions, reconstruct, search

controls.page(
    "reconstruct",
    "Reconstruct",
    "Can a model reproduce a picture it is shown? A model with an encoder answers at once; a GAN's noise must be "
    "searched for.",
)
asked = questions.seed_and_class(questions.asked("Reconstruct"))
asked = questions.own_controls(asked, of=0, first=150, n=140, polarity=0, fresh=0)
question = own_picture.with_own(asked)

found = search.follow(question)
st.caption(reconstruct.legend(question))
questions.share_question(question, question.files(found))
search.error_by_class(question, found)
explain.about("reconstruction", reconstruct.SEARCHED if question.is_searched else reconstruct.ENCODED)
explain.how_it_works(questions.entry_of(question))
