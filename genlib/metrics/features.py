"""The frozen feature extractors: two classifiers of garments, what they see, and the statistics shipped with them.

A distance of close models depends on the network that looks, so there are two of different kinds, trained once on the
official training split before anything was measured with them. `python -m genlib.metrics.features first|second`
reproduces one; its hash belongs here.
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from genlib.data import FashionMNIST
from genlib.errors import GenlibError
from genlib.images import from_uint8
from genlib.io.tensor_file import read_tensors, write_tensors
from genlib.metrics.classifier import Classifier, accuracy, train_classifier
from genlib.metrics.frechet import Gaussian
from genlib.metrics.residual import ResidualClassifier
from genlib.model import single_precision

BATCH = 100  # images whose activations fit the cache


@dataclass(frozen=True)
class Frozen:
    """One extractor: its network, how it was trained, its file and the SHA-256 of that."""

    network: type[nn.Module]
    epochs: int
    seed: int
    file: Path
    sha256: str


EXTRACTORS = {
    "first": Frozen(
        Classifier,
        epochs=15,
        seed=0,
        file=Path(__file__).with_name("extractor.safetensors"),
        sha256="51a3eff07f462172ed8d6b9c17619c1455505f225c6a50272cfd39935fe88c03",
    ),
    "second": Frozen(
        ResidualClassifier,
        epochs=20,
        seed=1,
        file=Path(__file__).with_name("second_extractor.safetensors"),
        sha256="6f9e2028878d320e4ab24101f886fa8c2319590181d7ef1cce68331330088ee5",
    ),
}


@dataclass(frozen=True)
class Extractor:
    """A frozen classifier with what was measured when it was frozen.

    `train` and `test` are the Gaussians of the two splits' features, `accuracy` the classifier's on the test split.
    """

    classifier: Any
    sha256: str
    train: Gaussian
    test: Gaussian
    accuracy: float

    @torch.inference_mode()
    def features(self, images: Tensor) -> np.ndarray:
        """uint8 images (N, 28, 28) to float32 features (N, 128)."""
        return torch.cat([self.classifier.features(_prepared(part)) for part in images.split(BATCH)]).numpy()

    @torch.inference_mode()
    def look(self, images: Tensor) -> tuple[np.ndarray, Tensor]:
        """Features and classes seen, in one pass."""
        features = torch.from_numpy(self.features(images))
        classes = torch.cat([self.classifier.head(part).argmax(1) for part in features.split(BATCH)])
        return features.numpy(), classes

    @torch.inference_mode()
    def predict(self, images: Tensor) -> Tensor:
        """uint8 images (N, 28, 28) to the classes seen, int64 (N,)."""
        return self.look(images)[1]


def _prepared(images: Tensor) -> Tensor:
    return from_uint8(images).contiguous(memory_format=torch.channels_last)


@lru_cache(maxsize=2)
def load_extractor(name: str = "first") -> Extractor:
    """The "first" or the "second" shipped extractor. GenlibError where its file is missing or is not the frozen one."""
    frozen = EXTRACTORS[name]
    try:
        digest = hashlib.sha256(frozen.file.read_bytes()).hexdigest()
    except OSError as error:
        raise GenlibError(f"the feature extractor {frozen.file} cannot be read: {error.strerror}") from error
    if digest != frozen.sha256:
        raise GenlibError(f"the feature extractor {frozen.file} is not the frozen one (SHA-256 differs)")
    tensors, facts = read_tensors(frozen.file)
    gaussians = {
        split: Gaussian(tensors.pop(f"{split}.mean").numpy(), tensors.pop(f"{split}.covariance").numpy())
        for split in ("train", "test")
    }
    with single_precision():
        model = frozen.network()
    model.load_state_dict({name: tensor.to(model.state_dict()[name].dtype) for name, tensor in tensors.items()})
    _fold(model.eval().requires_grad_(False))
    model.to(memory_format=torch.channels_last)
    return Extractor(model, digest, gaussians["train"], gaussians["test"], facts["accuracy"])


def _fold(model: nn.Module) -> None:
    """Batch norms of fixed statistics become part of the layers before them: the same features, to rounding, sooner."""
    for sequence in [module for module in model.modules() if isinstance(module, nn.Sequential)]:
        for i, (layer, norm) in enumerate(pairwise(list(sequence))):
            if isinstance(norm, nn.BatchNorm2d) and isinstance(layer, nn.Conv2d):
                sequence[i], sequence[i + 1] = fuse_conv_bn_eval(layer, norm), nn.Identity()
            elif isinstance(norm, nn.BatchNorm1d) and isinstance(layer, nn.Linear):
                sequence[i], sequence[i + 1] = fuse_linear_bn_eval(layer, norm), nn.Identity()
    for module in model.modules():
        if isinstance(module, nn.ReLU | nn.SiLU):
            module.inplace = True


def freeze(model: nn.Module, path: Path) -> None:
    """Round a classifier to half precision, measure the splits with it, and write it with those statistics."""
    state = {k: v.half() if v.ndim > 1 else v for k, v in model.state_dict().items()}
    model.load_state_dict({k: v.float() if v.dtype == torch.half else v for k, v in state.items()})
    train, test = FashionMNIST.load("train"), FashionMNIST.load("test")
    empty = Gaussian(np.zeros(0), np.zeros((0, 0)))
    measured = Extractor(model.eval(), "", empty, empty, accuracy(model, test))
    for split, data in (("train", train), ("test", test)):
        gaussian = Gaussian.of(measured.features(data.images))
        state[f"{split}.mean"] = torch.from_numpy(gaussian.mean)
        state[f"{split}.covariance"] = torch.from_numpy(gaussian.covariance)
    facts = {"accuracy": measured.accuracy}
    write_tensors(path, state, facts)
    print(f"{path}: {facts}, SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()}")


if __name__ == "__main__":
    chosen = EXTRACTORS[sys.argv[1]]
    network = train_classifier(FashionMNIST.load("train"), chosen.epochs, seed=chosen.seed, network=chosen.network)
    freeze(network, chosen.file)
