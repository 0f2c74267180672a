"""What the pages ask of genlib, as arrays and kept: the same question is computed once for all sessions."""

from __future__ import annotations

import math

import numpy as np
import streamlit as st
import torch

from genlib.analysis import interpolation
from genlib.analysis.directions import load_directions
from genlib.data import FashionMNIST
from genlib.model import Conditional, HiddenLayers, Mixture
from genlib.sampling import generate
from ui.zoo import load_model

SMALL_LATENT = 16
REACH = 2.0  # thumbnails beside a slider show this many standard deviations


@st.cache_data(max_entries=512, show_spinner=False)
def samples(
    name: str,
    weights: str,
    n: int,
    seed: int,
    label: int | None = None,
    mix: tuple[int, float] | None = None,
    temperature: float = 1.0,
    moves: tuple[float, ...] = (),
) -> np.ndarray:
    """uint8 (n, 28, 28). `mix` blends a share of another class into the label; `moves` are steps along `basis`."""
    model = load_model(name, weights)
    shift = torch.tensor(moves) @ basis(name)[0] if any(moves) else None
    y = label if mix is None or label is None else blend(label, *mix).expand(n, -1)
    return generate(model, n, seed, y, temperature, shift)[0].numpy()


def blend(label: int, other: int, share: float) -> torch.Tensor:
    """A class mixture (10,): `share` of the other class, the rest the label's."""
    mixture = torch.zeros(10)
    mixture[label] += 1 - share
    mixture[other] += share
    return mixture


@st.cache_resource(max_entries=64, show_spinner=False)
def basis(name: str) -> tuple[torch.Tensor, tuple[str, ...]]:
    """Steps in latent space (k, d) worth a slider each: strongest directions, or a small latent's own numbers; and
    what each is called.
    """
    model = load_model(name)
    if isinstance(model, HiddenLayers):
        found = load_directions(name)
        return found.steps, found.names
    size = math.prod(model.latent_shape)
    small = size <= SMALL_LATENT and not isinstance(model, Mixture)
    steps = torch.eye(size) if small else torch.empty(0, size)
    return steps, tuple(f"Latent {i}" for i in range(1, len(steps) + 1))


@st.cache_data(max_entries=128, show_spinner=False)
def thumbnails(name: str, weights: str, label: int | None) -> np.ndarray:
    """uint8 (k, 2, 28, 28): the most typical picture moved by -2 and by +2 along each step of `basis`."""
    model, (steps, _) = load_model(name, weights), basis(name)
    if not len(steps):
        return np.empty((0, 2, 28, 28), np.uint8)
    y = (label or 0) if isinstance(model, Conditional) else None
    ends = [generate(model, 1, 0, y, 0.0, sign * REACH * step)[0][0] for step in steps for sign in (-1, 1)]
    return torch.stack(ends).view(len(steps), 2, 28, 28).numpy()


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


@st.cache_data(max_entries=64, show_spinner=False)
def strip(name: str, count: int = 10) -> np.ndarray:
    """The first samples of seed 0: a model's calling card."""
    return samples(name, "averaged", count, 0)
