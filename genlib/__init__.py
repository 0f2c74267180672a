"""Generative image models on Fashion-MNIST: trained, measured by one protocol, ready to sample from.

    import genlib

    model = genlib.load("cgan-mlp")
    images, labels = genlib.generate(model, 64, seed=0)  # uint8 (64, 28, 28), int64 (64,)

Names are imported when first used, so that `import genlib` alone is instant.
"""

from typing import TYPE_CHECKING

from genlib.lazy import lazily

if TYPE_CHECKING:
    from genlib.data import CLASS_NAMES, FashionMNIST
    from genlib.errors import GenlibError
    from genlib.loading import load
    from genlib.metrics.evaluation import evaluate
    from genlib.sampling import generate
    from genlib.training.run import train
    from genlib.zoo.catalogue import list_models

__version__ = "0.1.0"
__all__ = ["CLASS_NAMES", "FashionMNIST", "GenlibError", "evaluate", "generate", "list_models", "load", "train"]

_HOMES = {
    "CLASS_NAMES": "genlib.data",
    "FashionMNIST": "genlib.data",
    "GenlibError": "genlib.errors",
    "evaluate": "genlib.metrics.evaluation",
    "generate": "genlib.sampling",
    "list_models": "genlib.zoo.catalogue",
    "load": "genlib.loading",
    "train": "genlib.training.run",
}

__getattr__ = lazily(__name__, _HOMES)
