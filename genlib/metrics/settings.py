"""What steps and guidance are worth: a flow measured at several of each, and its one-step students beside it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from genlib.errors import GenlibError
from genlib.io.fields import NUMBER, TEXT, WORD, Kind, at_least, list_of, optional, read_fields, record_of, whole
from genlib.io.files import write_json
from genlib.loading import load, model_directory, own_directory
from genlib.metrics.evaluation import SEEDS, sample_figures
from genlib.metrics.scores import over_sets
from genlib.model import Integrates, Model, students_of
from genlib.stages import Stages, part

FILE = "settings.json"
STEPS = (1, 2, 4, 8, 16)
GUIDANCE = (1.0, 1.5, 2.0, 3.0, 5.0)
SAMPLES = 1_000  # of each seed: distances are larger than those of the protocol's 10,000
KEPT = ("fd", "fd_second", "precision", "recall", "class_consistency")


@dataclass(frozen=True)
class Measured:
    """Figures of one setting: means over the seeds, and the standard deviations between them.

    `evaluations` of the network made one sample. `steps` and `guidance` are None for a student, which has neither.
    """

    model: str
    steps: int | None
    guidance: float | None
    evaluations: int
    figures: dict[str, float]
    spread: dict[str, float]


@dataclass(frozen=True)
class Settings:
    """Every setting that was measured, with one solver, each on `samples` fakes of each of three seeds."""

    samples: int
    solver: str
    rows: tuple[Measured, ...]

    def by_steps(self, guidance: float) -> list[Measured]:
        """The rows of one guidance, fewest steps first."""
        return sorted((row for row in self.rows if row.guidance == guidance), key=lambda row: row.steps or 0)

    def by_guidance(self, steps: int) -> list[Measured]:
        """The rows of one number of steps, weakest guidance first."""
        return sorted((row for row in self.rows if row.steps == steps), key=lambda row: row.guidance or 0)

    def students(self) -> list[Measured]:
        """The rows of models that learned from this one to draw in one step."""
        return [row for row in self.rows if row.steps is None]


def evaluations(steps: int, solver: str, guidance: float) -> int:
    """How often a sample asks the network: Heun's method twice a step, once in the last; twice that with guidance."""
    return (2 * steps - 1 if solver == "heun" else steps) * (1 if guidance in (0, 1) else 2)


def measure_settings(name: str | Path, n: int = SAMPLES) -> Stages[Settings]:
    """Measure a trained model that integrates at 1 to 16 steps and at guidance 1 to 5, the other as its config says.

    Models of the zoo that learned from the preset `name` are measured beside it. GenlibError where it does not
    integrate.
    """
    model = load(name)
    if not isinstance(model, Integrates):
        raise GenlibError(f"a {model.family} model draws in one step: it has no steps and no guidance to measure")
    config: Any = model.config
    asked = [(steps, config.guidance) for steps in STEPS] + [(config.steps, guidance) for guidance in GUIDANCE]
    asked = list(dict.fromkeys([(config.steps, config.guidance), *asked]))
    students = students_of(str(name))
    rows: list[Measured] = []
    parts = len(asked) + len(students)
    for steps, guidance in asked:
        figures = yield from part(_figures(model, n, steps=steps, guidance=guidance), len(rows), parts)
        count = evaluations(steps, config.solver, guidance)
        rows.append(Measured(str(name), steps, guidance, count, *figures))
    for student in students:
        figures = yield from part(_figures(load(student), n), len(rows), parts)
        rows.append(Measured(student, None, None, 1, *figures))
    return Settings(n, config.solver, tuple(rows))


def _figures(model: Model, n: int, **options: Any) -> Stages[tuple[dict[str, float], dict[str, float]]]:
    sets: list[dict[str, float]] = []
    for seed in SEEDS:
        figures, _ = yield from part(sample_figures(model, n, seed, **options), len(sets), len(SEEDS))
        sets.append(figures)
    found = over_sets(sets)
    return {key: found[key] for key in KEPT}, {key: found["spread"][key] for key in KEPT}


def keep_settings(name: str | Path, found: Settings) -> None:
    """Keep what was measured beside the model's weights."""
    directory = own_directory(name)
    kept = {
        "sha256": _sha256(directory),
        "samples": found.samples,
        "solver": found.solver,
        "rows": [asdict(row) for row in found.rows],
    }
    write_json(directory / FILE, kept)


def _sha256(directory: Path) -> str:
    """Of a model's weights."""
    return str(read_fields(directory / "config.json", {"sha256": TEXT}, ("sha256",))["sha256"])


def load_settings(name: str | Path) -> Settings | None:
    """What is kept of these very weights; None where nothing is. GenlibError where it is damaged."""
    directory = model_directory(name)
    if not (directory / FILE).is_file():
        return None
    kept = read_fields(directory / FILE, _FIELDS, _FIELDS)
    if kept["sha256"] != _sha256(directory):
        return None
    rows = tuple(Measured(**{key: row[key] for key in _ROW}) for row in kept["rows"])
    return Settings(kept["samples"], kept["solver"], rows)


_FIGURES = {key: at_least(0) for key in KEPT}
_ROW = {
    "model": TEXT,
    "steps": optional(whole(1)),
    "guidance": optional(NUMBER),
    "evaluations": whole(1),
    "figures": record_of(_FIGURES, KEPT, others=NUMBER),
    "spread": record_of(_FIGURES, KEPT, others=NUMBER),
}
_IS_ROW = record_of(_ROW, _ROW)
_SETTING = Kind(  # of which a student has neither part
    _IS_ROW.words, lambda value: _IS_ROW.fits(value) and (value["steps"] is None) == (value["guidance"] is None)
)
_FIELDS = {"sha256": TEXT, "samples": whole(1), "solver": WORD, "rows": list_of(_SETTING)}
