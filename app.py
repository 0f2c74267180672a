"""The studio: the navigation table, nothing else."""

import streamlit as st

st.navigation(
    {
        "Explore": [
            st.Page("pages/home.py", title="Home", default=True),
            st.Page("pages/generate.py", title="Generate", url_path="generate"),
            st.Page("pages/interpolate.py", title="Interpolate", url_path="interpolate"),
        ]
    }
).run()
