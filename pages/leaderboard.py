"""Leaderboard: which model is best, and at what cost?"""

import streamlit as st

from ui import controls, leaderboard, questions
from ui.own_samples import own_rows

controls.page("leaderboard", "Leaderboard", "Which model is best, and at what cost? All were measured in the same way.")
board = leaderboard.board_or_stop()
leaderboard.show_podium(board)
leaderboard.show_scatter(board)
st.caption(leaderboard.caption(board))
leaderboard.show_disputes(board)
questions.share_question(board.asked, board.asked.files([board.real, *board.rows]))
board = leaderboard.beside(board, own_rows())
leaderboard.show_table(board)
leaderboard.explain_figures()
