"""Training: the loop, what it writes, and what it costs."""

from typing import TYPE_CHECKING

from genlib.lazy import lazily

if TYPE_CHECKING:
    from genlib.training.run import train

__all__ = ["train"]
__getattr__ = lazily(__name__, {"train": "genlib.training.run"})
