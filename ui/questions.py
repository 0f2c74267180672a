"""A question on its page: controls made of its fields, and its link, code, command and files to share."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from genlib import questions
from genlib.data import CLASS_NAMES
from genlib.questions.keeping import keep_with, loaded
from genlib.questions.question import EVERY_CLASS, Maker, Question
from ui import controls, share, zoo
from ui.controls import BOUND

FEW = 5  # choices that stand side by side


def _keep(function: Callable, entries: int, said: str) -> Callable:
    """For pages alone: what else runs in this process, such as a command in a test, computes anew."""
    keeping = st.cache_resource(max_entries=entries, show_spinner=said or False)(function)
    if function is inspect.unwrap(loaded):
        keeping = zoo.load_model

    def call(*args: Any) -> Any:
        return (keeping if get_script_run_ctx(suppress_warning=True) else function)(*args)

    return call


keep_with(_keep)


def asked(name: str) -> Any:
    """A question by its name in genlib.questions, of the model that is picked where it asks one."""
    kind: type[Question] = getattr(questions, name)
    return kind(**({"model": controls.model_picker(*kind.needs()).name} if "model" in kind.fields() else {}))


def seed_and_class(question: Any) -> Any:
    """The question with the seed and the class that pages share, where they make sense."""
    fields = question.fields()
    if "seed" in fields and question.applies("seed"):
        question = replace(question, seed=controls.seed_control())
    return class_of(question) if "label" in fields else question


def class_of(question: Any) -> Any:
    """The question with the class that pages share, where it makes sense."""
    if not question.applies("label"):
        return question
    label = controls.class_control()
    return replace(question, label=EVERY_CLASS if label is None else CLASS_NAMES[label])


def own_controls(question: Any, **widths: int) -> Any:
    """A control in the page's second row for each field in `widths` that makes sense, in that order."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        return with_controls(question, **widths)


def with_controls(question: Any, **widths: int) -> Any:
    """The same where one stands."""
    for name, width in widths.items():
        if question.applies(name):
            question = replace(question, **{name: control(question, name, width)})
    return question


def control(question: Question, name: str, width: int) -> Any:
    """One field's value by its control, None where it is the model's own; a width of 0 leaves it to the control."""
    value = _widget(question, name, width)
    return None if question.defaults()[name] is None and value == question.usual(name) else value


def _widget(question: Question, name: str, width: int) -> Any:
    known, kind, value = question.fields()[name], question.kind(name), question.usual(name)
    given: dict[str, Any] = {"key": question.key(name), "help": known["help"] or None, **BOUND}
    given |= {"width": width} if width else {}
    label, (low, high), choices = known["label"], question.bounds(name), question.choices(name)
    if kind is bool:
        return st.toggle(label, value, **given)
    if choices and len(choices) <= FEW:
        return st.segmented_control(label, choices, default=value, required=True, **given) or value
    if choices:
        found = st.selectbox(label, choices, index=choices.index(value), **given)
        return found if found in choices else value
    if slider := question.slider(name):
        low, high, step = slider
        digits = len(str(step).partition(".")[2])
        form = f"%.{digits}f" if digits else None
        return st.slider(label, min(low, value), max(high, value), value, step, form, **given)
    return int(st.number_input(label, low, high, value, **given) or low)


def share_question(question: Question, files: Mapping[str, Maker] | None = None, **beside: object) -> None:
    """The popover with everything that follows from a question; `beside` are controls that change no picture of it."""
    share.share(
        question.NAME, question.query() | beside, question.code(), files or question.files(), question.command()
    )


def entry_of(question: Any) -> zoo.Entry:
    """The question's model as pages know it."""
    return zoo.entries()[question.model]
