"""Weights on disk: what was saved comes back, and every kind of damage is named in one line before it is used."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save
from torch import Tensor

from genlib.analysis.latent import projections
from genlib.io.files import read_json
from genlib.loading import load, model_directory, weights_directory
from genlib.store import save_model
from tests.tiny import refused, save_tiny, tiny_model


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A saved conditional GAN; its averaged generator is all zeros, so that the two can be told apart."""
    model = tiny_model("cgan-mlp")
    averaged = {k: torch.zeros_like(v) for k, v in model.state_dict().items() if k.startswith("generator.")}
    save_model(tmp_path, "cgan-mlp", model, averaged)
    return tmp_path


def describe(directory: Path, **changes: Any) -> None:
    """Change entries of config.json."""
    path = directory / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def rewrite(directory: Path, data: bytes) -> None:
    """Other weights under a hash that fits them, as a careless or hostile hand would leave them."""
    (directory / "model.safetensors").write_bytes(data)
    describe(directory, sha256=hashlib.sha256(data).hexdigest())


def changed(directory: Path, change: Callable[[dict[str, Tensor]], Any]) -> None:
    tensors = load_file(directory / "model.safetensors")
    change(tensors)
    rewrite(directory, save(tensors))


def test_averaged_and_raw_weights(directory: Path) -> None:
    averaged, raw = load(directory), load(directory, weights="raw")
    assert not any(parameter.any() for parameter in averaged.get_submodule("generator").parameters())
    assert all(parameter.any() for parameter in raw.get_submodule("generator").parameters())
    for one, other in zip(
        averaged.get_submodule("discriminator").parameters(),
        raw.get_submodule("discriminator").parameters(),
        strict=True,
    ):
        assert torch.equal(one, other)
    with refused("weights takes .averaged. or .raw."):
        load(directory, weights="best")


def test_a_loaded_model_is_ready(directory: Path) -> None:
    model = load(directory)
    assert not model.training
    assert all(p.dtype == torch.float32 and not p.requires_grad for p in model.parameters())


def test_config_names_the_file_by_hash(directory: Path) -> None:
    described = read_json(directory / "config.json")
    digest = hashlib.sha256((directory / "model.safetensors").read_bytes()).hexdigest()
    assert described["sha256"] == digest
    assert (described["name"], described["family"], described["format"]) == ("cgan-mlp", "conditional GAN", 1)


@pytest.mark.parametrize("kept", [0, 7, 1000, -1])
def test_truncated_weights_are_refused(kept: int, directory: Path) -> None:
    path = directory / "model.safetensors"
    data = path.read_bytes()[:kept]
    path.write_bytes(data)
    with refused(f"{directory}: model.safetensors is damaged"):
        load(directory)
    rewrite(directory, data)
    with refused(f"{directory}: model.safetensors is not a safetensors file"):
        load(directory)


def test_altered_weights_are_refused(directory: Path) -> None:
    path = directory / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-10] ^= 1
    path.write_bytes(data)
    with refused(f"{directory}: model.safetensors is damaged or not the file config.json describes"):
        load(directory)


def test_missing_weights_are_refused(directory: Path) -> None:
    (directory / "model.safetensors").unlink()
    with refused("model.safetensors cannot be read: No such file"):
        load(directory)


def test_pickles_are_never_opened(directory: Path, tmp_path: Path) -> None:
    torch.save({"weights": torch.zeros(3)}, tmp_path / "pickle.pt")
    rewrite(directory, (tmp_path / "pickle.pt").read_bytes())
    with refused("model.safetensors is not a safetensors file"):
        load(directory)


def test_a_header_without_end_is_not_read(directory: Path) -> None:
    """A file of the allowed size that is all header, of tensors without numbers."""
    describe(directory, config=read_json(directory / "config.json")["config"] | {"generator_widths": [2048, 2048]})
    header = json.dumps({str(i): {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(20_000)})
    rewrite(directory, len(header).to_bytes(8, "little") + header.encode())
    with refused("model.safetensors is not a safetensors file: a header takes at most 1,000,000 bytes"):
        load(directory)


@pytest.mark.parametrize("shape", [[0, 2**62, 8], [0, 2**63], [0, 2**64 - 1], [2**64 - 1] * 2, [1] * 2_000])
@pytest.mark.parametrize("dtype", ["F32", "F4", "F99"])
def test_a_header_that_lies_is_refused(dtype: str, shape: list[int], directory: Path) -> None:
    """Sizes that no tensor can have, where there are no numbers to contradict them."""
    header = json.dumps({BIAS: {"dtype": dtype, "shape": shape, "data_offsets": [0, 4 * math.prod(shape) % 2**32]}})
    rewrite(directory, len(header).to_bytes(8, "little") + header.encode() + bytes(4 * math.prod(shape) % 2**32))
    with refused("model.safetensors (is not a safetensors file|lacks tensor)") as caught:
        load(directory)
    assert len(str(caught.value)) < 500


BIAS = "discriminator.layers.0.bias"
CHANGES: dict[str, tuple[Callable[[dict[str, Tensor]], Any], str]] = {
    "wrong shape": (lambda t: t.update({BIAS: torch.zeros(5)}), f"tensor {BIAS} has shape .5,., not .16,."),
    "not a number": (lambda t: t[BIAS].fill_(torch.nan), f"tensor {BIAS} holds numbers that are not finite"),
    "infinite": (lambda t: t["averaged.generator.output.weight"][3].fill_(torch.inf), "averaged.* not finite"),
    "unknown tensor": (lambda t: t.update(extra=torch.zeros(1)), "holds an unknown tensor 'extra'"),
    "missing tensor": (lambda t: t.pop(BIAS), f"lacks tensor '{BIAS}'"),
    "a long name": (lambda t: t.update({"!\n" * 200_000: torch.zeros(1)}), "holds an unknown tensor '!.{60,70}$"),
    "many dimensions": (
        lambda t: t.update({BIAS: torch.zeros([1] * 64)}),
        f"tensor {BIAS} has shape .1, .{{60,70}} not",
    ),
    "no average": (lambda t: t.pop("averaged.generator.output.bias"), "lacks tensor 'averaged.generator.output.bias'"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_unfit_tensors_are_refused_by_name(change: str, directory: Path) -> None:
    changed(directory, CHANGES[change][0])
    for weights in ("averaged", "raw"):
        with refused(f"{directory}: .*{CHANGES[change][1]}"):
            load(directory, weights)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"format": 2}, "config.json is of format 2; this genlib reads 1"),
        ({"family": "diffusion"}, "names no known family but 'diffusion'; known: .*VAE"),
        ({"family": ["VAE"]}, "names no known family"),
        ({"family": None}, "names no known family"),
        ({"config": None}, "names no known family"),
        ({"name": "gmm-10"}, "names gmm-10, which is a .*mixture model, but its family is 'conditional GAN'"),
        ({"config": {"momentum": 0.9}}, "has no field 'momentum'; its fields are"),
        ({"config": {"latent_size": "100"}}, "latent_size takes a whole number"),
        ({"config": {"latent_size": -1}}, "latent_size takes 1 to 1024"),
        ({"config": {"generator_widths": [16, 16]}}, "tensor"),
        ({"sha256": None}, "model.safetensors is damaged"),
    ],
)
def test_an_unfit_config_is_refused(changes: dict[str, Any], match: str, directory: Path) -> None:
    describe(directory, **changes)
    with refused(f"{directory}: .*{match}"):
        load(directory)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "not readable JSON"),
        (b"{", "not readable JSON"),
        (b"\xff\xfe", "not readable JSON"),
        (b"[1]", "no JSON object"),
    ],
)
def test_a_broken_config_file_is_refused(content: bytes, match: str, directory: Path) -> None:
    (directory / "config.json").write_bytes(content)
    with refused(f"config.json .*{match}"):
        load(directory)


def test_weights_are_looked_for_where_the_variable_says(
    directory: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    zoo = tmp_path / "zoo"
    zoo.mkdir()
    monkeypatch.setenv("GENLIB_WEIGHTS", str(zoo))
    assert weights_directory() == zoo
    with refused("cgan-mlp has no trained weights at .*; train it: python -m genlib train cgan-mlp"):
        load("cgan-mlp")
    (zoo / "cgan-mlp").symlink_to(directory)
    assert load("cgan-mlp").family == "conditional GAN"


def test_an_unknown_name_or_empty_directory_is_refused(tmp_path: Path) -> None:
    with refused("no model 'nosuch'; models are"):
        model_directory("nosuch")
    with refused("has no trained weights at"):
        model_directory(tmp_path)


def test_saving_to_an_impossible_place_is_refused(tmp_path: Path) -> None:
    with refused("cannot write .*model.safetensors"):
        save_model(tmp_path / "missing", "vae-cnn", tiny_model("vae-cnn"), {})


def test_what_is_no_file_or_too_large_is_never_read(directory: Path) -> None:
    """A device never ends and a pipe never begins; neither is opened, and nor is what a model's sizes cannot fill."""
    readers: dict[str, Callable[[], Any]] = {
        "config.json": lambda: read_json(directory / "config.json"),
        "model.safetensors": lambda: load(directory),
    }
    for name, read in readers.items():
        path = directory / name
        kept = path.read_bytes()
        path.unlink()
        path.symlink_to("/dev/zero")
        with refused(f"{name} cannot be read: not a regular file"):
            read()
        path.unlink()
        os.mkfifo(path)
        with refused(f"{name} cannot be read: not a regular file"):
            read()
        path.unlink()
        with open(path, "wb") as file:
            file.truncate(10**12)  # sparse: it takes no room on the disk
        with refused(f"{name} has 1,000,000,000,000 bytes; it takes at most"):
            read()
        path.write_bytes(kept)
    assert load(directory).family == "conditional GAN"


@pytest.mark.parametrize("dtype", [torch.int64, torch.complex64, torch.float8_e4m3fn, torch.bfloat16, torch.bool])
def test_other_kinds_of_numbers_are_refused(dtype: torch.dtype, directory: Path) -> None:
    changed(directory, lambda t: t.update({BIAS: torch.zeros(16).to(dtype)}))
    with refused(f"tensor {BIAS} holds {dtype} numbers, not torch.float32"):
        load(directory)


def test_a_mixture_whose_weights_are_no_distribution_is_refused(tmp_path: Path) -> None:
    save_model(tmp_path, "vae-gmm-best", tiny_model("vae-gmm-best"), {})
    for weights in ([0.0, 0.0], [-1.0, 2.0], [1.0, 1.0]):
        parts = {"weights": torch.tensor(weights), "log_likelihood": torch.tensor(0.0, dtype=torch.float64)}
        changed(tmp_path, lambda t, parts=parts: t.update(parts))
        with refused(f"{tmp_path}: the weights of a mixture must be non-negative"):
            load(tmp_path)


def test_a_mixture_with_an_empty_place_before_a_component_is_refused(tmp_path: Path) -> None:
    """Its components would be drawn by each other's weights."""
    save_tiny(tmp_path, "gmm-10")
    changed(tmp_path, lambda t: t.update(weights=torch.tensor([0.0, 1.0])))
    with refused(f"{tmp_path}: the components of a mixture must stand before its empty places"):
        load(tmp_path)


def test_a_class_without_a_gaussian_is_refused(tmp_path: Path) -> None:
    """All classes would be drawn from the first of another's."""
    save_tiny(tmp_path, "cgmm")
    changed(tmp_path, lambda t: t.update(weights=torch.tensor([0.0, 0.0, *[1 / 18] * 18])))
    with refused(f"{tmp_path}: every class of a mixture must have a Gaussian"):
        load(tmp_path)


def test_weights_that_lead_to_no_numbers_are_told(tmp_path: Path) -> None:
    save_model(tmp_path, "ae-cnn", tiny_model("ae-cnn"), {})
    changed(tmp_path, lambda t: t["variance"].fill_(-1))
    with refused("weights lead to numbers that are not finite"):
        projections(load(tmp_path), 50)


def test_a_deep_config_is_refused(directory: Path) -> None:
    (directory / "config.json").write_text("[" * 100_000)
    with refused(r"config.json is not readable JSON: .*recursion"):
        load(directory)
