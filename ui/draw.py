"""What the pages ask of genlib, as arrays and kept: the same question is computed once for all sessions."""

from __future__ import annotations

import numpy as np
import streamlit as st
import torch

from genlib.analysis import interpolation
from genlib.data import FashionMNIST
from genlib.model import Conditional
from genlib.questions.generate import Generate
from ui.zoo import load_model


@st.cache_data(max_entries=128, show_spinner=False)
def walk(
    name: str, between: str, ends: tuple[int, int], seed: int, label: int | None, steps: int, path: str, equal: str
) -> tuple[np.ndarray, np.ndarray]:
    """Frames uint8 (steps, 28, 28) and changes (steps - 1,) between two classes, seeds or test images."""
    model = load_model(name)
    if between == "classes":
        found = interpolation.class_walk(model, seed, *ends, steps, equal)
    elif between == "seeds":
        y = (label or 0) if isinstance(model, Conditional) else None
        found = interpolation.seed_walk(model, ends, steps, path, y, equal)
    else:
        images = FashionMNIST.load("test").images[list(ends)]
        found = interpolation.image_walk(model, images, steps, path, equal)
    return found.images.numpy(), found.changes.numpy()


@st.cache_data(max_entries=128, show_spinner=False)
def unevenness(frames: np.ndarray) -> float:
    """How much a walk's steps differ in feature space: coefficient of variation."""
    return interpolation.unevenness(torch.from_numpy(frames))


@st.cache_data(max_entries=128, show_spinner=False)
def label_number_walk(name: str, ends: tuple[int, int], seed: int, steps: int) -> tuple[np.ndarray, list[int]]:
    """Frames of the studies' averaged label numbers, and the labels they visit."""
    found, labels = interpolation.label_number_walk(load_model(name), seed, *ends, steps)
    return found.images.numpy(), labels.tolist()


@st.cache_data(max_entries=64, show_spinner=False)
def pairs(name: str, seed: int, rows: int, steps: int, path: str, equal: str) -> np.ndarray:
    """Rows of walks between random pairs, uint8 (rows * steps, 28, 28)."""
    walks = interpolation.pair_walks(load_model(name), seed, rows, steps, path, equal)
    return torch.cat([each.images for each in walks]).numpy()


def strip(name: str, count: int = 10) -> np.ndarray:
    """The first samples of seed 0: a model's calling card."""
    return Generate(name, n=count).images
