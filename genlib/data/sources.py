"""Where the four files come from, each verified by the SHA-256 of its decompressed content.

The content, not the .gz, is hashed: mirrors compress the same bytes differently.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from genlib.data.idx import build_idx
from genlib.errors import GenlibError
from genlib.io.files import write_file

Progress = Callable[[str], None] | None

BUNDLED = Path(__file__).parent
SYSTEM = (Path("/usr/share/datasets/fashion-mnist"), Path("/usr/local/share/datasets/fashion-mnist"))
HUB_REPOSITORY = "zalando-datasets/fashion_mnist"

FILES = {
    ("train", "images"): (
        "train-images-idx3-ubyte",
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    ),
    ("train", "labels"): (
        "train-labels-idx1-ubyte",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    ),
    ("test", "images"): (
        "t10k-images-idx3-ubyte",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    ),
    ("test", "labels"): (
        "t10k-labels-idx1-ubyte",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
}


def cache_directory() -> Path:
    """Where downloads are kept: $XDG_CACHE_HOME/genlib or ~/.cache/genlib."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "genlib"


def _downloads() -> Path:
    return cache_directory() / "FashionMNIST" / "raw"  # where torchvision puts them


def read_raw(split: str, kind: str, progress: Progress = None) -> bytes:
    """The verified, decompressed IDX file of a split's "images" or "labels".

    Raises GenlibError, in one line, where a file found is damaged or no source is reachable.
    """
    name, digest = FILES[split, kind]
    if split == "test":
        return _verified(_read(BUNDLED / f"{name}.gz"), digest, BUNDLED / f"{name}.gz")
    for directory in _local_directories():
        for path in (directory / f"{name}.gz", directory / name):
            try:
                if path.is_file():
                    return _verified(_read(path), digest, path)
            except GenlibError:
                if directory != _downloads():
                    raise
                path.unlink(missing_ok=True)  # of a download that was cut off: it is fetched again
        if directory == Path(os.environ.get("GENLIB_DATA") or os.devnull):
            raise GenlibError(f"GENLIB_DATA={directory} holds no {name}.gz and no {name}")
    return _fetch(name, digest, progress)


def is_local(split: str) -> bool:
    """Whether the split's files are in one of the places that are looked at before any download."""
    names = [FILES[split, kind][0] for kind in ("images", "labels")]
    places = list(_local_directories())
    return all(any((place / f"{name}{end}").is_file() for place in places for end in (".gz", "")) for name in names)


def _local_directories() -> Iterator[Path]:
    """Directories to look in, first to last: the user's own word, the cache, then the system's package."""
    if given := os.environ.get("GENLIB_DATA"):
        if not Path(given).is_dir():
            raise GenlibError(f"GENLIB_DATA={given} is not a directory")
        yield Path(given)
    yield _downloads()
    yield from SYSTEM


def _read(path: Path) -> bytes:
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if path.suffix == ".gz" else data
    except (OSError, EOFError, zlib.error) as error:
        raise GenlibError(f"{path} cannot be read ({error}); delete it or replace it with the original") from error


def _verified(raw: bytes, digest: str, origin: object) -> bytes:
    if hashlib.sha256(raw).hexdigest() != digest:
        raise GenlibError(f"{origin} is not the official file (checksum differs); delete or replace it")
    return raw


def _fetch(name: str, digest: str, progress: Progress) -> bytes:
    """Download through torchvision, else from the Hub, into the cache; each is verified before it is kept."""
    failures = []
    for source, download in (("torchvision's mirrors", _from_torchvision), ("the Hugging Face Hub", _from_hub)):
        if progress:
            progress(f"fetching {name} from {source}")
        try:
            return _verified(download(name), digest, f"{name} from {source}")
        except Exception as error:  # any network, proxy or format failure moves on to the next source
            failures.append(f"{source}: {_first_line(error)}")
    raise GenlibError(
        f"the training split is not on this machine and could not be fetched ({'; '.join(failures)}); "
        "install Debian's dataset-fashion-mnist or set GENLIB_DATA to a directory that holds the four IDX files"
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:120]


def _from_torchvision(name: str) -> bytes:
    """torchvision checks its own MD5 and draws its progress bar on stderr; what it prints is for a terminal.

    It writes as it receives: what comes whole is moved to the cache, where others may be looking.
    """
    from torchvision.datasets import FashionMNIST as Official

    cache_directory().mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="download-", dir=cache_directory()) as fresh:
        with contextlib.redirect_stdout(io.StringIO()):
            Official(fresh, train=True, download=True)
        raw = _read(Path(fresh) / "FashionMNIST" / "raw" / f"{name}.gz")
        _downloads().mkdir(parents=True, exist_ok=True)
        for path in Path(fresh).rglob("*.gz"):
            os.replace(path, _downloads() / path.name)
    return raw


def _from_hub(name: str) -> bytes:
    """Rebuild the IDX file from the data set's parquet: PNG-encoded images and their labels."""
    import pyarrow.parquet
    from huggingface_hub import hf_hub_download
    from PIL import Image

    part = "fashion_mnist/train-00000-of-00001.parquet"
    table = pyarrow.parquet.read_table(hf_hub_download(HUB_REPOSITORY, part, repo_type="dataset"))
    if "labels" in name:
        raw = build_idx(table["label"].to_numpy().astype(np.uint8))
    else:
        rows = table["image"].to_pylist()
        raw = build_idx(np.stack([np.asarray(Image.open(io.BytesIO(row["bytes"])).convert("L")) for row in rows]))
    _downloads().mkdir(parents=True, exist_ok=True)
    write_file(_downloads() / name, raw)
    return raw
