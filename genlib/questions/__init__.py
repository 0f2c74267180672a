"""What the pages and the commands ask, a question a file: its fields are the controls, the address and the flags.

from genlib.questions import Diversity

Diversity("cgan-mlp", seed=2, per=5).ask().save("diversity.png")
"""

from typing import TYPE_CHECKING

from genlib.lazy import lazily

if TYPE_CHECKING:
    from genlib.questions.compare import Compare
    from genlib.questions.dataset import Dataset
    from genlib.questions.discriminator import Discriminator
    from genlib.questions.diversity import Diversity
    from genlib.questions.findings import Findings
    from genlib.questions.generate import Generate
    from genlib.questions.history import History
    from genlib.questions.interpolate import Interpolate
    from genlib.questions.latent import Latent
    from genlib.questions.leaderboard import Leaderboard
    from genlib.questions.mixtures import Mixtures
    from genlib.questions.reconstruct import Reconstruct
    from genlib.questions.trajectory import Trajectory
    from genlib.questions.variation import Variation

__all__ = [
    "Compare",
    "Dataset",
    "Discriminator",
    "Diversity",
    "Findings",
    "Generate",
    "History",
    "Interpolate",
    "Latent",
    "Leaderboard",
    "Mixtures",
    "Reconstruct",
    "Trajectory",
    "Variation",
]

_HOMES = {name: f"genlib.questions.{name.lower()}" for name in __all__}

__getattr__ = lazily(__name__, _HOMES)
