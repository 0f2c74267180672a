"""Models as ONNX, for whatever else computes: one file, noise (and class weights) in, images out.

ONNX and what writes and checks it are optional: pip install 'genlib[onnx]'.
"""

from __future__ import annotations

import importlib
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from genlib.errors import GenlibError
from genlib.images import to_uint8
from genlib.io.files import write_file
from genlib.layers.gaussians import Gaussians
from genlib.loading import load
from genlib.model import N_CLASSES, Conditional, Model, single_precision
from genlib.models.class_mixture import ClassMixture
from genlib.sampling import MAX_SAMPLES, cycle_labels, sample

FILE = "model.onnx"
PACKAGES = ("onnx", "onnxscript", "onnxruntime")
TRACED = 4  # images that are drawn while the graph is written
CHECKED = 7  # that the file must draw as genlib does: another number
INPUTS = ("z", "classes")


def export_onnx(name: str | Path, directory: Path, weights: str = "averaged") -> Path:
    """Write a model as directory/model.onnx, once onnxruntime draws genlib's images with it, within 1 grey level.

    The inputs are z (n, *latent_shape), noise as `draw_latent` draws it, and, where the model takes a class, classes
    (n, 10), weights that sum to 1; the output is images (n, 1, 28, 28) in [-1, 1]. A flow takes its config's steps. The
    arguments are those of `genlib.live.export.export`. GenlibError where a package is missing or the file cannot be
    made.
    """
    for package in PACKAGES:
        _needed(package)
    model = load(name, weights)
    z = model.draw_latent(CHECKED, 0)
    classes = (
        [nn.functional.one_hot(cycle_labels(CHECKED), N_CLASSES).float()] if isinstance(model, Conditional) else []
    )
    images = sample(model, z, *classes)
    data = _traced(model, z[:TRACED], *(each[:TRACED] for each in classes))
    difference = _difference(data, images, z, *classes)
    if difference > 1:
        raise GenlibError(f"{name} as ONNX draws other images than genlib, by up to {difference} grey levels")
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GenlibError(f"cannot write {directory}: {error.strerror or error}") from error
    write_file(directory / FILE, data)
    return directory / FILE


def _needed(package: str) -> Any:
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise GenlibError(f"the ONNX format needs {package}: pip install 'genlib[onnx]'") from error


class _Sampler(nn.Module):
    """`model.sample` as a module's forward."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.model.sample(*inputs)


class _MixtureSampler(nn.Module):
    """A mixture's `sample` without rows that are chosen by their values, which a graph cannot have: every component
    places every latent, and the one that it picks is kept.
    """

    owners: Tensor
    shares: Tensor
    means: Tensor
    factors: Tensor

    def __init__(self, model: Gaussians) -> None:
        super().__init__()
        self.model = model
        used = model.used
        if isinstance(model, ClassMixture):
            owners, shares = used // model.config.most_components, model.shares()
        else:
            owners, shares = torch.zeros_like(used), model.weights
        self.register_buffer("owners", owners)  # (K,), the class of each component
        self.register_buffer("shares", shares[used])  # (K,), of its class
        self.register_buffer("means", model.means[used])  # (K, d)
        self.register_buffer("factors", model.factors().clone())  # (K, d, d)

    def forward(self, *inputs: Tensor) -> Tensor:
        z, *told = inputs
        classes = told[0] if told else torch.ones_like(z[:, :1])
        cumulative = (classes[:, self.owners] * self.shares).cumsum(1)  # (n, K)
        last = (cumulative < cumulative[:, -1:]).sum(1)  # what has no share is never picked
        chosen = (z[:, :1] >= cumulative).sum(1).minimum(last)  # (n,)
        placed = torch.matmul(z[:, 1:], self.factors.mT) + self.means.unsqueeze(1)  # (K, n, d)
        picked = nn.functional.one_hot(chosen, len(self.means)).T.unsqueeze(2).to(z.dtype)  # (K, n, 1)
        return self.model.render((placed * picked).sum(0))


def _traced(model: Model, *inputs: Tensor) -> bytes:
    """The file's bytes: `model.sample` for any number of images."""
    module = _MixtureSampler(model) if isinstance(model, Gaussians) else _Sampler(model)
    n = torch.export.Dim("n", min=1, max=MAX_SAMPLES)
    try:
        with warnings.catch_warnings(), single_precision(), torch.no_grad():
            warnings.simplefilter("ignore")  # about torch's own ways
            found = torch.onnx.export(
                module.eval(),
                inputs,
                input_names=INPUTS[: len(inputs)],
                output_names=["images"],
                dynamic_shapes=(tuple({0: n} for _ in inputs),),
                dynamo=True,
                verbose=False,
            )
    except torch.onnx.errors.OnnxExporterError as error:
        raise GenlibError(f"torch cannot write a {model.family} model as ONNX: {str(error).splitlines()[0]}") from error
    assert found is not None
    return bytes(found.model_proto.SerializeToString())


def _difference(data: bytes, images: Tensor, *inputs: Tensor) -> int:
    """The largest difference, in grey levels, of what the file draws."""
    session = _needed("onnxruntime").InferenceSession(data, providers=["CPUExecutionProvider"])
    fed = {name: value.numpy() for name, value in zip(INPUTS, inputs, strict=False)}
    found = torch.from_numpy(session.run(None, fed)[0])
    return int((to_uint8(found).int() - to_uint8(images).int()).abs().max())
