"""What the frozen classifier, or one trained on samples alone, says of a model's classes."""

from __future__ import annotations

import torch
from torch import Tensor

from genlib.data import FashionMNIST
from genlib.metrics.classifier import accuracy, train_classifier

CLASSES = 10
SCORE_EPOCHS = 5


def class_consistency(seen: Tensor, asked: Tensor) -> float:
    """How often the class seen, int64 (N,), is the class asked for."""
    return float((seen == asked).double().mean())


def balance_divergence(seen: Tensor) -> float:
    """KL(p || uniform) in nats of the classes seen, int64 (N,): 0 is perfect balance, log 10 a single class."""
    return balance_of_counts(torch.bincount(seen, minlength=CLASSES))


def balance_of_counts(counts: Tensor) -> float:
    """`balance_divergence` from how often each class was seen (10,)."""
    p = counts.double() / counts.sum()
    return float(torch.special.xlogy(p, CLASSES * p).sum())


def classification_accuracy_score(fakes: FashionMNIST) -> float:
    """Accuracy on the real test split of a classifier trained on labelled fakes (Ravuri and Vinyals 2019,
    arXiv:1905.10887, section 3): the frozen one's architecture, 5 epochs.
    """
    return accuracy(train_classifier(fakes, epochs=SCORE_EPOCHS), FashionMNIST.load("test"))
