"""Messages that a visitor may read name files, and not where they lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from genlib.errors import GenlibError, without_places

PLACE = "Kunde 42, (A & B) it's [ours]; today"  # no form tells where such a folder ends


CASES = [
    ("cannot write /home/jo smith/runs/x/job.json: full", "cannot write job.json: full"),
    ("cannot write /srv/app(1)/a,b/o'neil/[x]/{y}/z:1/runs/m.json: full", "cannot write m.json: full"),
    ("cannot make the directory of runs /srv/geheim/: no", "cannot make the directory of runs geheim/: no"),
    ("[Errno 13] Permission denied: '/srv/o'neil/a/.draft'", "[Errno 13] Permission denied: '.draft'"),
    ("""[Errno 2] No such file: "/srv/o'neil/x y z t/u.json" (b)""", """[Errno 2] No such file: "u.json" (b)"""),
    ('File "/usr/lib/python3/x.py", line 3, in f', 'File "x.py", line 3, in f'),
    ("/usr/lib/x/y.py:12: UserWarning: a/b of c", "y.py:12: UserWarning: a/b of c"),
    ("cannot open file:///home/u/x.db", "cannot open x.db"),
    ("PATH=/usr/lib/a:/opt/b/c; ~/d/e ~jo/f (/g/h)", "PATH=a:c; e f (h)"),
    ("see \\\\host\\share\\x C:\\Users\\jo\\x D:/a b/y.txt", "see x x y.txt"),
    (r"[Errno 2] No such file: 'C:\\Users\\jo smith\\x.txt'", "[Errno 2] No such file: 'x.txt'"),
    ("GENLIB_DATA=/nowhere is not a directory", "GENLIB_DATA=nowhere is not a directory"),
    (
        "see https://github.com/a/b, http://[::1]:80/a or file a",
        "see https://github.com/a/b, http://[::1]:80/a or file a",
    ),
    (
        "unable to mmap 9 bytes from file </srv/runs/a/last.safetensors>: no",
        "unable to mmap 9 bytes from file <last.safetensors>: no",
    ),
    ("3/4, and/or, a / b, ../up/x, ./y, runs/z, </b>", "3/4, and/or, a / b, ../up/x, ./y, runs/z, </b>"),
]


# numbered, for the environment has the running test's name, and would have the paths for places it was told of
@pytest.mark.parametrize(("text", "plain"), CASES, ids=map(str, range(len(CASES))))
def test_a_path_is_known_by_its_form(text: str, plain: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "https://github.com:80/")  # is no place
    assert without_places(text) == plain


@pytest.mark.parametrize("variable", ["GENLIB_RUNS", "GENLIB_DATA", "HF_HOME", "HOME", "TMPDIR", "PATH"])
@pytest.mark.parametrize("relative", [False, True])
def test_a_place_that_the_process_was_told_of_is_known_whatever_its_name(
    variable: str, relative: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, link = tmp_path / PLACE / "in 5 words or six", tmp_path / "link"
    place.mkdir(parents=True)
    link.symlink_to(place)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(variable, f"{link.relative_to(tmp_path) if relative else link}")
    for each in (link, place):
        assert without_places(f"cannot write {each}/a/b.json: full") == "cannot write b.json: full"
    assert without_places(f"{variable}={place} is no directory") == f"{variable}={place.name} is no directory"
    monkeypatch.chdir(place)
    monkeypatch.delenv(variable)
    assert without_places(f"cannot write {place}/a/b.json: full") == "cannot write b.json: full"


@pytest.mark.parametrize("part", ["\\", "/", "/a b", "'C:/x", "/a: b", "~"])
def test_no_message_takes_long(part: str) -> None:
    """A pattern that goes back over what it has read would take minutes."""
    assert len(without_places(part * 20_000)) <= 100_000


def test_a_working_directory_that_is_gone_stops_no_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    (tmp_path / "here").rmdir()
    assert without_places(f"cannot write {tmp_path}/a/b.json: full") == "cannot write b.json: full"


def test_a_message_is_one_line_whatever_name_it_quotes() -> None:
    assert str(GenlibError("a\nb/c\x1b[2J\u2028 on the Hub: é 服")) == "a b/c [2J  on the Hub: é 服"
