"""Fashion-MNIST: verified wherever it comes from, and one clear line where it cannot be had."""

from __future__ import annotations

import gzip
import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub
import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import torch
import torchvision.datasets
from PIL import Image

from genlib.data import CLASS_NAMES, FashionMNIST, parse_label, sources
from genlib.data.idx import build_idx, parse_idx
from genlib.data.sources import FILES, read_raw
from tests.tiny import refused

IMAGES = np.random.default_rng(0).integers(0, 256, (12, 28, 28), dtype=np.uint8)
LABELS = np.arange(12, dtype=np.uint8) % 10
IMAGES_FILE, LABELS_FILE = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


@pytest.fixture
def small_train(monkeypatch: pytest.MonkeyPatch) -> None:
    """A training split of 12 images passes for the official one, and the system's package is out of sight."""
    for kind, array in (("images", IMAGES), ("labels", LABELS)):
        name = FILES["train", kind][0]
        monkeypatch.setitem(FILES, ("train", kind), (name, hashlib.sha256(build_idx(array)).hexdigest()))
    monkeypatch.setattr(sources, "SYSTEM", ())


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The directory that GENLIB_DATA names."""
    directory = tmp_path / "given"
    directory.mkdir()
    monkeypatch.setenv("GENLIB_DATA", str(directory))
    return directory


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchvision.datasets, "FashionMNIST", _unreachable)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", _unreachable)


def _unreachable(*args: Any, **options: Any) -> None:
    raise OSError("Network is unreachable\nand a second line")


def _parquet(path: Path) -> str:
    """The Hub's form of the split: PNG bytes in a struct, and labels."""
    rows = []
    for image in IMAGES:
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "PNG")
        rows.append({"bytes": buffer.getvalue(), "path": None})
    pyarrow.parquet.write_table(pyarrow.table({"image": rows, "label": LABELS.astype(np.int64)}), path)
    return str(path)


def test_the_bundled_test_split_is_whole(test_split: FashionMNIST) -> None:
    assert test_split.images.shape == (10_000, 28, 28)
    assert test_split.images.dtype == torch.uint8
    assert test_split.labels.dtype == torch.int64
    assert test_split.labels.bincount().tolist() == [1000] * 10
    assert len(test_split) == 10_000


def test_the_bundled_test_split_is_the_official_one() -> None:
    for kind in ("images", "labels"):
        assert hashlib.sha256(read_raw("test", kind)).hexdigest() == FILES["test", kind][1]


def test_a_damaged_bundled_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    name = FILES["test", "labels"][0]
    original = (sources.BUNDLED / f"{name}.gz").read_bytes()
    monkeypatch.setattr(sources, "BUNDLED", tmp_path)
    with refused(f"{name}.gz cannot be read"):
        read_raw("test", "labels")
    (tmp_path / f"{name}.gz").write_bytes(original[:-100])
    with refused(f"{name}.gz cannot be read .*; delete it or replace it"):
        read_raw("test", "labels")


def test_an_unknown_split_is_refused() -> None:
    with refused('splits are "train" and "test"'):
        FashionMNIST.load("validation")


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"not gzip at all", "cannot be read"),
        (b"", "checksum differs|cannot be read"),
        (gzip.compress(build_idx(IMAGES))[:-50], "cannot be read"),
        (
            gzip.compress(build_idx(IMAGES))[:100] + b"\xff" * 50 + gzip.compress(build_idx(IMAGES))[150:],
            "cannot be read",
        ),
        (gzip.compress(build_idx(IMAGES[::-1])), "is not the official file .checksum differs."),
    ],
    ids=["not gzip", "empty", "truncated", "corrupt", "other content"],
)
@pytest.mark.usefixtures("small_train", "offline")
def test_a_bad_training_file_is_refused(content: bytes, match: str, given: Path) -> None:
    (given / f"{IMAGES_FILE}.gz").write_bytes(content)
    with refused(f"{IMAGES_FILE}.gz.*({match})"):
        read_raw("train", "images")


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.usefixtures("small_train", "offline")
def test_a_given_directory_without_the_file_is_refused(
    slash: str, given: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENLIB_DATA", str(given) + slash)
    with refused(f"GENLIB_DATA=.* holds no {IMAGES_FILE}.gz"):
        read_raw("train", "images")


def test_a_given_directory_must_exist(given: Path) -> None:
    given.rmdir()
    with refused("GENLIB_DATA=.* is not a directory"):
        read_raw("train", "images")


@pytest.mark.parametrize(("suffix", "pack"), [("", bytes), (".gz", gzip.compress)])
@pytest.mark.usefixtures("small_train", "offline")
def test_a_training_file_is_found_plain_or_compressed(suffix: str, pack: Callable[[bytes], bytes], given: Path) -> None:
    (given / f"{IMAGES_FILE}{suffix}").write_bytes(pack(build_idx(IMAGES)))
    assert np.array_equal(parse_idx(read_raw("train", "images"), "images"), IMAGES)


@pytest.mark.usefixtures("small_train", "offline")
def test_the_cache_and_the_systems_package_are_looked_into(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    system = tmp_path / "system"
    system.mkdir()
    (system / f"{LABELS_FILE}.gz").write_bytes(gzip.compress(build_idx(LABELS)))
    monkeypatch.setattr(sources, "SYSTEM", (system,))
    assert read_raw("train", "labels") == build_idx(LABELS)
    cache = sources.cache_directory() / "FashionMNIST" / "raw"
    cache.mkdir(parents=True)
    (cache / LABELS_FILE).write_bytes(b"a download that was cut off, in the cache, which comes first")
    assert read_raw("train", "labels") == build_idx(LABELS)
    assert not (cache / LABELS_FILE).exists()
    (system / f"{LABELS_FILE}.gz").write_bytes(b"not genlib's own to delete")
    with refused("cannot be read"):
        read_raw("train", "labels")
    assert (system / f"{LABELS_FILE}.gz").exists()


@pytest.mark.usefixtures("small_train", "offline")
def test_nothing_reachable_is_one_clear_line() -> None:
    lines: list[str] = []
    with refused("could not be fetched .*unreachable.*unreachable.*dataset-fashion-mnist or set GENLIB_DATA"):
        read_raw("train", "images", lines.append)
    assert [line.split(" from ")[1] for line in lines] == ["torchvision's mirrors", "the Hugging Face Hub"]


@pytest.mark.usefixtures("small_train", "offline")
def test_torchvisions_download_is_kept(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def download(root: str, train: bool, download: bool) -> None:
        print("chatter")
        raw = Path(root) / "FashionMNIST" / "raw"
        raw.mkdir(parents=True)
        (raw / f"{IMAGES_FILE}.gz").write_bytes(gzip.compress(build_idx(IMAGES)))

    monkeypatch.setattr(torchvision.datasets, "FashionMNIST", download)
    assert read_raw("train", "images") == build_idx(IMAGES)
    monkeypatch.setattr(torchvision.datasets, "FashionMNIST", _unreachable)
    assert read_raw("train", "images") == build_idx(IMAGES)
    assert capsys.readouterr().out == ""
    assert [path.name for path in sources.cache_directory().iterdir()] == ["FashionMNIST"]


@pytest.mark.usefixtures("small_train", "offline")
def test_the_hubs_copy_is_rebuilt_byte_for_byte(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", lambda *_, **__: _parquet(tmp_path / "train.parquet"))
    assert read_raw("train", "images") == build_idx(IMAGES)
    assert read_raw("train", "labels") == build_idx(LABELS)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", _unreachable)
    assert read_raw("train", "images") == build_idx(IMAGES)


@pytest.mark.parametrize("array", [LABELS, IMAGES, np.zeros((0, 3), np.uint8)], ids=["labels", "images", "empty"])
def test_idx_round_trip(array: np.ndarray) -> None:
    parsed = parse_idx(build_idx(array), "array")
    assert parsed.shape == array.shape
    assert np.array_equal(parsed, array)


def test_idx_is_big_endian() -> None:
    assert build_idx(np.full((2, 1), 7, np.uint8)) == b"\0\0\x08\x02\0\0\0\x02\0\0\0\x01\x07\x07"


@pytest.mark.parametrize(
    ("raw", "match"),
    [
        (b"", "not an IDX file"),
        (b"\0\0\x0d\x01\0\0\0\0", "not an IDX file of unsigned bytes"),
        (b"\x89PNG", "not an IDX file"),
        (build_idx(IMAGES)[:9], "the IDX header is cut off after 9 bytes"),
        (build_idx(LABELS)[:-1], "11 bytes of data where the header promises 12"),
        (build_idx(LABELS) + b"\0", "13 bytes of data where the header promises 12"),
    ],
)
def test_a_bad_idx_file_is_refused(raw: bytes, match: str) -> None:
    with refused(f"labels: {match}"):
        parse_idx(raw, "labels")


def test_classes_are_named_by_number_and_by_name() -> None:
    for number, name in enumerate(CLASS_NAMES):
        assert {parse_label(number), parse_label(str(number)), parse_label(f" {name.upper()} ")} == {number}


@pytest.mark.parametrize("text", ["10", "-1", "coatt", "", "1.0", "shirt/top"])
def test_an_unknown_class_is_refused(text: str) -> None:
    with refused("no class .*; classes are 0 T-shirt/top, 1 Trouser"):
        parse_label(text)
