"""The studio: the navigation table, nothing else."""

import streamlit as st

st.navigation(
    {
        "Explore": [
            st.Page("pages/home.py", title="Home", default=True),
            st.Page("pages/generate.py", title="Generate", url_path="generate"),
            st.Page("pages/interpolate.py", title="Interpolate", url_path="interpolate"),
            st.Page("pages/compare.py", title="Same question", url_path="compare"),
        ],
        "Understand": [
            st.Page("pages/reconstruct.py", title="Reconstruct", url_path="reconstruct"),
        ],
        "Measure": [
            st.Page("pages/findings.py", title="Findings", url_path="findings"),
        ],
    }
).run()
