"""Links and commands that people have keep their answers: each gives what it gave when `kept.json` was written.

`python -m tests.pages.test_kept` writes it anew, for a link or a command that is new.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from PIL import Image

from genlib.__main__ import main
from tests.pages.studio import assert_healthy, controls, open_page, shared
from tests.tiny import thinned

KEPT = Path(__file__).with_name("kept.json")
LINKS = {  # by page and what of it; not the defaults, so that a control that is lost is noticed
    "generate": {"seed": "7", "label": "Coat", "mix": "Bag", "share": "0.3", "t": "0.8", "d2": "1.5", "n": "20"},
    "generate by a flow": {"model": "flow-unet", "nfe": "3", "solver": "euler", "guidance": "2.5", "n": "4"},
    "dataset": {"label": "Bag", "n": "7", "seed": "42"},
    "diversity": {"model": "cgan-mlp", "per": "5", "seed": "2"},
    "mixtures": {"model": "gmm-10", "component": "4", "t": "0.6", "seed": "5"},
    "reconstruct": {"model": "vae-cnn", "count": "5"},
    "reconstruct by searching": {"label": "Bag", "first": "70", "count": "2", "fresh": "true", "seed": "4"},
    "discriminator": {"model": "cgan-mlp", "images": "500", "threshold": "0.4", "seed": "1"},
    "history": {"model": "vae-cnn", "epoch": "3"},
    "latent": {"model": "vae-cnn", "points": "500", "label": "Bag"},
    "interpolate": {"from": "Shirt", "to": "Coat", "seed": "9"},
    "compare": {"label": "Bag", "seed": "3", "family": "VAE"},
    "path": {"label": "Coat", "nfe": "3", "solver": "euler", "guidance": "2.5", "at": "1", "seed": "7"},
}
COMMANDS = {
    "sample": "cgan-mlp --n 7 --seed 3 --label Coat --temperature 0.7",
    "interpolate": "vae-cnn --seed 4 --rows 2 --steps 5 --path straight --equal features",
    "path": "flow-unet --seed 2 --n 1 --label Bag --steps 2 --solver euler --guidance 2",
    "directions": "cgan-mlp --seed 5 --n 1",
    "latent": "vae-cnn --seed 2 --n 500 --label 8",
    "diversity": "cgan-mlp --seed 2 --n 3",
    "discriminator": "dcgan-32 --seed 1 --n 40 --threshold 0.4 --norm batch",
    "reconstruct": "vae-cnn --n 3",
    "compare": "--seed 3 --label Bag --family VAE --each 5",
}
FEW = ({"diversity", "mixtures"}, {"sample", "diversity"})  # for every run of the tests


def measures(png: bytes) -> dict[str, Any]:
    """A picture's size, and the mean gray of each of its sixteen parts."""
    gray = np.asarray(Image.open(io.BytesIO(png)).convert("L")).astype(float)
    parts = [part.mean() for rows in np.array_split(gray, 4) for part in np.array_split(rows, 4, axis=1)]
    return {"size": list(gray.shape), "grays": [round(part, 1) for part in parts]}


def of_a_link(name: str, patch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a link opens: every control, the link and the files it offers, and its picture."""
    from ui import share as sharing

    files: dict[str, Callable[[], bytes]] = {}
    button = sharing._button

    def offer(name: str, maker: Callable[[], bytes], ready: bool) -> None:
        files[name] = maker
        button(name, maker, ready)

    patch.setattr(sharing, "_button", offer)
    app = open_page(name.split()[0], LINKS[name])
    assert_healthy(app)
    picture = next(make for name, make in files.items() if name.endswith(".png"))
    return {
        "controls": controls(app),
        "link": shared(app)[1],
        "files": list(files),
        "picture": measures(picture()),
    }


def of_a_command(name: str, line: str, directory: Path) -> dict[str, Any]:
    """The picture that a command writes."""
    out = directory / "out.png"
    assert main([name, *line.split(), "--out", str(out)]) == 0
    return measures(out.read_bytes())


def assert_same_picture(found: dict[str, Any], kept: dict[str, Any]) -> None:
    assert found["size"] == kept["size"]
    assert found["grays"] == pytest.approx(kept["grays"], abs=0.5)


@pytest.mark.parametrize(("name",), thinned(zip(LINKS), lambda name: name in FEW[0]), ids=list(LINKS))
def test_a_link_opens_what_it_opened(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found, kept = of_a_link(name, monkeypatch), json.loads(KEPT.read_text("utf-8"))["links"][name]
    assert_same_picture(found.pop("picture"), kept.pop("picture"))
    assert found == kept


@pytest.mark.parametrize(("name",), thinned(zip(COMMANDS), lambda name: name in FEW[1]), ids=list(COMMANDS))
def test_a_command_writes_what_it_wrote(name: str, tmp_path: Path) -> None:
    kept = json.loads(KEPT.read_text("utf-8"))["commands"][name]
    assert_same_picture(of_a_command(name, COMMANDS[name], tmp_path), kept)


if __name__ == "__main__":
    found: dict[str, dict[str, Any]] = {"links": {}, "commands": {}}
    for name in LINKS:
        with pytest.MonkeyPatch.context() as patch:
            found["links"][name] = of_a_link(name, patch)
    for name, line in COMMANDS.items():
        with TemporaryDirectory() as directory:
            found["commands"][name] = of_a_command(name, line, Path(directory))
    KEPT.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")
