"""Any number of samples on disk, in shards that are written whole or not at all.

Shard k holds samples 10,000 k, ... of a seed, as `sample --out F.npz` writes them; memory holds one at a time. Several
processes (torchrun) take the shards in turn, and what is there already is not drawn again.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genlib.data import parse_label
from genlib.distributed import Processes
from genlib.errors import GenlibError, shown, whole
from genlib.images import npz_bytes
from genlib.io import fields
from genlib.io.arrays import open_arrays
from genlib.io.fields import TEXT, TRUTH, optional, read_fields
from genlib.io.files import make_directory, read_file, read_json, torn_files, write_file, write_json
from genlib.io.locks import locked
from genlib.loading import load, model_directory
from genlib.model import N_CLASSES, Conditional
from genlib.noise import MAX_SEED, check_seed
from genlib.sampling import generate

SHARD = 10_000
MOST = 1_000_000_000
INDEX = "shards.json"
LARGEST = 40_000_000  # bytes of a shard; its pictures and labels, not compressed, are eight million


def write_shards(
    name: str | Path, directory: str | Path, n: int, seed: int = 0, label: int | None = None, device: str = "auto"
) -> Iterator[int]:
    """Write samples 0, ..., n - 1 of a seed; yields how many images of this process' share are there.

    Goes on where it was stopped. Raises GenlibError for a directory that holds anything else, or that another call
    is writing to.
    """
    n = whole("n", n, 1, MOST)
    target, processes = Path(directory), Processes.join(device)
    model = load(name, device=str(processes.device))
    labelled = isinstance(model, Conditional)
    if label is not None:
        if not labelled:
            raise GenlibError(f"a {model.family} model takes no label")
        label = parse_label(label)
    digest = read_json(model_directory(name) / "config.json")["sha256"]
    index = {"model": str(name), "sha256": digest, "seed": check_seed(seed), "n": n, "labelled": labelled}
    done = 0
    with ExitStack() as alone:
        processes.lead(lambda: alone.enter_context(_begun(target, index | {"label": label})))
        for start in starts(n, processes):
            count = min(SHARD, n - start)
            path = shard_path(target, start)
            if not _is_whole(path, count, labelled):
                images, labels = generate(model, count, seed, label, start=start)
                arrays = {"images": images.numpy()} | ({} if labels is None else {"labels": labels.numpy()})
                write_file(path, npz_bytes(**arrays))
            done += count
            yield done
        processes.wait()


def starts(n: int, processes: Processes) -> range:
    """The first samples of this process' shards."""
    return range(processes.index * SHARD, n, processes.count * SHARD)


def shard_path(directory: Path, start: int) -> Path:
    """The file that begins with a sample."""
    return directory / f"{start // SHARD:06d}.npz"


@contextmanager
def _begun(directory: Path, index: dict[str, Any]) -> Iterator[None]:
    """Make the directory, or find in it what an earlier call with the same words began; no other may write there."""
    make_directory(directory)
    with locked(directory, 0.0, f"another process is writing samples to {directory}; wait, or give a new directory"):
        _begin(directory, index)
        yield


def _begin(directory: Path, index: dict[str, Any]) -> None:
    known = directory / INDEX
    if not set(directory.iterdir()) - set(torn_files(directory)):
        write_json(known, index)
    elif not known.is_file():
        raise GenlibError(f"{directory} is not empty and holds no shards; give a new directory")
    elif changed := [key for key, value in index.items() if read_json(known).get(key) != value]:
        found = read_json(known).get(changed[0])
        raise GenlibError(f"{directory} holds samples with {changed[0]} {shown(found)}, not {shown(index[changed[0]])}")
    for torn in torn_files(directory):
        torn.unlink(missing_ok=True)


_FIELDS = {
    **{"model": TEXT, "sha256": TEXT, "seed": fields.whole(0, MAX_SEED), "n": fields.whole(1, MOST)},
    **{"labelled": TRUTH, "label": optional(fields.whole(0, N_CLASSES - 1))},
}


def read_index(directory: Path) -> dict[str, Any]:
    """The index of a directory whose shards are all there."""
    if not (directory / INDEX).is_file():
        raise GenlibError(f"{directory} holds no shards; write some with: sample NAME --n N --out {directory}/")
    found = read_fields(directory / INDEX, _FIELDS, ("n", "labelled"))
    index = {key: found[key] for key in _FIELDS if key in found}
    missing = sum(not shard_path(directory, start).is_file() for start in range(0, index["n"], SHARD))
    if missing:
        raise GenlibError(f"{directory} lacks {missing} shards; the command that began it goes on with it")
    return index


def _is_whole(path: Path, count: int, labelled: bool) -> bool:
    """Whether a shard has been written and not damaged since; its checksums are read."""
    if not path.is_file():
        return False
    try:
        read_shard(path, count, labelled)
    except GenlibError:
        return False
    return True


def read_shard(path: Path, count: int, labelled: bool) -> tuple[Tensor, Tensor | None]:
    """Images uint8 (count, 28, 28), and labels int64 (count,) where there should be some."""
    wanted = {"images": ((count, 28, 28), "|u1")} | ({"labels": ((count,), "<i8")} if labelled else {})
    try:
        with open_arrays(io.BytesIO(read_file(path, LARGEST)), path.name) as arrays:
            found = {key: arrays.header(key) for key in wanted}
            if any((header.shape, header.dtype.str) != wanted[key] for key, header in found.items()):
                raise GenlibError(f"it does not hold {count} images of 28 x 28 bytes")
            tensors = {key: torch.from_numpy(arrays.read(key)) for key in wanted}
        if labelled and not bool(((tensors["labels"] >= 0) & (tensors["labels"] < N_CLASSES)).all()):
            raise GenlibError(f"its labels are not from 0 to {N_CLASSES - 1}")
    except GenlibError as error:
        raise GenlibError(f"the shard {path} is damaged; the command that wrote it repairs it") from error
    return tensors["images"], tensors.get("labels")
