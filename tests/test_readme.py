"""What README.md and docs/ tell to type works: Python as written, commands as written or at least as parsed."""

from __future__ import annotations

import ast
import re
import shlex
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

from genlib import model as registry
from genlib.__main__ import _parser, main
from genlib.io.locks import INHERITED
from genlib.jobs.limits import _NUMBERS
from genlib.live.export import program_of
from genlib.loading import is_repository

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXTS = {page.name: page.read_text("utf-8") for page in PAGES}
PROGRAM = ("python", "-m", "genlib")
MINUTES = {"train", "evaluate", "findings", "push", "space", "site"}  # or a network: only parsed
MILLIONS = 100_000  # samples that take minutes, too
LAUNCHERS = {"torchrun", "accelerate"}  # of several processes
OTHERS = {"python3", ".venv/bin/python", "docker", "hf", "pip", "ghp-import", "."}  # what sets up, and what is not ours


def blocks(language: str) -> list[tuple[str, str]]:
    """The fenced blocks of a language: (page, text without its indentation)."""
    found = [
        (name, indent, body)
        for name, text in TEXTS.items()
        for indent, body in re.findall(rf"^( *)```{language}\n(.*?)^ *```$", text, re.S | re.M)
    ]
    return [(name, re.sub(rf"^{indent}", "", body, flags=re.M)) for name, indent, body in found]


LINES = {tuple(shlex.split(line, comments=True)): None for _, body in blocks("sh") for line in body.splitlines()}
COMMANDS = [list(line) for line in LINES if line]
STARTED = [command for command in COMMANDS if tuple(command[:3]) == PROGRAM or command[0] in LAUNCHERS]
OURS = list(map(list, dict.fromkeys(tuple(command[command.index("genlib") + 1 :]) for command in STARTED)))
DRAWN = [command for command in OURS if command[0] not in MINUTES and not any(map(is_repository, command[1:2]))]
HERE = [command for command in DRAWN if not "".join(command[1:2]).startswith("runs/")]  # no run is
RUN = [command for command in HERE if "--n" not in command or int(command[command.index("--n") + 1]) < MILLIONS]
PYTHON = [body for _, body in blocks("python")]


def trains(code: str) -> bool:
    return "genlib.train(" in code


def test_there_is_something_to_try() -> None:
    assert len(PYTHON) >= 3
    assert {command[0] for command in RUN} == {
        *("list", "sample", "interpolate", "directions", "latent", "reconstruct", "diversity", "discriminator"),
        *("compare", "export", "path", "variation"),
    }


@pytest.mark.parametrize("command", RUN, ids=" ".join)
def test_a_command_runs_as_written(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(command) == 0
    out = [tmp_path / command[command.index("--out") + 1]] if "--out" in command else []
    assert list(tmp_path.iterdir()) == out
    assert out or capsys.readouterr().out


@pytest.mark.parametrize("command", OURS, ids=" ".join)
def test_the_parser_knows_a_command(command: list[str]) -> None:
    assert _parser().parse_args(command).run


def test_every_other_command_is_known() -> None:
    """A line that begins with something new has to be thought about here."""
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M)
    for command in COMMANDS:
        if command[0] == "make":
            assert command[1] in targets
        elif command not in STARTED:
            assert command[0] in OTHERS


@pytest.mark.parametrize("code", [code for code in PYTHON if "@register" not in code and not trains(code)])
def test_python_runs_as_written(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found: dict[str, object] = {"__name__": "__main__"}
    exec(compile(code, "README.md", "exec", dont_inherit=True), found)
    assert tuple(found["images"].shape) == (64, 28, 28)  # type: ignore[attr-defined]
    assert tuple(found["labels"].shape) == (64,)  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.parametrize("code", list(filter(trains, PYTHON)))
def test_a_training_runs_as_written(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec", dont_inherit=True), {"__name__": "__main__"})
    assert capsys.readouterr().out.splitlines()[-1].startswith("Done(")
    assert (tmp_path / "runs/first/model.safetensors").is_file()


def test_the_example_model_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """It enters a registry of its own, draws, and its training lowers its loss."""
    (code,) = (code for code in PYTHON if "@register" in code)
    families, presets = dict(registry.families()), dict(registry.presets())
    monkeypatch.setattr(registry, "FAMILIES", families)
    monkeypatch.setattr(registry, "PRESETS", presets)
    monkeypatch.setitem(sys.modules, "pixels", ModuleType("pixels"))
    exec(compile(code, "adding-a-model.md", "exec", dont_inherit=True), sys.modules["pixels"].__dict__)
    made = presets["pixels"].build()
    assert made.sample(made.draw_latent(3, seed=0)).shape == (3, 1, 28, 28)
    assert program_of(made)[1].shape == (1, 28, 28)
    optimizer = made.configure_optimizers()["pixels"]

    def descend(loss: torch.Tensor, name: str) -> None:
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    x = torch.full((4, 1, 28, 28), -0.7)
    first, *_, last = (made.train_step(x, torch.zeros(4), descend)["loss"] for _ in range(20))
    assert last < first


def test_every_block_of_python_is_python() -> None:
    for code in PYTHON:
        assert ast.parse(code).body


@pytest.mark.parametrize("name", TEXTS)
def test_every_link_leads_somewhere(name: str) -> None:
    (page,) = (page for page in PAGES if page.name == name)
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", TEXTS[name]):
        assert target.startswith("https://") or (page.parent / target).exists(), target


def test_every_variable_is_in_the_table_and_no_other() -> None:
    """Those of the limits are put together from their fields' names."""
    sources = "\n".join(path.read_text("utf-8") for path in (ROOT / "genlib").rglob("*.py"))
    read = set(re.findall(r'"((?:GENLIB_[A-Z_]*[A-Z])|XDG_CACHE_HOME)"', sources))
    read |= {f"GENLIB_TRAINING_{name.upper()}" for name in _NUMBERS}
    told = set(re.findall(r"^\| `([A-Z_]+)` \|", TEXTS["training.md"], re.M))
    assert told == read - {INHERITED}  # which a worker has from its parent
