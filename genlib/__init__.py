"""Generative image models on Fashion-MNIST: trained, measured by one protocol, ready to sample from.

    import genlib

    model = genlib.load("cgan-mlp")
    images, labels = genlib.generate(model, 64, seed=0)  # uint8 (64, 28, 28), int64 (64,)

Names are imported when first used, so that `import genlib` alone is instant.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genlib.catalogue import list_models
    from genlib.data import CLASS_NAMES, FashionMNIST
    from genlib.errors import GenlibError
    from genlib.metrics.evaluation import evaluate
    from genlib.sampling import generate
    from genlib.store import load
    from genlib.training import train

__version__ = "0.1.0"
__all__ = ["CLASS_NAMES", "FashionMNIST", "GenlibError", "evaluate", "generate", "list_models", "load", "train"]

_HOMES = {
    "CLASS_NAMES": "genlib.data",
    "FashionMNIST": "genlib.data",
    "GenlibError": "genlib.errors",
    "evaluate": "genlib.metrics.evaluation",
    "generate": "genlib.sampling",
    "list_models": "genlib.catalogue",
    "load": "genlib.store",
    "train": "genlib.training",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'genlib' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
