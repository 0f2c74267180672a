"""Samples of any generator, in files: read as they are, or refused in a line; measured as a model's own are."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from genlib.__main__ import main
from genlib.data import FashionMNIST
from genlib.metrics.sample_files import open_samples, read_npz
from genlib.metrics.samples import measure_samples
from genlib.metrics.scores import look, score_set
from genlib.stages import finish
from tests.tiny import refused


def images(n: int = 40) -> np.ndarray:
    return FashionMNIST.load("test").images[:n].numpy()


def npz(path: Path, **arrays: Any) -> Path:
    np.savez_compressed(path, **arrays)
    return path


def test_an_npz_and_its_pngs_and_a_direct_measurement_agree(tmp_path: Path) -> None:
    (tmp_path / "pngs").mkdir()
    for i, image in enumerate(images()):
        Image.fromarray(image).save(tmp_path / "pngs" / f"{i:03d}.png")
    of_npz = finish(measure_samples(npz(tmp_path / "mine.npz", images=images())))
    assert finish(measure_samples(tmp_path / "pngs")) == of_npz
    expected = score_set(look(FashionMNIST.load("test").images[:40]))
    assert {key: of_npz[key] for key in expected} == pytest.approx(expected, abs=1e-6)
    assert (of_npz["samples"], of_npz["compared"], of_npz["floor"]["samples"]) == (40, 40, 20)


def test_labels_give_class_consistency(tmp_path: Path) -> None:
    labels = FashionMNIST.load("test").labels[:40].numpy().astype(np.uint8)
    found = finish(measure_samples(npz(tmp_path / "mine.npz", images=images(), labels=labels)))
    assert found["class_consistency"] > 0.8
    assert "balance_kl" not in found


BAD = {
    "floats": ({"images": images() / 255.0}, "images of type float64"),
    "shape": ({"images": images()[:, None]}, r"images has shape \(40, 1, 28, 28\), not \(N, 28, 28\)"),
    "another name": ({"x": images()}, r"no array 'images' \(it has 'x'\)"),
    "none": ({"images": images()[:0]}, "holds 0 images"),
    "few": ({"images": images()[:9]}, "a distance takes 10 images or more"),
    "labels of floats": ({"images": images(), "labels": np.zeros(40)}, "labels are 40 whole numbers from 0 to 9"),
    "too few labels": ({"images": images(), "labels": np.zeros(39, int)}, "labels are 40 whole numbers from 0 to 9"),
    "a label of 10": ({"images": images(), "labels": np.full(40, 10)}, "labels are 40 whole numbers from 0 to 9"),
    "labels of another name": (
        {"images": images(), "Label": np.zeros(40, int)},
        "labels are read from one called 'labels'",
    ),
    "objects": ({"images": np.array([None] * 40)}, "images has shape"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_measured_is_refused_in_a_line(case: str, tmp_path: Path) -> None:
    arrays, told = BAD[case]
    with refused(told):
        finish(measure_samples(npz(tmp_path / "mine.npz", **arrays)))


def test_other_paths_are_refused_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.npz").write_text("no archive")
    (tmp_path / "text.txt").write_text("")
    (tmp_path / "large").mkdir()
    Image.new("L", (32, 32)).save(tmp_path / "large" / "a.png")
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "a.png").write_bytes(b"\x89PNG")
    for name, told in {
        "empty": "holds no shards and no .png files",
        "text.npz": "not a readable .npz",
        "text.txt": "samples are a directory of shards or of .png files, or an .npz file",
        "missing": "there is no file or directory",
    }.items():
        with refused(told):
            open_samples(tmp_path / name)
    for name, told in {"large": "has 32 x 32 pixels", "torn": "is not a readable PNG"}.items():
        with refused(told):
            open_samples(tmp_path / name).read(0)


def test_what_is_too_large_is_not_unpacked() -> None:
    """A header that promises a terabyte, in an archive of a few bytes."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "|u1", "fortran_order": False, "shape": (1_300_000_000, 28, 28)}
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("images.npy", header.getvalue())
    with refused("holds 1300000000 images; 1 to 10,000 can be measured"):
        read_npz(file, "mine.npz", most=10_000)


def array(kind: str = "|u1", shape: str = "(10, 28, 28)", data: bytes = bytes(7840)) -> bytes:
    """An .npy whose header says what it likes."""
    text = f"{{'descr': {kind!r}, 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(127) + b"\n"
    return np.lib.format.magic(1, 0) + len(text).to_bytes(2, "little") + text + data


def archive(images: bytes, labels: bytes | None = None, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as made:
        for name, data in {"images": images, "labels": labels}.items():
            if data is not None:
                made.writestr(f"{name}.npy", data)
    return file.getvalue()


def encrypted(data: bytes) -> bytes:
    """Marked so at its beginning and in the archive's directory."""
    found = bytearray(data)
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        found[found.index(mark) + place] |= 1
    return bytes(found)


HOSTILE = {
    "more bytes than it says": (archive(array(data=bytes(5_000_000))), r"does not have the bytes of its shape"),
    "fewer": (archive(array(data=bytes(7839))), r"does not have the bytes of its shape"),
    "encrypted": (encrypted(archive(array())), "it is encrypted, or not packed as numpy"),
    "LZMA": (archive(array(), method=zipfile.ZIP_LZMA), "it is encrypted, or not packed as numpy"),
    "bzip2": (archive(array(), method=zipfile.ZIP_BZIP2), "it is encrypted, or not packed as numpy"),
    "a type of gigabytes": (archive(array("|V2147483647")), r"images of type \|V2147483647"),
    "labels of gigabytes": (archive(array(), array("<U500000000", "(10,)", b"")), "labels are 10 whole numbers"),
    "labels of durations": (archive(array(), array("<m8[s]", "(10,)", bytes(80))), "labels are 10 whole numbers"),
    "labels of labels": (archive(array(), array("|u1", "(10, 1)", bytes(10))), "labels are 10 whole numbers"),
    "deep": (archive(array(shape="(" * 4_000 + ")" * 4_000)), "mine.npz is not a readable .npz"),
    "long names": (
        archive(b"").replace(b"images.npy", b"\x1b[2J\n\n.npy"),
        r"no array 'images' \(it has '.x1b\[2J.n.n'\)",
    ),
    "no header": (archive(b""), "mine.npz is not a readable .npz"),
    "a shape of many digits": (archive(array(shape=f"({'9' * 5_000}, 28, 28)")), "mine.npz is not a readable .npz"),
    "hexadecimal": (archive(array(shape=f"(0x{'f' * 4_000}, 28, 28)")), "mine.npz holds"),
    "thousands of digits": (archive(array(shape=f"({'9' * 4_000}, 28, 28)")), "mine.npz holds 999"),
    "a long line": (archive(array(shape="('a'," + " " * 5_000 + ")")), "mine.npz is not a readable .npz"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_archive_is_refused_in_a_line(case: str) -> None:
    data, told = HOSTILE[case]
    with refused(told) as caught:
        read_npz(io.BytesIO(data), "mine.npz", most=10_000)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("order", "CF")
def test_every_order_of_bytes_and_of_rows_is_read(order: str) -> None:
    file = io.BytesIO()
    labels = np.arange(40, dtype=">i2") % 10
    np.savez(file, images=np.array(images(), order=order), labels=labels)  # type: ignore[call-overload]
    found, seen = read_npz(file, "mine.npz").read(0)
    assert np.array_equal(found, images())
    assert seen is not None and np.array_equal(seen, labels)


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, images=images(), labels=np.array([print] * 40, dtype=object))
    with refused("not a readable .npz|labels are 40 whole numbers"):
        open_samples(path)


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = npz(tmp_path / "mine.npz", images=images())
    assert main(["evaluate", "--samples", str(path), "--json", str(tmp_path / "f.json")]) == 0
    told = capsys.readouterr()
    assert "fd_second" in told.out and "photographs" in told.out
    assert "40 samples are few" in told.err
    assert json.loads((tmp_path / "f.json").read_text())["samples"] == 40


@pytest.mark.parametrize(
    "option",
    [["--n", "50"], ["--n", "0"], ["--score"], ["--inception"], ["--inception-weights", "nothing.pth"]],
    ids=" ".join,
)
def test_what_is_for_models_is_no_option_of_samples(
    option: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "--samples", str(npz(tmp_path / "mine.npz", images=images())), *option]) == 2
    assert capsys.readouterr().err == f"genlib: {option[0]} goes with models; all of --samples are measured, once\n"
