"""The frozen feature extractor: loading, hashing, and the statistics shipped with it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from genlib.data import FashionMNIST
from genlib.errors import GenlibError
from genlib.images import from_uint8
from genlib.metrics.classifier import Classifier, accuracy
from genlib.metrics.frechet import Gaussian, frechet_distance
from genlib.tensor_file import read_tensors, write_tensors

FILE = Path(__file__).with_name("extractor.safetensors")
SHA256 = "51a3eff07f462172ed8d6b9c17619c1455505f225c6a50272cfd39935fe88c03"
FLOOR_SAMPLES = 10_000


@dataclass(frozen=True)
class Extractor:
    """The frozen classifier with what was measured when it was frozen.

    `train` and `test` are the Gaussians of the two splits' features, `floor` the Frechet distance of the first
    10,000 training images from the test split, `accuracy` the classifier's on the test split.
    """

    classifier: Classifier
    sha256: str
    train: Gaussian
    test: Gaussian
    floor: float
    accuracy: float

    @torch.inference_mode()
    def features(self, images: Tensor) -> np.ndarray:
        """uint8 images (N, 28, 28) to float32 features (N, 128)."""
        return torch.cat([self.classifier.features(_prepared(part)) for part in images.split(250)]).numpy()

    @torch.inference_mode()
    def look(self, images: Tensor) -> tuple[np.ndarray, Tensor]:
        """Features and classes seen, in one pass."""
        features = torch.from_numpy(self.features(images))
        classes = torch.cat([self.classifier.head(part).argmax(1) for part in features.split(250)])
        return features.numpy(), classes

    @torch.inference_mode()
    def predict(self, images: Tensor) -> Tensor:
        """uint8 images (N, 28, 28) to the classes seen, int64 (N,)."""
        return torch.cat([self.classifier(_prepared(part)).argmax(1) for part in images.split(250)])


def _prepared(images: Tensor) -> Tensor:
    return from_uint8(images).contiguous(memory_format=torch.channels_last)


@lru_cache(maxsize=1)
def load_extractor() -> Extractor:
    """The shipped extractor. Raises GenlibError where the file is missing or is not the frozen one."""
    try:
        digest = hashlib.sha256(FILE.read_bytes()).hexdigest()
    except OSError as error:
        raise GenlibError(f"the feature extractor {FILE} cannot be read: {error.strerror}") from error
    if digest != SHA256:
        raise GenlibError(f"the feature extractor {FILE} is not the frozen one (SHA-256 differs)")
    return _read(FILE, digest)


def _read(path: Path, digest: str) -> Extractor:
    tensors, facts = read_tensors(path)
    gaussians = {
        split: Gaussian(tensors.pop(f"{split}.mean").numpy(), tensors.pop(f"{split}.covariance").numpy())
        for split in ("train", "test")
    }
    model = Classifier()
    model.load_state_dict({name: tensor.to(model.state_dict()[name].dtype) for name, tensor in tensors.items()})
    model.eval().requires_grad_(False).to(memory_format=torch.channels_last)
    return Extractor(model, digest, gaussians["train"], gaussians["test"], facts["floor"], facts["accuracy"])


def freeze(model: Classifier, path: Path = FILE) -> None:
    """Round the classifier to half precision, measure the splits with it, and write it with those statistics."""
    state = {k: v.half() if v.ndim > 1 else v for k, v in model.state_dict().items()}
    model.load_state_dict({k: v.float() if v.dtype == torch.half else v for k, v in state.items()})
    train, test = FashionMNIST.load("train"), FashionMNIST.load("test")
    empty = Gaussian(np.zeros(0), np.zeros((0, 0)))
    measured = Extractor(model.eval(), "", empty, empty, 0.0, accuracy(model, test))
    features = {"train": measured.features(train.images), "test": measured.features(test.images)}
    gaussians = {split: Gaussian.of(values) for split, values in features.items()}
    floor = frechet_distance(Gaussian.of(features["train"][:FLOOR_SAMPLES]), gaussians["test"])
    for split, gaussian in gaussians.items():
        state[f"{split}.mean"] = torch.from_numpy(gaussian.mean)
        state[f"{split}.covariance"] = torch.from_numpy(gaussian.covariance)
    facts = {
        "accuracy": measured.accuracy,
        "floor": floor,
        "total_variance": float(np.trace(gaussians["test"].covariance)),
    }
    write_tensors(path, state, facts)
    print(f"{path}: {facts}, SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()}")
