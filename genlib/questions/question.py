"""A question as data: a frozen dataclass from whose fields follow address, command, code, cache key and controls."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import shlex
import types
import typing
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from genlib.config import as_python, check, parse
from genlib.data import CLASS_NAMES, parse_label
from genlib.errors import GenlibError
from genlib.io.files import write_file
from genlib.model import capabilities
from genlib.noise import MAX_SEED
from genlib.questions.keeping import loaded, remembering
from genlib.solvers import MOST_STEPS, SOLVERS

EVERY_CLASS = "Every class"
Maker = Callable[[], bytes]
Figures = dict[str, list[float | None]]  # what a page says in numbers, by what is measured


def asks(
    default: Any,
    label: str,
    help: str = "",
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    *,
    said: str = "",
    key: str | bool | None = None,
    flag: str | bool | None = None,
    slider: tuple[float, float, float] | None = None,
    when: str | Callable[[Any], bool] | None = None,
) -> Any:
    """A field of a question.

    `label` and `help` are what a control says, `said` what the command line says instead of `help`; values lie from
    `low` to `high` or are among `choices`. A default of None is the model's own setting of that name. `key` is its
    place in the address and `flag` its name on the command line, the field's own name unless given; a field whose key
    is False has no control and is in no address; one whose flag is False changes what a page shows and no picture, and
    is on no command line and in no code. `slider` is the lowest, the highest and the step of its slider. `when` says
    where the field makes sense: for a model with that capability, or where a function of the question says so;
    elsewhere neither address nor code names it.
    """
    told = {"label": label, "help": help, "low": low, "high": high, "choices": choices, "key": key, "flag": flag}
    return dataclasses.field(default=default, metadata=told | {"said": said or help, "slider": slider, "when": when})


def model_field(*needs: str) -> Any:
    """The model that is asked, with one of the capabilities where some are named."""
    return dataclasses.field(metadata={"label": "Model", "said": "a model of the zoo or a run", "needs": needs})


def seed_field(when: str | Callable[[Any], bool] | None = None) -> Any:
    """What draws the noise: the same on every page."""
    return asks(0, "Seed", "", 0, MAX_SEED, said="draws the noise", when=when)


def temperature_field(help: str, most: float) -> Any:
    """What scales the noise, up to `most`; a slider goes to 2."""
    return asks(1.0, "Temperature", help, 0.0, most, key="t", slider=(0.0, 2.0, 0.05))


def steps_field() -> Any:
    """Steps of a model that integrates."""
    told: dict[str, Any] = {"said": "from noise to image", "key": "nfe", "slider": (1, 32, 1), "when": "integrates"}
    return asks(None, "Steps", "", 1, MOST_STEPS, **told)


def solver_field() -> Any:
    """How a model that integrates takes a step."""
    help = "Euler follows one arrow a step. Heun also looks at the arrow where the step ends, and takes the mean."
    return asks(None, "Solver", help, said="how a step is taken", choices=SOLVERS, when="integrates")


def guidance_field() -> Any:
    """How far the class pulls a model that integrates."""
    help = "How far the class pulls. 0: the class is ignored; 1: as learned; above: more typical, less varied."
    return asks(
        None,
        "Guidance",
        help,
        *(0.0, 20.0),
        said="how far the class pulls, 1 as learned",
        slider=(0.0, 6.0, 0.1),
        when="integrates",
    )


def class_field(default: str = EVERY_CLASS, when: str | Callable[[Any], bool] | None = None) -> Any:
    """One class by its name, or every class."""
    said = "class number 0-9 or name; every class unless given"
    return asks(default, "Class", said=said, choices=(EVERY_CLASS, *CLASS_NAMES), when=when)


@dataclass(frozen=True)
class Answer:
    """What `ask` gives: files by name, made when they are asked for."""

    files: Mapping[str, Maker]

    @property
    def endings(self) -> tuple[str, ...]:
        """What `save` takes, such as .png."""
        return tuple(Path(name).suffix for name in self.files)

    def save(self, path: str | Path) -> None:
        """Write the answer as the path's ending says: the picture as .png, its numbers as .npz, a table as .csv."""
        makers = dict(zip(self.endings, self.files.values(), strict=True))
        ending = Path(path).suffix.lower()
        if ending not in makers:
            raise GenlibError(f"this answer is saved as {' or '.join(makers)}, not {str(path)!r}")
        with remembering():
            write_file(Path(path), makers[ending]())


@dataclass(frozen=True)
class Question(ABC):
    """What every question has. A subclass adds its fields, `files`, and what a page shows beside them."""

    NAME: ClassVar[str]  # its page's address
    COMMAND: ClassVar[str] = ""  # where it is not called as the page is
    DEFAULTS: ClassVar[Mapping[str, Any]] = {}  # of the command, where they are not the page's

    def __post_init__(self) -> None:
        for name in self.fields():
            object.__setattr__(self, name, as_python(getattr(self, name)))
            self.check(name, getattr(self, name), name)

    @classmethod
    def fields(cls) -> dict[str, Mapping[str, Any]]:
        """What is known of each field by its name."""
        return {field.name: field.metadata for field in dataclasses.fields(cls)}

    @classmethod
    def kind(cls, name: str) -> Any:
        """A field's type; of one that may be None, its other."""
        kind = typing.get_type_hints(cls)[name]
        return typing.get_args(kind)[0] if isinstance(kind, types.UnionType) else kind

    @classmethod
    def check(cls, name: str, value: Any, called: str) -> None:
        """Raise GenlibError, which names the field as it is `called`, unless it takes the value."""
        known, default = cls.fields()[name], cls.defaults()[name]
        if default in ((), None) and value == default:
            return
        check(called, cls.kind(name), value, known.get("low"), known.get("high"), known.get("choices", ()))

    @classmethod
    def key(cls, name: str) -> str:
        """A field's place in the address."""
        return cls.fields()[name].get("key") or name

    @classmethod
    def flag(cls, name: str) -> str:
        """A field's name on the command line."""
        return (cls.fields()[name].get("flag") or name).replace("_", "-")

    @classmethod
    def needs(cls) -> tuple[str, ...]:
        """Capabilities of which the model needs one."""
        return cls.fields().get("model", {}).get("needs", ())

    @property
    def asked_model(self) -> str:
        """The model's name, in a question that asks one."""
        return getattr(self, "model")  # noqa: B009

    @property
    def can(self) -> tuple[str, ...]:
        """What the model can do."""
        return tuple(capabilities(loaded(self.asked_model)))

    def applies(self, name: str) -> bool:
        """Whether a field makes sense beside the values of the others."""
        when = self.fields()[name].get("when")
        if when is None:
            return True
        return when in self.can if isinstance(when, str) else when(self)

    def bounds(self, name: str) -> tuple[Any, Any]:
        """The lowest and the highest value of a number, for this model."""
        return self.fields()[name].get("low"), self.fields()[name].get("high")

    def slider(self, name: str) -> tuple[Any, Any, Any] | None:
        """The lowest value, the highest and the step of a field's slider, for this model; None where it has none."""
        return self.fields()[name].get("slider")

    def value(self, name: str) -> Any:
        """A field's value; the model's own setting of that name where none is given."""
        value = getattr(self, name)
        return getattr(loaded(self.asked_model).config, name) if value is None else value

    def usual(self, name: str) -> Any:
        """What a field's control shows before it is moved, for this model."""
        return self.value(name)

    def choices(self, name: str) -> tuple[str, ...]:
        """What a field is chosen from, for this model; empty where it is free."""
        return self.fields()[name].get("choices", ())

    def asked(self) -> dict[str, Any]:
        """The fields that make sense, with their values."""
        return {name: self.value(name) for name in self.fields() if self.applies(name)}

    def chosen_class(self) -> int | None:
        """The number of the class in `label`; None for every class."""
        name = getattr(self, "label", EVERY_CLASS)
        return None if name == EVERY_CLASS else CLASS_NAMES.index(name)

    def query(self) -> dict[str, Any]:
        """Every control by its key in the address; a tuple's entries are numbered from 1."""
        found: dict[str, Any] = {}
        for name, value in self.asked().items():
            if self.fields()[name].get("key") is False:
                continue
            if isinstance(value, tuple):
                found |= {f"{self.key(name)}{i}": entry for i, entry in enumerate(value, start=1)}
            else:
                found[self.key(name)] = value
        return found

    def _told(self, defaults: Mapping[str, Any]) -> dict[str, Any]:
        """The seed, and the other values that are not the defaults, or a tuple of zeros, without the model."""
        names = [name for name, known in self.fields().items() if name != "model" and known["flag"] is not False]
        told = {name: getattr(self, name) for name in names if self.applies(name)}
        told = {name: value for name, value in told.items() if name == "seed" or value != defaults[name]}
        return {name: value for name, value in told.items() if not isinstance(value, tuple) or any(value)}

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        """The fields' defaults by name."""
        return {field.name: field.default for field in dataclasses.fields(cls)}

    def code(self) -> str:
        """The lines of genlib that make the picture, runnable as they stand."""
        model = [_python(self.asked_model)] if "model" in self.fields() else []
        values = [f"{name}={_python(value)}" for name, value in self._told(self.defaults()).items()]
        kind = type(self).__name__
        asked = f"{kind}({', '.join([*model, *values])})"
        return f'from genlib.questions import {kind}\n\n{asked}.ask().save("{self.NAME}.png")'

    def command(self) -> str:
        """The line that makes the picture in a shell."""
        words = [f"python -m genlib {self.COMMAND or self.NAME}"]
        words += [shlex.quote(self.asked_model)] if "model" in self.fields() else []
        for name, value in self._told({**self.defaults(), **self.DEFAULTS}).items():
            words += [f"--{self.flag(name)}{_shell(value)}"]
        return " ".join([*words, f"--out {self.NAME}.png"])

    @abstractmethod
    def files(self) -> dict[str, Maker]:
        """The answer's files by name, made when asked for: .png, .npz, and .gif or .csv where there is such."""

    def ask(self) -> Answer:
        """The answer, computed when it is saved."""
        return Answer(self.files())


def _python(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _shell(value: Any) -> str:
    """A value behind its flag; a tuple's with "=", since it may begin with a minus."""
    if value is True:
        return ""
    if isinstance(value, tuple):
        return "=" + ",".join(map(str, value))
    if isinstance(value, str) and set(value) & set('"$`\\!'):
        return f" {shlex.quote(value)}"
    return f' "{value}"' if isinstance(value, str) and not value.isalnum() else f" {value}"


def from_text(question: type[Question], name: str, text: str) -> Any:
    """A field's value as the command line has it."""
    choices = question.fields()[name].get("choices", ())
    if choices[1:] == CLASS_NAMES and text not in choices:
        return CLASS_NAMES[parse_label(text)]
    return parse(f"--{question.flag(name)}", question.kind(name), text)


def csv_bytes(rows: Sequence[Mapping[str, object]]) -> bytes:
    """Rows as CSV under their keys, in the order in which the keys first come; what a row lacks is left empty."""
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, list(dict.fromkeys(key for row in rows for key in row)))
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue().encode()
