"""The Space's folder and its Dockerfile. No container is built here; what the Dockerfile says is parsed and run."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import yaml

from genlib.__main__ import main
from genlib.loading import weights_directory
from genlib.publish.space import DIRECTORIES, FILES, write_folder
from tests.hub import READER, WRITER, Hub, Repository
from tests.test_hub import hub, writer  # noqa: F401  # fixtures
from tests.tiny import SHIPPED, refused

ROOT = Path(__file__).parent.parent
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}  # that the Hub knows


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions in order, continued lines joined and comments left out."""
    text = "\n".join(line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.startswith("#"))
    lines = text.replace("\\\n", " ").splitlines()
    return [(kind, rest.strip()) for kind, _, rest in (line.partition(" ") for line in lines if line.strip())]


def only(kind: str) -> str:
    (found,) = [rest for each, rest in instructions() if each == kind]
    return found


def environment() -> dict[str, str]:
    """What the Dockerfile's ENV lines set."""
    pairs = [pair for kind, rest in instructions() if kind == "ENV" for pair in shlex.split(rest)]
    return dict(pair.split("=", 1) for pair in pairs)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("space") / "folder"
    write_folder(folder, "me/studio")
    return folder


def test_the_folder_holds_what_the_app_needs_and_no_more(folder: Path) -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    written = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {path.partition("/")[0] for path in written} == {*DIRECTORIES, *FILES, "weights", "README.md"}
    assert {"app.py", "requirements.txt", "LICENSE", "Dockerfile"} <= set(FILES)
    assert {"static/live/kernel.wasm", "static/live/page.js", "static/live/page.css"} <= written
    if tracked:  # not where the sources were unpacked without git
        wanted = (*FILES, *(f"{name}/" for name in (*DIRECTORIES, *(f"weights/{name}" for name in SHIPPED))))
        assert {path for path in tracked if path.startswith(wanted)} <= written
    assert not [path for path in written if "__pycache__" in path or path.endswith(("secrets.toml", ".pyc"))]
    assert sorted(path.name for path in (folder / "weights").iterdir()) == sorted(SHIPPED)
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 120_000_000


def test_what_lies_beside_is_not_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens, checkpoints, logs, and what links lead to."""
    root, zoo = tmp_path / "root", tmp_path / "zoo"
    shutil.copytree(weights_directory() / "ae-cnn", zoo / "ae-cnn")
    for name in (*FILES, "ui/a.py", ".streamlit/config.toml", "pages/b.py", "genlib/c/d.py", "static/e.js"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "f.py").write_text("TOKEN")
    monkeypatch.setattr("genlib.publish.space.ROOT", root)
    monkeypatch.setenv("GENLIB_WEIGHTS", str(zoo))
    write_folder(tmp_path / "before", "me/studio")
    below = ("ui/.env", "ui/.a.py", "ui/.git/a.py", "ui/notes.txt", ".streamlit/secrets.toml", "genlib/c/d.pyc")
    for path in (*(root / name for name in below), zoo / "ae-cnn/checkpoint/last.safetensors", zoo / "ae-cnn/log.txt"):
        path.parent.mkdir(exist_ok=True)
        path.write_text("TOKEN")
    (root / "pages" / "link").symlink_to(tmp_path / "secret")
    (root / "pages" / "link.txt").symlink_to(tmp_path / "secret" / "f.py")
    write_folder(tmp_path / "after", "me/studio")
    before, after = (
        {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
        for folder in (tmp_path / "before", tmp_path / "after")
    )
    assert before == after >= {"genlib/c/d.py", "weights/ae-cnn/samples.png", "ui/a.py"}
    (root / "pages" / "link.py").symlink_to(tmp_path / "secret" / "f.py")
    with refused("'link.py' leads out of"):
        write_folder(tmp_path / "link", "me/studio")
    (root / "pages" / "link.py").unlink()
    (zoo / "ae-cnn" / "samples.png").unlink()
    (zoo / "ae-cnn" / "samples.png").symlink_to(tmp_path / "secret" / "f.py")
    with refused("'samples.png' leads out of"):
        write_folder(tmp_path / "model", "me/studio")
    (zoo / "ae-cnn" / "samples.png").unlink()
    with refused("^ae-cnn lacks samples.png: what can be published is a finished run$"):
        write_folder(tmp_path / "lacking", "me/studio")
    assert not (tmp_path / "lacking").exists()


def test_the_settings_are_those_the_hub_knows(folder: Path) -> None:
    _, matter, text = (folder / "README.md").read_text().split("---\n", 2)
    settings: dict[str, Any] = yaml.safe_load(matter)
    assert {settings["colorFrom"], settings["colorTo"]} <= COLOURS
    assert (settings["sdk"], settings["app_port"], settings["license"]) == ("docker", 8501, "mit")
    assert settings["suggested_hardware"] == "cpu-basic"
    assert settings["pinned"] is False
    assert 10 < len(settings["short_description"]) <= 60
    assert settings["models"] == [f"me/genlib-{name}" for name in SHIPPED]
    assert settings["datasets"] == ["zalando-datasets/fashion_mnist"]
    assert "# genlib studio" in text


def test_a_folder_is_never_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    assert main(["space", "me/studio", "--dry-run", str(tmp_path)]) == 2
    assert f"{tmp_path} is not empty" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    with refused("cannot write"):
        write_folder(tmp_path / "mine.txt" / "below", "me/studio")
    with refused("cannot publish as 'studio'"):
        write_folder(tmp_path / "new", "studio")


def test_nothing_damaged_is_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(weights_directory() / "ae-cnn", tmp_path / "zoo" / "ae-cnn")
    monkeypatch.setenv("GENLIB_WEIGHTS", str(tmp_path / "zoo"))
    (tmp_path / "zoo" / "ae-cnn" / "model.safetensors").write_bytes(b"torn")
    with refused("model.safetensors is damaged"):
        write_folder(tmp_path / "new", "me/studio")
    assert not (tmp_path / "new").exists()


def test_a_space_is_created_and_replaced(
    hub: Hub,  # noqa: F811
    writer: None,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copytree(weights_directory() / "ae-cnn", tmp_path / "zoo" / "ae-cnn")
    monkeypatch.setenv("GENLIB_WEIGHTS", str(tmp_path / "zoo"))
    assert main(["space", "me/studio"]) == 0
    assert capsys.readouterr().out.strip() == f"{hub.url}/spaces/me/studio"
    space = hub.repositories["spaces/me/studio"]
    assert (space.created["sdk"], space.created["type"]) == ("docker", "space")
    assert {"Dockerfile", "README.md", "app.py", "weights/ae-cnn/model.safetensors"} <= space.files.keys()
    assert space.files["Dockerfile"] == (ROOT / "Dockerfile").read_bytes()
    space.add({"pages/gone.py": b"", "weights/gone/config.json": b"", "NOTES.md": b"the owner's own"})
    assert main(["space", "me/studio"]) == 0
    assert not [path for path in space.files if "gone" in path]
    assert "NOTES.md" in space.files


@pytest.fixture
def zoo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Two small models, as if they were all."""
    for name in ("vae-gmm-2", "cvae-cnn"):
        shutil.copytree(weights_directory() / name, tmp_path / "zoo" / name)
    monkeypatch.setenv("GENLIB_WEIGHTS", str(tmp_path / "zoo"))
    return tmp_path / "zoo"


def test_a_static_space_is_what_the_hub_wants(zoo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "static"
    assert main(["space", "me/live", "--static", "--dry-run", str(folder)]) == 0
    assert capsys.readouterr().out == f"{folder} holds what would be published as me/live\n"
    _, matter, text = (folder / "README.md").read_text().split("---\n", 2)
    settings: dict[str, Any] = yaml.safe_load(matter)
    assert {settings["colorFrom"], settings["colorTo"]} <= COLOURS
    assert (settings["sdk"], settings["license"], settings["pinned"]) == ("static", "mit", False)
    assert (folder / settings["app_file"]).is_file()
    assert 10 < len(settings["short_description"]) <= 60
    assert settings["models"] == ["me/genlib-cvae-cnn", "me/genlib-vae-gmm-2"]
    assert settings["datasets"] == ["zalando-datasets/fashion_mnist"]
    assert not settings.keys() & {"app_port", "suggested_hardware", "sdk_version"}
    assert "# genlib live" in text
    assert {path.name for path in (folder / "models").iterdir()} == {"cvae-cnn", "vae-gmm-2"}
    assert main(["space", "me/live", "--static", "--dry-run", str(folder)]) == 0  # written over
    (folder / "README.md").write_text("my own words")
    assert main(["space", "me/live", "--static", "--dry-run", str(folder)]) == 2
    assert "README.md is not a Space's; name another directory" in capsys.readouterr().err
    assert (folder / "README.md").read_text() == "my own words"
    (zoo / "cvae-cnn" / "metrics.json").write_text("{")
    assert main(["space", "me/live", "--static", "--dry-run", str(tmp_path / "damaged")]) == 2  # nothing in part
    assert "metrics.json is not readable JSON" in capsys.readouterr().err


@pytest.mark.parametrize("kind", [[], ["--static"]])
@pytest.mark.parametrize("name", ["studio", "me/", "me/a/b", "me/..", "me/a b"])
def test_a_bad_name_is_one_line(name: str, kind: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["space", name, *kind, "--dry-run", str(tmp_path / "folder")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"cannot publish as {name!r}" in line
    assert not (tmp_path / "folder").exists()


def test_a_static_space_is_created_and_replaced(
    hub: Hub,  # noqa: F811
    writer: None,  # noqa: F811
    zoo: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["space", "me/live", "--static"]) == 0
    assert capsys.readouterr().out.strip() == f"{hub.url}/spaces/me/live"
    space = hub.repositories["spaces/me/live"]
    assert (space.created["sdk"], space.created["type"]) == ("static", "space")
    assert {"index.html", "README.md", "live/kernel.wasm", "models/cvae-cnn/weights.safetensors"} <= space.files.keys()
    shutil.rmtree(zoo / "vae-gmm-2")
    space.add({"models/gone/index.html": b"", "NOTES.md": b"the owner's own"})
    assert main(["space", "me/live", "--static"]) == 0
    assert not [path for path in space.files if "gone" in path or "vae-gmm-2" in path]
    assert "NOTES.md" in space.files
    assert main(["space", "me/live"]) == 0  # the studio in its place, and back
    assert {"Dockerfile", "static/live/kernel.wasm", "NOTES.md"} <= space.files.keys()
    assert "index.html" not in space.files
    assert b"sdk: docker" in space.files["README.md"]
    assert main(["space", "me/live", "--static"]) == 0
    assert not [path for path in space.files if path.startswith(("app.py", "Dockerfile", "genlib/", "weights/"))]
    assert b"sdk: static" in space.files["README.md"]


def test_a_new_space_of_the_hubs_page_is_filled_and_anothers_is_not(
    hub: Hub,  # noqa: F811
    writer: None,  # noqa: F811
    zoo: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    blank = hub.repositories["spaces/me/live"] = Repository()
    blank.add({"README.md": b"", ".gitattributes": b"", "index.html": b"<h1>Welcome", "style.css": b""})
    assert main(["space", "me/live", "--static"]) == 0
    assert b"genlib" in blank.files["index.html"]
    other = hub.repositories["spaces/me/poems"] = Repository()
    other.add({"README.md": b"", "poems.py": b""})
    capsys.readouterr()
    assert main(["space", "me/poems", "--static"]) == 2
    assert "genlib did not publish; take another name" in capsys.readouterr().err
    assert other.files.keys() == {"README.md", "poems.py"}
    own = hub.repositories["spaces/me/thesis"] = Repository()  # of a new one's files, but written since
    own.add({"README.md": b"", "index.html": b"<h1>Welcome"})
    own.add({"index.html": b"<h1>My thesis"})
    assert main(["space", "me/thesis", "--static"]) == 2
    assert "genlib did not publish; take another name" in capsys.readouterr().err
    assert own.files["index.html"] == b"<h1>My thesis"


@pytest.mark.parametrize(
    ("token", "status", "kind", "told"),
    [
        (
            None,
            0,
            "--static",
            "publishing needs a token with write permission: log in with `hf auth login` or set HF_TOKEN",
        ),
        ("hf_unknown", 0, "--static", "the Hub does not know your token; log in with"),
        (READER, 0, "--static", "your token may not write there: it needs the right to write"),
        (WRITER, 402, "--static", "its owner's plan does not include it; huggingface.co/pricing"),
        (WRITER, 402, None, "a static one is free: python -m genlib space me/live --static"),
        (WRITER, 500, "--static", "the Hub answers 500"),
    ],
)
def test_what_the_hub_refuses_is_one_line_that_says_what_to_do(
    hub: Hub,  # noqa: F811
    zoo: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    token: str | None,
    status: int,
    kind: str | None,
    told: str,
) -> None:
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    hub.no_repositories = status
    assert main(["space", "me/live", *([kind] if kind else [])]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert told in line
    assert "spaces/me/live" not in hub.repositories


def test_the_dockerfile_is_one_that_spaces_run() -> None:
    steps = instructions()
    assert steps[0] == ("FROM", "python:3.11-slim")
    assert only("EXPOSE") == "8501"
    assert only("USER") == "user"
    assert "useradd --create-home --uid 1000 user" in " ".join(rest for kind, rest in steps if kind == "RUN")
    assert json.loads(only("ENTRYPOINT")) == ["tini", "--"]  # the first process waits for those that nobody else does
    command = json.loads(only("CMD"))
    assert command[:5] == ["python", "-m", "streamlit", "run", "app.py"]
    assert {"--server.address=0.0.0.0", "--server.port=8501"} < set(command)
    assert [rest for kind, rest in steps if kind == "COPY"] == ["requirements.txt /tmp/requirements.txt", ". ."]


def test_what_the_dockerfile_copies_is_let_through() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = {line[1:] for line in lines if line.startswith("!")}
    assert "*" in lines
    assert allowed == {*DIRECTORIES, *FILES, "weights"} - {"Dockerfile", ".dockerignore"}


def test_torch_is_installed_without_cuda_from_the_pinned_versions() -> None:
    """The RUN line's own shell picks the pins; both are found, or pip would take the CUDA wheels for a missing one."""
    install = next(rest for kind, rest in instructions() if kind == "RUN")
    assert re.search(r"--index-url \S+/whl/cpu -r /tmp/torch.txt", install)
    pattern = re.search(r"grep -E '(.+?)'", install)
    assert pattern is not None
    pins = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if re.search(pattern[1], line)]
    assert [pin.partition("==")[0] for pin in pins] == ["torch", "torchvision"]


def test_what_is_written_is_in_the_home() -> None:
    found = environment()
    home = found["HOME"]
    assert home == "/home/user"
    assert all(found[name].startswith(home) for name in ("XDG_CACHE_HOME", "HF_HOME", "GENLIB_RUNS"))
    assert found["GENLIB_TRAINING"] == "off"


@pytest.mark.slow
def test_the_dockerfiles_command_serves_from_a_tree_it_may_only_read(folder: Path, tmp_path: Path) -> None:
    """The very CMD and HEALTHCHECK, on a free port, in the Dockerfile's environment with a home of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    moved = {key: text.replace("/home/user", str(tmp_path)) for key, text in environment().items()}
    app = shutil.copytree(folder, tmp_path / "app")
    for path in [app, *app.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    command, check = ([part.replace("8501", port) for part in json.loads(text)] for text in (only("CMD"), health()))
    surroundings = {"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1"} | moved
    server = subprocess.Popen([sys.executable, *command[1:]], cwd=app, env=surroundings, stdout=subprocess.DEVNULL)
    try:
        for _ in range(100):
            healthy = subprocess.run([sys.executable, *check[1:]], check=False, stderr=subprocess.DEVNULL)
            if healthy.returncode == 0 or server.poll() is not None:
                break
            time.sleep(0.3)
        assert healthy.returncode == 0
        with urlopen(f"http://127.0.0.1:{port}/generate", timeout=10) as page:
            assert b"<title>Streamlit</title>" in page.read()
            assert "_streamlit_xsrf" not in (page.headers["Set-Cookie"] or "")
    finally:
        server.terminate()
        server.wait(20)
        for path in [app, *app.rglob("*")]:
            path.chmod(0o755)
    dead = subprocess.run([sys.executable, *check[1:]], check=False, stderr=subprocess.DEVNULL)
    assert dead.returncode != 0


def health() -> str:
    return only("HEALTHCHECK").partition("CMD")[2].strip()
