"""What a reconstruction is held against."""

from __future__ import annotations

from genlib.analysis.reconstruction import another_of_the_class, squared_errors
from genlib.data import FashionMNIST


def test_another_photograph_of_the_class_errs_as_pairs_of_them_do(test_split: FashionMNIST) -> None:
    images = test_split.images[test_split.labels == 8][:600]
    pairs = squared_errors(images, images.roll(1, 0)).mean()
    found = another_of_the_class()
    assert found.shape == (10,)
    assert abs(float(found[8] / pairs) - 1) < 0.1
    assert int(found.argmin()) == 7  # sneakers are most alike
