"""The studio: the navigation table, nothing else."""

import streamlit as st

st.navigation(
    {
        "Explore": [
            st.Page("pages/home.py", title="Home", icon=":material/home:", default=True),
            st.Page("pages/generate.py", title="Generate", icon=":material/auto_awesome:", url_path="generate"),
            st.Page("pages/interpolate.py", title="Interpolate", icon=":material/timeline:", url_path="interpolate"),
        ]
    }
).run()
