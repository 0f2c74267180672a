"""The static site: its files, its links, its sizes, and a second writing over the first."""

from __future__ import annotations

import json
import re
import shutil
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from genlib.__main__ import main
from genlib.errors import plain
from genlib.findings import shipped_findings
from genlib.images import read_png
from genlib.io.files import read_json
from genlib.live.export import PROGRAM_FILE, WEIGHTS_FILE, exported
from genlib.loading import model_directory, weights_directory
from genlib.publish.site.folder import DRAFT, ENGINE, LIST, MARKS, ROOT, TOP, _imported, write_site
from genlib.publish.site.html import from_markdown
from genlib.publish.site.live import default, live
from genlib.publish.site.shown import Shown
from genlib.zoo.figures import FIGURES, RANDOM, REAL
from genlib.zoo.trainings import PICTURE
from tests.tiny import SHIPPED, refused
from ui.controls import DEFAULT_MODEL

NAMES = ("cvae-cnn", "vae-gmm-2", "gan-dense-2")  # small; one takes a class, one is a mixture, one keeps an average
MOST = 200_000  # bytes before the first model's weights
UNLISTED = {LIST, "service-worker.js", ".nojekyll"}
MODEL_FILES = {"index.html", "program.json", "weights.safetensors", "samples.png", "progress.png"}


class Page(HTMLParser):
    """What a page links to, its anchors, its tables and its data."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: list[str] = []
        self.rows: list[list[str]] = []
        self.data: dict[str, str] = {}
        self._key: str | None = None
        self._cell = False
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.links += [str(given[key]) for key in ("href", "src") if key in given]
        self.anchors += [str(given["id"])] if "id" in given else []
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        self._cell = tag in ("td", "th") or (self._cell and tag in ("a", "b", "i", "code"))
        self._key = given.get("id") if given.get("type") == "application/json" else None

    def handle_endtag(self, tag: str) -> None:
        self._cell = self._cell and tag not in ("td", "th")
        self._key = None

    def handle_data(self, data: str) -> None:
        if self._cell:
            self.rows[-1][-1] += data
        if self._key:
            self.data[self._key] = self.data.get(self._key, "") + data


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "deep" / "folder"
    assert write_site(folder, NAMES) == {}
    return folder


def paths(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def pages(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.html"))


def test_the_folder_holds_the_site_and_no_more(site: Path) -> None:
    engine = {f"live/{path.name}" for path in (ROOT / ENGINE).iterdir() if path.suffix != ".c"}
    files = {f"models/{name}/{file}" for name in NAMES for file in MODEL_FILES}
    trainings = {f"models/{name}/{PICTURE}" for name in NAMES if (model_directory(name) / PICTURE).is_file()}
    assert trainings
    assert paths(site) == {*TOP, *engine, *files, *trainings}
    listed = json.loads((site / LIST).read_text())["files"]
    assert listed == {path: (site / path).stat().st_size for path in paths(site) - UNLISTED}
    for name in NAMES:
        for file in ("program.json", "weights.safetensors"):
            assert (site / "models" / name / file).read_bytes() == (exported(name) / file).read_bytes()


def test_every_link_leads_to_a_file_of_the_folder(site: Path) -> None:
    """Each is relative, so the folder may lie anywhere; what it names is there, anchors too."""
    seen = 0
    for path in pages(site):
        page = Page(path)
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme == "data":
                continue
            assert not parts.scheme
            assert not parts.netloc
            assert not parts.path.startswith("/")
            target = (path.parent / parts.path).resolve() if parts.path else path
            assert target.is_file(), (path.name, link)
            assert target.is_relative_to(site.resolve())
            assert not parts.fragment or parts.fragment in Page(target).anchors
            seen += 1
    assert seen > 50
    for script in site.rglob("*.js"):
        for name in re.findall(r'from "(\./.+)";', script.read_text("utf-8")):
            assert (script.parent / name).is_file(), (script.name, name)
    known = json.loads(Page(site / "index.html").data["models"])
    assert list(known) == ["gan-dense-2", "cvae-cnn", "vae-gmm-2"]  # best first
    for each in known.values():
        files = [site / each["folder"] / file for file in (PROGRAM_FILE, WEIGHTS_FILE)]
        assert sum(file.stat().st_size for file in files) == each["bytes"]
        assert (site / each["folder"] / "index.html").is_file()


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    for path in site.rglob("*"):
        if path.suffix in (".html", ".css", ".js"):
            assert "https://" not in path.read_text("utf-8"), path


def test_at_most_200_kb_come_before_the_first_models_weights(site: Path) -> None:
    """With the whole zoo in the picker: the page, its styles and scripts, the engine, and the largest program."""
    models = [Shown.of(name) for name in SHIPPED]
    sizes = {f"{model.folder}/{file}": 1 for model in models for file in ("program.json", "weights.safetensors")}
    page = live(models, sizes, [f"live/{module}" for module in _imported("page.js")])
    modules = {*_imported("page.js"), *_imported("worker.js"), "kernel.wasm", "page.css"}
    engine = [site / "live" / name for name in modules]
    shared = [site / name for name in ("live.js", "site.css")]
    program = max((exported(name) / "program.json").stat().st_size for name in NAMES)
    assert len(page.encode()) + sum(path.stat().st_size for path in [*engine, *shared]) + program < MOST
    assert default(models).name == DEFAULT_MODEL  # as in the studio


def test_the_size_of_all_is_said_before(site: Path) -> None:
    whole = sum(json.loads((site / LIST).read_text())["files"].values())
    (said,) = re.findall(r"Keep all models \((\d+) MB\)", (site / "index.html").read_text("utf-8"))
    assert abs(int(said) - whole / 1e6) < 1


def test_the_leaderboard_has_the_models_figures(site: Path) -> None:
    heads, real, *rows, random = Page(site / "leaderboard.html").rows
    assert {len(row) for row in (real, *rows, random)} == {len(heads)}
    assert [row[0] for row in (real, random)] == [REAL, RANDOM]
    assert [row[0] for row in rows] == ["gan-dense-2", "cvae-cnn", "vae-gmm-2"]
    metrics = read_json(weights_directory() / "cvae-cnn" / "metrics.json")
    cells = dict(zip(heads, rows[1], strict=True))
    assert cells["FD"] == f"{metrics['fd']:.2f} ± {metrics['fd_std']:.2f}"
    for key in ("kid", "recall", "class_consistency", "ssim", "parameters"):
        assert cells[FIGURES[key].short] == FIGURES[key].text(metrics[key])
    assert cells["raw FD"] == ""
    assert rows[0][heads.index("raw FD")]


def test_the_findings_have_their_verdicts(site: Path) -> None:
    text = (site / "findings.html").read_text("utf-8")
    judged = re.findall(r'id="claim-(\d+)".*?<p><b>. ([a-z ]+)</b></p>', text)
    found = shipped_findings()
    assert judged == [(str(each.claim.number), each.verdict) for each in found]
    holding = [each for each in found if each.verdict == "holds"]
    assert f"holds: {len(holding)} · " in text
    assert all(escape(part.figures).replace("+-", "±") in text for each in found for part in each.parts)


def test_a_card_has_figures_samples_and_the_training(site: Path) -> None:
    folder = site / "models" / "gan-dense-2"
    page = Page(folder / "index.html")
    metrics = read_json(weights_directory() / "gan-dense-2" / "metrics.json")
    assert ["... of the raw generator", f"{metrics['fd_raw']:.2f}"] in page.rows
    assert ["latent_size", "64", "numbers in a latent"] in page.rows
    past = json.loads(page.data["history"])
    recorded = read_json(weights_directory() / "gan-dense-2" / "history.json")
    assert past["epochs"] == recorded["sample_epochs"]
    assert len(past["told"]) == len(past["places"]) == len(past["epochs"])
    last = recorded["epochs"][-1]
    assert past["told"][-1].startswith(f"Frechet distance {last['fd']:.2f}; raw generator {last['fd_raw']:.2f}. Loss: ")
    fitted = json.loads(Page(site / "models" / "vae-gmm-2" / "index.html").data["history"])
    assert re.fullmatch(r"Frechet distance \d+\.\d\d\. Log-likelihood -?\d+\.\d\.", fitted["told"][-1])
    across, *down = zip(*past["places"], strict=True)
    assert list(across) == sorted(across)
    assert len(down) == past["rows"] == 2
    height, width = read_png(folder / "progress.png").shape
    assert (height, width) == (28 * len(past["epochs"]), 280 * past["rows"])
    text = (folder / "index.html").read_text("utf-8")
    assert "<code>study.json</code>" in text
    assert "Against its study" in text
    assert "**" not in text


def test_a_run_is_shown_by_its_directory(tmp_path: Path) -> None:
    """A name that HTML, an address and JSON would each take for more than a name."""
    run = shutil.copytree(weights_directory() / "vae-gmm-2", tmp_path / "a <b>&'c'")
    assert write_site(tmp_path / "site", [str(run)]) == {}
    (page,) = (path for path in pages(tmp_path / "site") if path.parent.parent.name == "models")
    assert page.parent.name == "a--b---c-"
    assert "a &lt;b&gt;&amp;&#x27;c&#x27;</h1>" in page.read_text("utf-8")
    assert list(json.loads(Page(tmp_path / "site" / "index.html").data["models"])) == ["a <b>&'c'"]
    assert "../../index.html?model=a%20%3Cb%3E%26%27c%27" in Page(page).links
    other = shutil.copytree(run, tmp_path / "more" / "a <b>&'c'")
    with refused("two models would be shown as a <b>&'c'"):
        write_site(tmp_path / "site", [str(run), str(other)])


def test_a_site_is_written_over_and_nothing_else_is_touched(site: Path, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    write_site(folder, NAMES[:2])
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("mine")
    (folder / "CNAME").write_text("mine")
    write_site(folder, NAMES[1:])
    assert paths(folder) == paths(site) - {f"models/{NAMES[0]}/{file}" for file in MODEL_FILES} | {
        ".git/config",
        "CNAME",
    }
    assert not (folder / "models" / NAMES[0]).exists()
    assert {(folder / name).read_text() for name in (".git/config", "CNAME")} == {"mine"}


def killed(*_: object) -> None:
    raise SystemError("killed")


def test_a_writing_that_fails_or_is_killed_leaves_the_site_that_was_there(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(site, tmp_path / "site")
    before = {path: (folder / path).read_bytes() for path in paths(folder)}
    with refused("no model 'nope'"):
        write_site(folder, [NAMES[0], "nope"])
    assert {path: (folder / path).read_bytes() for path in paths(folder)} == before
    with monkeypatch.context() as patch, pytest.raises(SystemError):
        patch.setattr("genlib.publish.site.folder._write_pages", killed)
        patch.setattr("genlib.publish.site.folder.shutil.rmtree", lambda *_, **__: None)
        write_site(folder, NAMES[:1])
    assert (folder / DRAFT / "models").is_dir()
    assert {path: (folder / path).read_bytes() for path in before} == before
    write_site(folder, NAMES)  # over what the killed one left
    assert {path: (folder / path).read_bytes() for path in paths(folder)} == before


@pytest.mark.parametrize("moved", [0, 20])
def test_a_writing_killed_while_it_takes_the_others_place_leaves_nothing_behind(
    moved: int, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "site"
    write_site(folder, NAMES[:2])
    replace, done = Path.replace, iter(range(10_000))

    def until_killed(path: Path, target: Path) -> Path:
        if next(done) >= moved:
            killed()
        return replace(path, target)

    with monkeypatch.context() as patch, pytest.raises(SystemError):
        patch.setattr(Path, "replace", until_killed)
        write_site(folder, NAMES[1:])
    write_site(folder, NAMES[:1])
    write_site(tmp_path / "new", NAMES[:1])
    assert paths(folder) == paths(tmp_path / "new")


def test_a_first_writing_killed_at_its_list_is_no_folder_of_someone_else(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    (folder / DRAFT).mkdir(parents=True)
    torn = folder / f".{LIST}.77.88.tmp"
    torn.write_text("{")
    write_site(folder, NAMES[:1])
    assert not torn.exists() and (folder / "index.html").is_file()
    torn.write_text("{")
    write_site(folder, NAMES[:1])
    assert not torn.exists()


@pytest.mark.parametrize("listed", ['{"thesis.tex": 9}', '{"index.html": 9, "thesis.tex": 9}', "3"])
def test_a_list_of_another_programs_files_is_no_site(listed: str, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    (tmp_path / LIST).write_text(f'{{"files": {listed}}}')
    (tmp_path / ".draft").mkdir()
    with refused("is not empty and holds no site"):
        write_site(tmp_path, NAMES[:1])
    assert sorted(path.name for path in tmp_path.iterdir()) == [".draft", LIST, "thesis.tex"]


def test_another_version_has_another_cache(site: Path, tmp_path: Path) -> None:
    """The worker's text differs where anything does, which is how a browser knows; the same is written alike."""
    write_site(tmp_path / "same", NAMES)
    write_site(tmp_path / "other", NAMES[:2])
    folders = (site, tmp_path / "same", tmp_path / "other")
    worker, same, other = ((folder / "service-worker.js").read_bytes() for folder in folders)
    assert worker == same != other
    assert json.loads((site / LIST).read_text())["version"].encode() in worker


def assert_refused(capsys: pytest.CaptureFixture[str], told: str, *arguments: object) -> None:
    assert main(["site", *map(str, arguments)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert told in line


def test_bad_input_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    assert_refused(capsys, "mine is not empty and holds no site", "--out", tmp_path / "mine", NAMES[0])
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]
    assert_refused(capsys, "cannot write", "--out", tmp_path / "mine" / "notes.txt", NAMES[0])
    assert_refused(capsys, "no model 'nope'", "--out", tmp_path / "new", "nope")
    assert_refused(capsys, "--out", NAMES[0])
    (tmp_path / "evil").mkdir()
    (tmp_path / "evil" / LIST).write_text(json.dumps({"files": dict.fromkeys([*MARKS, "../mine/notes.txt"], 4)}))
    assert_refused(capsys, "leads out of", "--out", tmp_path / "evil", NAMES[0])
    assert (tmp_path / "mine" / "notes.txt").exists()


def test_a_damaged_model_is_left_out_or_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("vae-gmm-2", "cvae-cnn"):
        shutil.copytree(weights_directory() / name, tmp_path / "zoo" / name)
    (tmp_path / "zoo" / "cvae-cnn" / "metrics.json").write_text('{"fd": 1}')
    monkeypatch.setenv("GENLIB_WEIGHTS", str(tmp_path / "zoo"))
    out = tmp_path / "site"
    assert main(["site", "--out", str(out)]) == 0
    told = capsys.readouterr()
    assert told.err.startswith("cvae-cnn is left out: ") and "metrics.json: it has no " in told.err
    assert f"python -m http.server --directory {out}" in told.out
    assert [path.name for path in (out / "models").iterdir()] == ["vae-gmm-2"]
    assert_refused(capsys, "metrics.json: it has no ", "--out", tmp_path / "named", "cvae-cnn")
    (tmp_path / "zoo" / "vae-gmm-2" / "metrics.json").unlink()
    assert_refused(capsys, "no trained model is here to be shown", "--out", tmp_path / "none")


def test_a_site_needs_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genlib.publish.site.folder.ROOT", tmp_path)
    with refused("a site is built from a checkout of genlib"):
        write_site(tmp_path / "site", NAMES)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**Mind:** a `lr`", "<p><b>Mind:</b> a <code>lr</code></p>"),
        (plain("a*b* [x](y) <b> ~2 `c`"), "<p>a*b* [x](y) &lt;b&gt; ~2 `c`</p>"),
        (f"**{plain('**')}** & {plain('#')}", "<p><b>**</b> &amp; #</p>"),
        (plain("a*\0*b"), "<p>a* *b</p>"),
    ],
)
def test_markdown_of_a_card_is_html(text: str, html: str) -> None:
    assert from_markdown(text) == html
