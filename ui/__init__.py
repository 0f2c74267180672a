"""What the pages share: the only place that joins Streamlit to genlib."""
