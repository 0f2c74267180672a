"""Leaderboard: which model is best, and at what cost?"""

import streamlit as st

from ui import controls, leaderboard, pictures, questions
from ui.own_samples import own_rows

controls.page("leaderboard", "Leaderboard", "Which model is best, and at what cost? All were measured in the same way.")
board = leaderboard.board_or_stop()
leaderboard.show_podium(board)
pictures.show_chart(leaderboard.trade_off(board), key="trade-off")
st.caption(board.said)
leaderboard.show_disputes(board)
questions.share_question(board.asked, board.asked.files([board.real, *board.rows]))
board = leaderboard.beside(board, own_rows())
leaderboard.show_table(board)
leaderboard.explain_figures()
