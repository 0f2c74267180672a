"""One of several processes of a training, for test_processes.py: the command line, on the first 200 test images."""

from __future__ import annotations

import sys

from genlib.__main__ import main
from genlib.data import FashionMNIST

TEST = FashionMNIST.load("test")


def two_hundred(split: str, progress: object = None) -> FashionMNIST:
    return FashionMNIST(TEST.images[:200], TEST.labels[:200]) if split == "train" else TEST


FashionMNIST.load = staticmethod(two_hundred)  # type: ignore[method-assign]
sys.exit(main(sys.argv[1:]))
