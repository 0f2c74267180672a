"""The studio: the navigation table, nothing else."""

import streamlit as st

st.navigation(
    {
        "Explore": [
            st.Page("pages/home.py", title="Home", default=True),
            st.Page("pages/live.py", title="Live", url_path="live"),
            st.Page("pages/generate.py", title="Generate", url_path="generate"),
            st.Page("pages/interpolate.py", title="Interpolate", url_path="interpolate"),
            st.Page("pages/compare.py", title="Same question", url_path="compare"),
        ],
        "Understand": [
            st.Page("pages/latent.py", title="Latent space", url_path="latent"),
            st.Page("pages/path.py", title="From noise", url_path="path"),
            st.Page("pages/reconstruct.py", title="Reconstruct", url_path="reconstruct"),
            st.Page("pages/discriminator.py", title="Discriminator", url_path="discriminator"),
            st.Page("pages/diversity.py", title="Diversity", url_path="diversity"),
            st.Page("pages/variation.py", title="Variation", url_path="variation"),
            st.Page("pages/mixtures.py", title="Mixtures", url_path="mixtures"),
            st.Page("pages/history.py", title="Training history", url_path="history"),
        ],
        "Measure": [
            st.Page("pages/leaderboard.py", title="Leaderboard", url_path="leaderboard"),
            st.Page("pages/findings.py", title="Findings", url_path="findings"),
            st.Page("pages/dataset.py", title="Dataset", url_path="dataset"),
        ],
        "Train": [st.Page("pages/train.py", title="Train", url_path="train")],
    },
    position="top",
).run()
