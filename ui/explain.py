"""The "How it works" expander: a family's idea, its layers as the model has them, and where to read on."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from genlib.loading import load
from genlib.model import Preset
from genlib.models import families, get_preset
from genlib.zoo.layers import Layer, layer_table, planned_layers
from ui import zoo


def about(title: str, text: str) -> DeltaGenerator:
    """The expander with a text, for more to be put below it."""
    place = st.expander(f"How it works: {title}", icon=":material/school:")
    place.markdown(text)
    return place


def how_it_works(entry: zoo.Entry) -> None:
    """The family's idea, the layer table generated from the model."""
    _explain(entry.family, entry.name, _layers(entry.name))


def how_training_works(preset: Preset, settings: Mapping[str, Any]) -> None:
    """The same for a model that is yet to be trained; settings that fit no model show no layers."""
    _explain(preset.family, preset.name, _layers_to_be(preset.name, json.dumps(settings, sort_keys=True)))


@st.cache_data(max_entries=64, show_spinner=False)
def _layers(name: str) -> list[Layer]:
    """Read off a copy: the model that the pages share is drawing for other sessions meanwhile."""
    return layer_table(load(name))


@st.cache_data(max_entries=64, show_spinner=False)
def _layers_to_be(preset_name: str, settings: str) -> list[Layer]:
    """The layers with these settings, as JSON."""
    return planned_layers(get_preset(preset_name), json.loads(settings))


def _explain(family: str, name: str, layers: list[Layer]) -> None:
    with about(family, vars(families()[family]).get("idea") or inspect.getdoc(families()[family]) or ""):
        if layers:
            st.dataframe(
                {
                    "layer": [layer.name for layer in layers],
                    "kind": [layer.kind for layer in layers],
                    "output shape": [" x ".join(map(str, layer.output)) for layer in layers],
                    "parameters": [layer.parameters for layer in layers],
                },
                hide_index=True,
                alt=f"The layers of {name} with their output shapes and parameter counts",
            )
