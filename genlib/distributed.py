"""The processes of one data-parallel training, started by torchrun or `accelerate launch`; mostly there is one.

Hugging Face Accelerate makes the group (NCCL between GPUs, gloo between CPUs) and moves the tensors. Each process has
the whole model and its share of every batch; what they exchange is a gradient a descent and the losses of a step.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor

from genlib.errors import GenlibError
from genlib.model import resolve_device

T = TypeVar("T")
E = TypeVar("E")
_LOST = "another process of this training has ended; the last checkpoint is kept, continue with --resume"


class Lost(GenlibError):
    """Another process of the group has ended; `index` is that of the one which noticed."""

    def __init__(self, index: int) -> None:
        super().__init__(_LOST)
        self.index = index


class ToldByFirst(GenlibError):
    """What the first process met, in another one: one line for the user is enough."""


@dataclass(frozen=True)
class Processes:
    """This process among all: `index` of `count`, on its own device."""

    device: torch.device
    index: int = 0
    count: int = 1

    @classmethod
    def join(cls, device: str = "auto") -> Processes:
        """This process alone, or its place in the group that $WORLD_SIZE tells of; joining twice is joining once."""
        place = resolve_device(device)
        try:
            count = int(os.environ.get("WORLD_SIZE", "1"))
        except ValueError as error:
            raise GenlibError(f"WORLD_SIZE takes a whole number, not {os.environ['WORLD_SIZE'][:40]!r}") from error
        if count == 1:
            return cls(place)
        try:
            from accelerate import PartialState
        except ImportError as error:
            raise GenlibError("several processes need Accelerate: pip install 'genlib[distributed]'") from error
        try:
            state = PartialState(cpu=place.type == "cpu")
        except (RuntimeError, ValueError) as error:
            raise GenlibError(f"the {count} processes did not find each other: {str(error).splitlines()[0]}") from error
        atexit.register(_leave)
        return cls(state.device, state.process_index, state.num_processes)

    @property
    def leads(self) -> bool:
        """Whether this is the first process, which writes, measures and reports for all."""
        return self.index == 0

    def mean(self, tensors: list[Tensor]) -> list[Tensor]:
        """The mean over all processes of each tensor, exchanged as one."""
        return self._reduced(tensors, "mean")

    def sum(self, tensors: list[Tensor]) -> list[Tensor]:
        """The sum over all processes of each tensor, exchanged as one."""
        return self._reduced(tensors, "sum")

    def _reduced(self, tensors: list[Tensor], how: str) -> list[Tensor]:
        if self.count == 1:
            return tensors
        from accelerate.utils import reduce

        with self._others_there():
            flat = reduce(torch.cat([tensor.flatten() for tensor in tensors]), how)
        parts = flat.split([tensor.numel() for tensor in tensors])
        return [part.view(tensor.shape) for part, tensor in zip(parts, tensors, strict=True)]

    def lead(self, work: Callable[[], T]) -> T:
        """What some work gives in the first process, which alone does it, in all; or the GenlibError that it meets."""
        if self.count == 1:
            return work()
        from accelerate.utils import broadcast_object_list

        told: list[Any] = [None, None]
        if self.leads:
            try:
                told[0] = work()
            except GenlibError as error:
                told[1] = str(error)
        with self._others_there():
            broadcast_object_list(told)
        if told[1] is not None:
            raise (GenlibError if self.leads else ToldByFirst)(told[1])
        return told[0]

    def lead_on(self, work: Callable[[], Generator[E, None, T]]) -> Generator[E, None, T]:
        """`lead` for work that yields on its way, in the first process alone."""
        told: list[T] = []
        failed: GenlibError | None = None
        if self.leads:
            try:
                told.append((yield from work()))
            except GenlibError as error:
                failed = error

        def tell() -> T:
            if failed:
                raise failed
            return told[0]

        return self.lead(tell)

    def wait(self) -> None:
        """Until every process is here."""
        self.lead(lambda: None)

    @contextmanager
    def _others_there(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:  # torch's errors of a broken or timed out connection are RuntimeErrors
            raise Lost(self.index) from error

    def own(self, rows: Tensor) -> Tensor:
        """This process' share of a batch's rows, whose number all processes divide."""
        return rows.chunk(self.count)[self.index]


def _leave() -> None:
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


@dataclass(frozen=True)
class Share:
    """This process' part of the batch of a step: `rows` of it, the `index`th of `count` parts."""

    rows: int
    index: int
    count: int


_share: Share | None = None


@contextmanager
def sharing(rows: int, processes: Processes) -> Iterator[None]:
    """Within, `own_rows` knows which rows of the batch are this process'."""
    global _share
    _share = Share(rows, processes.index, processes.count) if processes.count > 1 else None
    try:
        yield
    finally:
        _share = None


def own_rows(draw: Callable[[int], Tensor], rows: int) -> Tensor:
    """A training step's random numbers (rows, ...), the same for a sample however many processes share its batch.

    `draw` gives such numbers for a number of rows; of those for the whole batch each process keeps its own. Rows may
    be several batches on top of each other (real images over fakes), each of which is shared alike.
    """
    if _share is None:
        return draw(rows)
    everyone = draw(rows * _share.count)
    batches = rows // _share.rows
    return everyone.view(batches, _share.count, _share.rows, *everyone.shape[1:])[:, _share.index].flatten(0, 1)
