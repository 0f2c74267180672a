"""The live studio's engine draws Python's pictures, within 1, and its noise, number by number."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from genlib import noise
from genlib.analysis.path import trace
from genlib.io.files import read_json
from genlib.live.export import export, save_program
from genlib.loading import load
from genlib.model import Conditional, Integrates, Model, single_precision
from genlib.models import get_preset
from genlib.program import Program, Value
from genlib.sampling import generate
from tests.tiny import ONE_PER_FAMILY, SHIPPED, SHIPPED_PER_FAMILY, save_tiny, thinned, tiny_model

ROOT = Path(__file__).parent.parent
BUILD = "make -s kernel"
MIXTURE = [0.0, 0.0, 0.0, 0.25, 0.0, 0.0, 0.0, 0.75, 0.0, 0.0]
Case = dict[str, Any]


def needed(program: str) -> str:
    """The path of a program; without it a test is skipped, but in continuous integration it fails."""
    found = shutil.which(program)
    if found is None and os.environ.get("CI") == "true":
        pytest.fail(f"continuous integration needs {program}")
    return found or pytest.skip(f"no {program} here; on Debian: apt-get install nodejs node-typescript clang lld")


def node(*arguments: object) -> str:
    """What a script prints in Node."""
    command = [needed("node"), *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    return done.stdout


def test_the_engine_by_itself() -> None:
    """Threads, requests, no SIMD, and a clear line for every damaged file: the tests in tests/live."""
    node("--test", *sorted((ROOT / "tests" / "live").glob("*.test.mjs")))


@pytest.mark.slow
def test_types() -> None:
    """The engine's JSDoc, checked as strictly as TypeScript can."""
    command = [needed("tsc"), "-p", "tests/live"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


# noise ------------------------------------------------------------------------------------------------------------


def engine_noise(path: Path, *arguments: object) -> np.ndarray:
    node("tests/live/noise.mjs", path, *arguments)
    return np.fromfile(path, dtype=np.float32)


@pytest.mark.parametrize(("seed", "count", "size", "start"), [(0, 300, 784, 0), (2**32 - 1, 40, 64, 2**32 - 20)])
def test_normal_noise(tmp_path: Path, seed: int, count: int, size: int, start: int) -> None:
    """One number in 3,700 is from the tail, whose logarithm a C library may round the other way."""
    found = engine_noise(tmp_path / "noise", "normal", seed, count, size, start)
    expected = noise.normal(seed, count, size, start).numpy().ravel()
    differing = found != expected
    assert differing.mean() < 1e-5
    assert (np.abs(expected[differing]) > 3.6).all()
    np.testing.assert_array_max_ulp(found, expected, 2)


def test_noise_of_mixtures(tmp_path: Path) -> None:
    found = engine_noise(tmp_path / "noise", "mixture", 7, 200, 785, 5)
    model = tiny_model("gmm-10")
    assert np.array_equal(found, model.draw_latent(200, 7, 5).numpy().ravel())


# pictures ---------------------------------------------------------------------------------------------------------


def cases(model: Model, directions: int) -> list[Case]:
    """Requests over seeds, starts, temperatures, classes, mixtures, directions and solvers."""
    size = int(np.prod(model.latent_shape))
    found: list[Case] = [
        {"seed": 0, "count": 20},
        {"seed": 123456789, "count": 9, "start": 37},
        {"seed": 2**32 - 1, "count": 3, "temperature": 0.35},
        {"seed": 4, "count": 5, "temperature": 1.5, "shift": np.linspace(-1, 1, size).tolist()},
    ]
    if isinstance(model, Conditional):
        found += [{"seed": 1, "count": 5, "classes": 4}, {"seed": 2, "count": 6, "mixture": MIXTURE}]
    if directions:
        found += [{"seed": 3, "count": 5, "moves": np.linspace(-2, 1.5, directions).tolist()}]
    if isinstance(model, Integrates):  # whose every picture costs fifty of the others'
        found = [case | {"count": min(3, int(case["count"])), "steps": 2} for case in found]
        found += [{"seed": 0, "count": 2}, {"seed": 1, "count": 2, "steps": 4, "solver": "heun"}]
        found += [{"seed": 2, "count": 3, "steps": 3, "solver": "heun", "guidance": 2.5, "mixture": MIXTURE}]
        found += [{"seed": 3, "count": 5, "steps": 5, "solver": "euler", "guidance": 0.0}]
        found += [{"seed": 4, "count": 2, "steps": 4, "guidance": 1.5, "taken": taken} for taken in (0, 1, 3, 4)]
    return found


def drawn(model: Model, case: Case, steps: Tensor | None) -> np.ndarray:
    """What genlib gives for a request, uint8 (count, 28, 28)."""
    kept = ("seed", "start", "temperature", "steps", "solver", "guidance")
    options = {key: case[key] for key in kept if key in case}
    if "taken" in case:
        return trace(model, case["count"], **options).images[case["taken"]].numpy()
    if "classes" in case:
        options["label"] = case["classes"]
    if "mixture" in case:
        options["label"] = torch.tensor(case["mixture"]).repeat(case["count"], 1)
    if "shift" in case:
        options["shift"] = torch.tensor(case["shift"]).view(model.latent_shape)
    if "moves" in case and steps is not None:
        options["shift"] = torch.tensor(case["moves"]) @ steps
    return generate(model, case["count"], **options)[0].numpy()


def write_cases(model: Model, directory: Path) -> None:
    """The requests and Python's pictures beside a program."""
    directions = read_json(directory / "program.json").get("directions", [])
    steps = torch.tensor([each["step"] for each in directions]) if directions else None
    asked = cases(model, len(directions))
    (directory / "cases.json").write_text(json.dumps(asked))
    for i, case in enumerate(asked):
        drawn(model, case, steps).tofile(directory / f"{i}.bin")


def differences(directory: Path, *kernel: object) -> dict[str, list[int]]:
    return json.loads(node("tests/live/compare.mjs", directory, *kernel))


def assert_same_pictures(directory: Path) -> None:
    found = differences(directory)
    assert all(max(each) <= 1 for each in found.values()), found


AT_ONCE = {name for name in SHIPPED_PER_FAMILY if not issubclass(get_preset(name).model_class, Integrates)}


@pytest.mark.parametrize(("name",), thinned(((name,) for name in SHIPPED), lambda name: name in AT_ONCE))
def test_shipped_models_draw_pythons_pictures(name: str, tmp_path: Path) -> None:
    needed("node")
    export(name, tmp_path)
    write_cases(load(name), tmp_path)
    assert_same_pictures(tmp_path)


def restless(name: str) -> Model:
    """A tiny model whose every parameter and buffer is at work: nothing is zero, nothing one."""
    model = tiny_model(name)
    with torch.no_grad():
        for key, tensor in model.state_dict().items():
            if tensor.dtype == torch.float32 and key != "weights":  # those of a mixture sum to 1
                tensor.add_(0.3 if "var" in key else torch.randn_like(tensor) * (0.02 if key == "cholesky" else 0.1))
    return model


@pytest.mark.parametrize("name", ONE_PER_FAMILY)
def test_every_family_draws_pythons_pictures_at_odd_sizes(name: str, tmp_path: Path) -> None:
    needed("node")
    model = restless(name)
    (tmp_path / "model").mkdir()
    kept = load(save_tiny(tmp_path / "model", name, model))
    save_program(kept, tmp_path, {})
    write_cases(kept, tmp_path)
    assert_same_pictures(tmp_path)


class Oddities(Model):
    """Every operation where nothing can be folded into what came before it, and every layer of odd sizes."""

    family = "oddities"
    latent_shape = (5,)

    def __init__(self) -> None:
        super().__init__(tiny_model("vae-cnn").config)
        self.linear = nn.Linear(5, 3 * 7 * 7)
        self.norm = nn.BatchNorm2d(3)
        self.group = nn.GroupNorm(3, 3)
        self.scale = nn.Linear(5, 6)
        self.first = nn.Conv2d(3, 5, 3, padding=1)
        self.second = nn.ConvTranspose2d(5, 8, 5, stride=2, padding=2, output_padding=1)
        self.third = nn.Conv2d(8, 6, 4, stride=2, padding=1)
        self.mixed = nn.Conv2d(6 + 3, 4, 1)
        self.last = nn.Conv2d(1, 2, 3, padding=1)
        self.end = nn.Conv2d(3, 1, 5, padding=2, bias=False)
        self.register_buffer("offset", torch.randn(3, 7, 7))

    def sample(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        start = self.linear(z).view(-1, 3, 7, 7)
        normed = self.norm(torch.relu(start)) + start  # `start` is read twice
        affine = self.scale(z)[:, :, None, None]
        moved = nn.functional.leaky_relu(self.group(normed), 0.1) * (1 + affine[:, :3]) + affine[:, 3:]
        moved = torch.tanh(moved * self.offset + self.offset)
        wide = torch.sigmoid(self.second(torch.relu(self.first(moved))))
        joined = self.mixed(torch.cat([self.third(wide), moved.clamp(-0.5, 0.4)], dim=1))
        large = nn.functional.interpolate(nn.functional.pixel_shuffle(joined, 2), scale_factor=2.0)
        both = torch.cat([nn.functional.silu(self.last(large)), large], dim=1)
        packed = nn.functional.pixel_unshuffle(both, 2)
        return torch.tanh(self.end(nn.functional.pixel_shuffle(packed * 1.5 - 0.1, 2)))

    def describe(self, program: Program, z: Value) -> Value:
        start = program.reshape(program.apply(self.linear, z), (3, 7, 7))
        normed = program.add(program.apply(self.norm, program.activation(start, "relu")), start)
        grouped = program.activation(program.apply(self.group, normed), "leaky_relu", slope=0.1)
        moved = program.modulate(grouped, program.apply(self.scale, z))
        moved = program.activation(program.affine(moved, self.offset, self.offset), "tanh")
        first = program.activation(program.apply(self.first, moved), "relu")
        wide = program.activation(program.apply(self.second, first), "sigmoid")
        clamped = program.activation(moved, "clamp", low=-0.5, high=0.4)
        joined = program.apply(self.mixed, program.concatenate(program.apply(self.third, wide), clamped))
        large = program.upsample(program.shuffle(joined, 2), 2)
        both = program.concatenate(program.activation(program.apply(self.last, large), "silu"), large)
        packed = program.rescale(program.unshuffle(both, 2), 1.5, -0.1)
        return program.activation(program.apply(self.end, program.shuffle(packed, 2)), "tanh")

    def train_step(self, x: Tensor, y: Tensor, descend: Callable[[Tensor, str], None]) -> dict[str, Tensor]:
        raise AssertionError("it is never trained")


def save_oddities(directory: Path) -> None:
    """The program, and the requests with Python's pictures."""
    with single_precision():
        model = Oddities().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_((parameter + torch.randn_like(parameter) * 0.1).half())
        model.offset.copy_(model.offset.half())
        model.norm.running_mean.add_(0.2)
        model.norm.running_var.mul_(1.7)
    save_program(model, directory, {})
    write_cases(model, directory)


def test_operations_that_cannot_be_folded(tmp_path: Path) -> None:
    needed("node")
    save_oddities(tmp_path)
    assert_same_pictures(tmp_path)


def test_the_kernel_is_what_its_source_builds(tmp_path: Path) -> None:
    """Compilers differ, so results are compared, not bytes."""
    for program in ("node", "make", "clang", "wasm-ld"):
        needed(program)
    built = tmp_path / "kernel.wasm"
    subprocess.run([*BUILD.split(), f"KERNEL={built}"], cwd=ROOT, check=True, capture_output=True)
    save_oddities(tmp_path / "odd")
    export("vae-gmm-2", tmp_path / "mixture")
    write_cases(load("vae-gmm-2"), tmp_path / "mixture")
    for directory in (tmp_path / "odd", tmp_path / "mixture"):
        found = differences(directory, built)
        assert found["other"] == found["kernel"]
