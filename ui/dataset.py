"""The Dataset page: its charts, which split can be shown, and where the data come from."""

from __future__ import annotations

import streamlit as st

from genlib.charts.dataset import counts, gray_levels, plane, shares
from genlib.data import FashionMNIST
from genlib.questions.dataset import Dataset

__all__ = ["counts", "gray_levels", "plane", "shares"]
MISSING = (
    "The training split (60,000 images) is not on this machine, so these are the test images, which come with genlib. "
    "`python -m genlib train` fetches it where there is a network; or install Debian's `dataset-fashion-mnist`, or set "
    "`GENLIB_DATA` to a directory with the four official files."
)


def say_what_is_missing(question: Dataset) -> None:
    """Why another split is shown than the one that was asked for."""
    if question.shown != question.split:
        problem = FashionMNIST.trouble(question.split)
        st.info(f"The training split cannot be read, so these are the test images: {problem}" if problem else MISSING)


ABOUT = r"""
70,000 photographs from a shop's catalogue, reduced to 28 x 28 gray pixels: the garment is centred and bright on
black. 60,000 are for training and 10,000 for testing, a tenth of each in every class. Models learn from the training
split alone; the test split only measures them.

**Classes**: the mean and the standard deviation of every pixel over all images of a class. A mean that looks like a
garment tells you that the images of the class are alike. A bright deviation shows where they differ.

**Components**: with pixels $x \in [0, 1]^{784}$ and their mean $\mu$, the directions $v_j$ are the eigenvectors of
the covariance $\frac{1}{N} \sum_i (x_i - \mu)(x_i - \mu)^\top$ with the largest eigenvalues, and an image's
coordinates are $v_j^\top (x - \mu)$ (Bishop 2006, section 12.1). Classes that overlap in this plane may still be
apart in the other 782 directions.

**Neighbours**: by Euclidean distance between pixels in $[0, 1]$: this compares shape and brightness, not meaning, so
a neighbour may be of another class.

Source: Xiao, Rasul and Vollgraf 2017, [arXiv:1708.07747](https://arxiv.org/abs/1708.07747).
"""
