"""What pages say in numbers of a model's other trainings: how far another training would have moved a figure.

Kept beside the model's weights in trainings.json, at the pages' usual settings: the other trainings' weights are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from genlib.errors import GenlibError
from genlib.io.fields import NUMBER, list_of, optional, read_fields, table_of
from genlib.io.files import write_json
from genlib.loading import model_directory, own_directory
from genlib.model import capabilities
from genlib.questions.discriminator import Discriminator
from genlib.questions.diversity import Diversity
from genlib.questions.keeping import loaded, remembering
from genlib.questions.latent import Latent
from genlib.questions.question import Figures
from genlib.questions.variation import Variation
from genlib.zoo.files import OF_TRAININGS

FILE = OF_TRAININGS[1]
Asked = Discriminator | Latent | Diversity | Variation
ASKED: tuple[type[Asked], ...] = (Discriminator, Latent, Diversity, Variation)
_KINDS = {"figures": list_of(table_of(table_of(list_of(optional(NUMBER)))))}


def keep_figures(name: str | Path, runs: Sequence[str | Path]) -> None:
    """Keep what the pages say of other trainings of a model, in place of what was kept before.

    Which runs those may be, `keep_trainings` checks.
    """
    found = [figures_of(str(model_directory(run))) for run in runs]
    write_json(own_directory(name) / FILE, {"figures": found})


def figures_of(name: str) -> dict[str, Figures]:
    """What the pages say in numbers of a model, by the question's name."""
    with remembering():
        can = set(capabilities(loaded(name)))
        return {each.NAME: each(name).figures() for each in ASKED if not each.needs() or can & set(each.needs())}


def other_figures(question: Asked) -> list[Figures]:
    """What the question's page says, at its usual settings, of each other training of the model that was kept.

    None of a model that was trained once; or where the file is damaged, for the page can do without.
    """
    own = _shape(question.figures())
    with suppress(GenlibError):
        kept = read_fields(model_directory(question.asked_model) / FILE, _KINDS, _KINDS)["figures"]
        return [found for each in kept if _shape(found := each.get(question.NAME, {})) == own]
    return []


def _shape(figures: Figures) -> dict[str, int]:
    return {key: len(values) for key, values in figures.items()}
