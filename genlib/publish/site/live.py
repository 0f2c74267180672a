"""The first page: the live grid, with a picker of models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from genlib.live.export import PROGRAM_FILE, WEIGHTS_FILE
from genlib.model import capabilities
from genlib.models import students_of
from genlib.noise import MAX_SEED
from genlib.publish.site.html import embedded, filled, whole_page
from genlib.publish.site.shown import Shown, best_first, by_family
from genlib.zoo.entry import capitalised
from genlib.zoo.figures import written


def live(models: Sequence[Shown], sizes: Mapping[str, int], modules: Sequence[str]) -> str:
    """The page. `sizes` has the bytes of the site's other files by path, `modules` the paths of what it imports."""
    families = by_family(models)
    first = default(models)
    options = "".join(
        f'<optgroup label="{escape(capitalised(family))}">'
        f"{''.join(_option(model, model is first, sizes) for model in group)}</optgroup>"
        for family, group in families
    )
    known = {model.name: _known(model, models, sizes) for _, group in families for model in group}
    everything = sum(sizes.values())
    body = filled(
        "index.html",
        options=options,
        models=embedded(known),
        most_seed=MAX_SEED,
        size=f"{everything / 1e6:.0f}",
    )
    sheets = '<link rel="stylesheet" href="live/page.css">'
    head = "\n".join([sheets, *(f'<link rel="modulepreload" href="{module}">' for module in modules)])
    told = "Generative models of garments that draw in your browser, at the speed of your hand."
    return whole_page("index.html", "genlib: garments drawn in your browser", told, body, head)


def default(models: Sequence[Shown]) -> Shown:
    """The model that the page opens with: the best that draws in one step, if there is one."""
    ranked = best_first(models)
    return next((each for each in ranked if "integrates" not in capabilities(each.preset.model_class)), ranked[0])


def _known(model: Shown, models: Sequence[Shown], sizes: Mapping[str, int]) -> dict[str, object]:
    """What the page's script needs of a model; a student that is among the models draws for it while a hand moves."""
    here = [each.name for each in models]
    return {
        "distance": written(model.metrics, "fd"),
        "student": next((student for student in students_of(model.name) if student in here), None),
        "folder": model.folder,
        "bytes": _bytes(model, sizes),
        "about": model.about,
    }


def _bytes(model: Shown, sizes: Mapping[str, int]) -> int:
    return sum(sizes[f"{model.folder}/{file}"] for file in (PROGRAM_FILE, WEIGHTS_FILE))


def _option(model: Shown, chosen: bool, sizes: Mapping[str, int]) -> str:
    text = f"{model.name} (FD {written(model.metrics, 'fd')}, {_bytes(model, sizes) / 1e6:.1f} MB)"
    return f'<option value="{escape(model.name)}"{" selected" if chosen else ""}>{escape(text)}</option>'
