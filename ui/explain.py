"""The "How it works" expander: a family's idea, its layers as the model has them, and where to read on."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from genlib.errors import GenlibError
from genlib.loading import load
from genlib.model import Preset, shapes_only
from genlib.models import families, get_preset
from genlib.zoo.layers import Layer, layer_table
from ui import zoo

MOST_PARAMETERS = 20_000_000  # of a model that is built to list its layers

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
    "GAN": r"""
Two networks play against each other. The **generator** turns noise $z$ into an image; the **discriminator** is shown
real and made images and says how likely each is real:

$$\min_G \max_D \; \mathbb{E}_{x}[\log D(x)] + \mathbb{E}_{z}[\log(1 - D(G(z)))]$$

No one tells it what a class is: which garment a latent becomes is the generator's own affair. Either side may be dense
or convolutional; where one is much stronger than the other, the game stops teaching. Pixels are scaled to $[-1, 1]$,
the range of its tanh output. Sampling uses the average of the generator's weights over its last steps.
Source: Goodfellow et al. 2014, [arXiv:1406.2661](https://arxiv.org/abs/1406.2661).
""",
    "DCGAN": r"""
The game of the GAN, played by convolutions: the **generator** unfolds noise $z$ into small feature maps and widens them
by transposed convolutions, the **discriminator** narrows an image by convolutions of stride 2:

$$\min_G \max_D \; \mathbb{E}_{x}[\log D(x)] + \mathbb{E}_{z}[\log(1 - D(G(z)))]$$

Batch normalisation keeps both sides' activations in range, which is what made deep GANs train at all. The same small
filter is used everywhere in the picture, so edges and textures are learned once. Pixels are $[-1, 1]$, the range of
tanh. Source: Radford, Metz and Chintala 2016, [arXiv:1511.06434](https://arxiv.org/abs/1511.06434).
""",
    "autoencoder": r"""
An **encoder** squeezes an image into a few hundred numbers, a **decoder** restores it; training minimises the squared
error of the round trip, $\lVert x - \hat{x}(z(x))\rVert^2$, and asks nothing of the latents. So reconstructions are
nearly perfect, and samples are not pictures at all: each latent number is drawn with its right mean and spread, but on
its own. What is missing is how the numbers hang together, and that is what the mixtures on its latents add. Pixels are
$[0, 1]$ inside, the range of its sigmoid output.
Source: Hinton and Salakhutdinov 2006, *Science* 313, 504-507.
""",
    "AE + mixture": r"""
Two models in turn. An **autoencoder** learns to copy images through 392 latent numbers $z$; then a sum of $K$ Gaussians
with full covariance is fitted to the latents of the training images by **expectation-maximisation**:

$$p(z) = \sum_k \pi_k\, \mathcal{N}(z \mid \mu_k, \Sigma_k)$$

A sample is a point of one Gaussian, decoded. How many Gaussians? The Bayesian information criterion,
$\mathrm{BIC} = -2 \log L + p \log N$, weighs the fit against the number of parameters $p$; *best* is its choice.
Sources: Bishop 2006, *Pattern Recognition and Machine Learning*, section 9.2; Schwarz 1978, *Annals of Statistics* 6.
""",
    "conditional mixture": r"""
Two models in turn. An **autoencoder** learns to copy images through 392 latent numbers $z$; then the latents of each
class $y$ get a sum of one to four Gaussians of their own, fitted by **expectation-maximisation**:

$$p(z \mid y) = \sum_j \pi_{yj}\, \mathcal{N}(z \mid \mu_{yj}, \Sigma_{yj})$$

A sample of a class is a point of one of its Gaussians, decoded. How many has a class? As many as the Bayesian
information criterion prefers. Asked for a bit of two classes it takes a Gaussian of the one or of the other, by their
shares: there is nothing between two Gaussians, so a walk between classes jumps.
Sources: Bishop 2006, *Pattern Recognition and Machine Learning*, section 9.2; Schwarz 1978, *Annals of Statistics* 6.
""",
    "VAE + mixture": r"""
Two models in turn. A **variational autoencoder** learns 8 latent numbers whose clouds already resemble a normal; then a
sum of $K$ Gaussians is fitted to the means of the training images' clouds by **expectation-maximisation**, so that
samples come from where images really lie and not from the whole normal:

$$p(z) = \sum_k \pi_k\, \mathcal{N}(z \mid \mu_k, \Sigma_k)$$

How many Gaussians? The Bayesian information criterion, $\mathrm{BIC} = -2 \log L + p \log N$, weighs the fit against
the number of parameters $p$; *best* is its choice.
Sources: Kingma and Welling 2014, [arXiv:1312.6114](https://arxiv.org/abs/1312.6114); Schwarz 1978,
*Annals of Statistics* 6.
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
    "relativistic GAN": r"""
Two networks play against each other, and every round is a **pair**: a real garment $x$ and a made one $G(z|y)$ of the
same class $y$. The discriminator must say which of the two is more real, the generator turns the same question round:

$$\max_D \; \mathbb{E}_{x, z}\,\log \sigma\big(D(x|y) - D(G(z|y)|y)\big) \qquad
  \max_G \; \mathbb{E}_{x, z}\,\log \sigma\big(D(G(z|y)|y) - D(x|y)\big)$$

A generator that draws one kind of garment only loses to every photograph of another kind, so it may leave none out. Two
penalties on how steeply $D$ changes, at real and at made images, keep the game from running away:
$\tfrac{\gamma}{2}\lVert\nabla D\rVert^2$. The class reaches every layer: it scales and shifts what is normalised there.
Sampling uses the average of the generator's weights over its last steps.
Source: Huang et al. 2024, [arXiv:2501.05441](https://arxiv.org/abs/2501.05441).
""",
    "conditional VAE": r"""
A variational autoencoder whose **encoder** and **decoder** are both told the class $y$. Training minimises the squared
error of the round trip and how far each image's cloud of latents is from a standard normal:

$$\mathbb{E}_{q(z|x, y)}\,\lVert x - \hat{x}(z, y)\rVert^2
  + \beta\,\mathrm{KL}\big(q(z|x, y)\,\Vert\,\mathcal{N}(0, I)\big)$$

The latent need not say which garment it is, so it says how this one differs from others of its class. In a tenth of the
images the class is kept back, so that a walk without one has a middle too. Pictures are soft: the decoder answers doubt
with an average. Pixels are $[0, 1]$ inside, the range of its sigmoid output.
Source: Sohn, Lee and Yan 2015, *Learning Structured Output Representation using Deep Conditional Generative Models*.
""",
    "flow matching": r"""
One network learns a **velocity**: where a point $x_t = (1 - t)\,x + t\,\varepsilon$ on the straight way from a garment
$x$ to noise $\varepsilon$ is heading:

$$\min_v \; \mathbb{E}_{x, \varepsilon, t}\,\lVert v(x_t, t, y) - (\varepsilon - x)\rVert^2$$

Many ways cross at each point, so it learns their mean. A sample begins as pure noise at $t = 1$ and follows the
velocity back to $t = 0$ in a few steps of one or two evaluations. **Guidance** $w$ pulls harder towards the class:
$v_\text{none} + w\,(v_y - v_\text{none})$, cleaner pictures and fewer kinds. There is no game and no bottleneck: run
backwards, it turns a photograph into the noise that gives it.
Sources: Lipman et al. 2023, [arXiv:2210.02747](https://arxiv.org/abs/2210.02747); Ho and Salimans 2022,
[arXiv:2207.12598](https://arxiv.org/abs/2207.12598).
""",
    "distilled flow": r"""
A flow needs many steps from noise to garment. This generator learns to do it in **one**: it is shown noises $z$ and
what the flow made of them, $F(z, y)$, and plays the game of pairs against a discriminator, to be as sharp as
photographs:

$$\min_G \; \lambda\,\mathbb{E}_{z}\,\lVert G(z, y) - F(z, y)\rVert^2
  - \mathbb{E}_{x, z}\,\log \sigma\big(D(G(z, y)|y) - D(x|y)\big)$$

The first term says which garment a noise becomes, and keeps all kinds; alone it would blur what it cannot tell. The
second has no teacher and knows only what garments look like. The flow answers 20,000 noises before the training begins.
Sources: Luhman and Luhman 2021, [arXiv:2101.02388](https://arxiv.org/abs/2101.02388); Huang et al. 2024,
[arXiv:2501.05441](https://arxiv.org/abs/2501.05441).
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


def about(title: str, text: str) -> DeltaGenerator:
    """The expander with a text, for more to be put below it."""
    place = st.expander(f"How it works: {title}", icon=":material/school:")
    place.markdown(text)
    return place


def how_it_works(entry: zoo.Entry) -> None:
    """The family's idea, the layer table generated from the model."""
    _explain(entry.family, entry.name, _layers(entry.name))


def how_training_works(preset: Preset, settings: Mapping[str, Any]) -> None:
    """The same for a model that is yet to be trained; settings that fit no model show no layers."""
    _explain(preset.family, preset.name, _layers_to_be(preset.name, json.dumps(settings, sort_keys=True)))


@st.cache_data(max_entries=64, show_spinner=False)
def _layers(name: str) -> list[Layer]:
    """Read off a copy: the model that the pages share is drawing for other sessions meanwhile."""
    return layer_table(load(name))


@st.cache_data(max_entries=64, show_spinner=False)
def _layers_to_be(preset_name: str, settings: str) -> list[Layer]:
    """The layers with these settings, as JSON; none where they fit no model, or one too large to build for a table."""
    preset = get_preset(preset_name)
    try:
        config = preset.config.from_dict(preset.config.to_dict() | json.loads(settings))
        with shapes_only():
            planned = preset.build(config)
        if sum(each.numel() for each in planned.state_dict().values()) > MOST_PARAMETERS:
            return []
        return layer_table(preset.build(config).eval())
    except GenlibError:
        return []


def _explain(family: str, name: str, layers: list[Layer]) -> None:
    with about(family, IDEAS.get(family) or inspect.getdoc(families()[family]) or ""):
        if layers:
            st.dataframe(
                {
                    "layer": [layer.name for layer in layers],
                    "kind": [layer.kind for layer in layers],
                    "output shape": [" x ".join(map(str, layer.output)) for layer in layers],
                    "parameters": [layer.parameters for layer in layers],
                },
                hide_index=True,
                alt=f"The layers of {name} with their output shapes and parameter counts",
            )
