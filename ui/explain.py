"""The "How it works" expander: a family's idea, its layers as the model has them, and where to read on."""

from __future__ import annotations

import streamlit as st

from genlib.summary import layer_table
from ui import zoo

IDEAS = {
    "conditional GAN": r"""
Two networks play against each other. The **generator** turns noise $z$ and a class $y$ into an image; the
**discriminator** is shown real and made images with their class and says how likely each is real:

$$\min_G \max_D \; \mathbb{E}_{x}[\log D(x|y)] + \mathbb{E}_{z}[\log(1 - D(G(z|y)|y))]$$

Neither ever sees the other's weights; the generator learns only from how it is judged. Pictures are sharp, but
nothing makes the game cover every kind of garment. Pixels are scaled to $[-1, 1]$, the range of its tanh output.
Sampling uses the average of the generator's weights over its last steps (switch to *raw* to see the difference).
Source: Mirza and Osindero 2014, [arXiv:1411.1784](https://arxiv.org/abs/1411.1784).
""",
    "VAE": r"""
An **encoder** turns an image into a small Gaussian cloud of latents, a **decoder** turns a latent back into an image.
Training minimises the squared error of the round trip and how far the clouds are from a standard normal (the negative
evidence lower bound, the second term weighted by $\beta$):

$$\mathbb{E}_{q(z|x)}\,\lVert x - \hat{x}(z)\rVert^2 + \beta\,\mathrm{KL}\big(q(z|x)\,\Vert\,\mathcal{N}(0, I)\big)$$

So any latent drawn from a normal decodes to something plausible. Pictures are soft: the decoder answers doubt with an
average. Pixels are $[0, 1]$ inside, the range of its sigmoid output.
Source: Kingma and Welling 2014, [arXiv:1312.6114](https://arxiv.org/abs/1312.6114).
""",
    "mixture": r"""
No network: the training images are described as a weighted sum of $K$ Gaussians, each with its own mean image and full
covariance between all 784 pixels:

$$p(x) = \sum_k \pi_k\, \mathcal{N}(x \mid \mu_k, \Sigma_k)$$

**Expectation-maximisation** repeats two steps, each of which can only raise the likelihood: how probably does each
component own each image (E), then refit every component to what it owns (M). A sample is a component's mean plus
correlated noise, which is why it looks like a worn-out photograph. Pixels are $[0, 1]$, gray levels dequantised.
Source: Bishop 2006, *Pattern Recognition and Machine Learning*, section 9.2.
""",
}


def how_it_works(entry: zoo.Entry) -> None:
    """The family's idea, the layer table generated from the model."""
    with st.expander(f"How it works: {entry.family}", icon=":material/school:"):
        st.markdown(IDEAS[entry.family])
        layers = layer_table(zoo.load_model(entry.name))
        if layers:
            st.dataframe(
                {
                    "layer": [layer.name for layer in layers],
                    "kind": [layer.kind for layer in layers],
                    "output shape": [" x ".join(map(str, layer.output)) for layer in layers],
                    "parameters": [layer.parameters for layer in layers],
                },
                hide_index=True,
                alt=f"The layers of {entry.name} with their output shapes and parameter counts",
            )
