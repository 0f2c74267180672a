"""Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017, arXiv:1708.07747): 28x28 gray garments in ten classes."""

from genlib.data.fashion_mnist import CLASS_NAMES, FashionMNIST, parse_label

__all__ = ["CLASS_NAMES", "FashionMNIST", "parse_label"]
