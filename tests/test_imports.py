"""Imports run one way, pages -> ui -> genlib, and in no circle; genlib knows no browser."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NUMBERS = {"torch", "torchvision", "numpy", "sklearn", "scipy"}
BROWSER = {"streamlit", "plotly", "ui", "pages"}


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def for_types(node: ast.AST) -> bool:
    """Whether a statement is read by type checkers alone."""
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def statements(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not for_types(child):
            yield child
            yield from statements(child)


def imported(path: Path) -> Iterator[str]:
    """Full names of the modules a file imports, anywhere in it, but for what type checkers alone read."""
    package = path.relative_to(ROOT).parent.parts
    for node in statements(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*base, *filter(None, [node.module])))
            yield from (f"{module}.{alias.name}" for alias in node.names)


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def files_by_imports(folder: str) -> dict[str, set[str]]:
    """Each module of a folder with those of the folder that it imports."""
    modules = {module_name(path): path for path in sources(folder)}
    graph: dict[str, set[str]] = {}
    for name, path in modules.items():
        found = {whole if whole in modules else whole.rpartition(".")[0] for whole in imported(path)}
        graph[name] = (found & modules.keys()) - {name}
    return graph


def room(module: str) -> str:
    """The folder of a module, or for one that lies in none, itself."""
    return ".".join(module.split(".")[:2])


def roots(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imported(path)}


def offences(paths: list[Path], forbidden: set[str]) -> list[str]:
    return [f"{path.relative_to(ROOT)} imports {name}" for path in paths for name in sorted(roots(path) & forbidden)]


def test_the_walk_sees_every_form_of_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    (tmp_path / "ui").mkdir()
    path = tmp_path / "ui" / "m.py"
    path.write_text(
        "import a.b, c as d\nfrom e.f import g\nfrom . import h\nfrom .i import j\nif d:\n    import l\n"
        "if TYPE_CHECKING:\n    import m\n"
    )
    assert set(imported(path)) == {"a.b", "c", "e.f.g", "ui.h", "ui.i.j", "l"}


@pytest.mark.parametrize("folder", ["genlib", "ui"])
def test_files_and_rooms_import_in_no_circle(folder: str) -> None:
    files = files_by_imports(folder)
    assert sum(map(len, files.values())) > len(files)
    TopologicalSorter(files).prepare()  # raises CycleError, which names the circle
    rooms: dict[str, set[str]] = {}
    for name, others in files.items():
        rooms.setdefault(room(name), set()).update(room(other) for other in others if room(other) != room(name))
    TopologicalSorter(rooms).prepare()


def test_genlib_never_imports_the_browsers_side() -> None:
    assert len(sources("genlib")) > 20
    assert offences(sources("genlib"), BROWSER) == []


def test_pages_import_streamlit_and_ui_alone() -> None:
    pages = [*sources("pages"), ROOT / "app.py"]
    allowed = {"streamlit", "ui"} | sys.stdlib_module_names
    assert [f"{path.name} imports {name}" for path in pages for name in sorted(roots(path) - allowed)] == []


def test_pages_do_no_numerics() -> None:
    assert offences([*sources("pages"), ROOT / "app.py"], NUMBERS) == []


def test_ui_knows_no_page() -> None:
    assert offences(sources("ui"), {"pages", "app"}) == []


def test_models_metrics_and_analyses_import_one_way() -> None:
    """Analyses look at images through the metrics' frozen classifier; nothing else crosses."""
    folders = ("models", "analysis", "metrics")
    found = [
        f"{path.relative_to(ROOT)} imports {name}"
        for folder in folders
        for path in sources(f"genlib/{folder}")
        for name in imported(path)
        for other in folders
        if other != folder and (name + ".").startswith(f"genlib.{other}.")
        if (folder, other) != ("analysis", "metrics")
    ]
    assert found == []


def test_a_model_file_knows_no_other() -> None:
    files = {name: others for name, others in files_by_imports("genlib").items() if room(name) == "genlib.models"}
    found = {name: others & files.keys() - {"genlib.models"} for name, others in files.items()}
    assert len(found) > 8 and not any(found.values()), found


IMPORT_ALL = """
import pkgutil, sys, importlib
import genlib
assert "torch" not in sys.modules, "import genlib alone loads torch"
for module in pkgutil.walk_packages(genlib.__path__, "genlib."):
    importlib.import_module(module.name)
assert "streamlit" not in sys.modules, "genlib loads streamlit"
assert "sklearn" not in sys.modules, "genlib loads scikit-learn before it is used"
print(len([name for name in sys.modules if name.startswith("genlib.")]))
"""


def test_importing_genlib_is_light() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORT_ALL], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 20


SHAPES = """
import sys
import genlib
from genlib.models import presets
from genlib.model import shapes_only
with shapes_only():
    models = [preset.build() for preset in presets().values()]
assert len(models) > 20 and all(tensor.is_meta for model in models for tensor in model.state_dict().values())
genlib.list_models(), genlib.load("dcgan-32"), genlib.load("gmm-10")
loaded = {"torch._dynamo", "sympy"} & set(sys.modules)
assert not loaded, f"{loaded}: an initial weight is made by an operation that the meta device decomposes"
"""


def test_shapes_alone_do_not_load_the_compiler() -> None:
    """It takes as long to import as torch itself, before the first picture of the studio and every line of `list`."""
    done = subprocess.run([sys.executable, "-c", SHAPES], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_public_names_are_there() -> None:
    import genlib

    for name in genlib.__all__:
        assert getattr(genlib, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nosuch'"):
        _ = genlib.nosuch


def test_plotly_comes_with_the_pandas_that_it_looks_for() -> None:
    """Else it fails on a cold server where another visitor's page is importing pandas."""
    offenders = [path.name for path in sources("ui") if "plotly" in roots(path)]
    assert offenders == ["charts.py"]
    assert list(imported(ROOT / "ui" / "charts.py")) == ["pandas", "plotly.graph_objects"]
