"""The Reconstruct page: what its numbers and colours are, and what giving back means."""

from __future__ import annotations

from genlib.questions.reconstruct import Reconstruct

LEGEND = (
    "Error: mean squared difference a pixel, pixels from 0 to 1. Difference: orange where the reconstruction is "
    "lighter than the original, blue where it is darker; full colour from half the range on."
)


def legend(question: Reconstruct) -> str:
    """What the numbers and colours are, and where the images come from."""
    if not question.file:
        return f"{LEGEND} Test images {', '.join(map(str, question.rows.tolist()))}."
    if "conditional" not in question.can:
        return LEGEND
    chosen = "the classifier sees" if question.chosen_class() is None else "you chose"
    return f"{LEGEND} Your picture, searched as the class {chosen}: {question.heads[0]}."


ENCODED = r"""
The encoder turns the image $x$ into latents, the decoder turns these into the reconstruction. What does not fit into
the latents is lost: prints and seams first. A VAE's encoder gives a cloud of latents; its middle is used, so nothing
is left to chance. Source: Kingma and Welling 2014, [arXiv:1312.6114](https://arxiv.org/abs/1312.6114).
"""
SEARCHED = r"""
A GAN has no encoder: nothing says which noise $z$ would draw a given image $x$. So we search for it by gradient
descent through the generator $G$, from four random starts, and show the best:

$$\min_z \; \lVert G(z, y) - x \rVert^2 + \lambda\, \lVert \phi(G(z, y)) - \phi(x) \rVert^2$$

$\phi$ are the features of genlib's classifier; a conditional generator is told the image's class $y$. The study asked
only for *a new sample of the same class* and called it a reconstruction: it never looked at the image.
Source: Zhu et al. 2016, [arXiv:1609.03552](https://arxiv.org/abs/1609.03552).
"""
