"""A run's state in one file: it comes back whole, optimisers' moments in their parameters' memory format."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from genlib.training.checkpoint import (
    checkpoint_seconds,
    optimizer_tensors,
    read_checkpoint,
    restore_optimizer,
    write_checkpoint,
)
from tests.tiny import refused

FACTS = {"step": 7, "history": [{"epoch": 1, "losses": {"loss": 0.1}}], "seconds": 1.5}


def convolution() -> nn.Conv2d:
    """Several input channels: its channels_last weights are not laid out as a dense tensor is."""
    torch.manual_seed(0)
    return nn.Conv2d(6, 4, 3).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def adam(module: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.Adam(module.parameters(), lr=0.1, fused=True)


def descend(module: nn.Module, optimizer: torch.optim.Optimizer, seed: int) -> None:
    x = torch.randn(2, 6, 8, 8, generator=torch.Generator().manual_seed(seed))
    optimizer.zero_grad()
    module(x.contiguous(memory_format=torch.channels_last)).square().sum().backward()
    optimizer.step()


def test_round_trip(tmp_path: Path) -> None:
    tensors = {
        "dense": torch.randn(3, 4),
        "strided": torch.randn(2, 6, 5, 5).to(memory_format=torch.channels_last),
        "bytes": torch.arange(5, dtype=torch.uint8),
        "scalar": torch.tensor(0.1, dtype=torch.float64),
    }
    write_checkpoint(tmp_path / "new" / "last.safetensors", tensors, FACTS)
    found, facts = read_checkpoint(tmp_path / "new" / "last.safetensors")
    assert found.keys() == tensors.keys()
    assert all(torch.equal(found[name], tensors[name]) for name in tensors)
    assert {key: facts[key] for key in FACTS} == FACTS
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["last.safetensors"]


def test_a_resumed_optimiser_takes_the_same_step(tmp_path: Path) -> None:
    module = convolution()
    optimizer = adam(module)
    for seed in range(3):
        descend(module, optimizer, seed)
    tensors = optimizer_tensors("adam", optimizer) | {f"model.{k}": v for k, v in module.state_dict().items()}
    write_checkpoint(tmp_path / "c", tensors, {})
    resumed, tensors = convolution(), read_checkpoint(tmp_path / "c")[0]
    resumed.load_state_dict({k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")})
    other = adam(resumed)
    restore_optimizer("adam", other, tensors)
    for mine, theirs in zip(other.state.values(), optimizer.state.values(), strict=True):
        assert mine["exp_avg"].stride() == theirs["exp_avg"].stride()
        assert mine["exp_avg_sq"].stride() == theirs["exp_avg_sq"].stride()
        assert mine["step"].shape == theirs["step"].shape
    descend(module, optimizer, 9)
    descend(resumed, other, 9)
    assert torch.equal(module.weight, resumed.weight)
    assert torch.equal(module.bias, resumed.bias)  # type: ignore[arg-type]


def test_memory_format_is_worth_a_test() -> None:
    """The weights above really lie in another order than the file's."""
    weight = convolution().weight
    assert weight.stride() != weight.contiguous().stride()


def test_optimisers_are_kept_apart() -> None:
    first, second = nn.Linear(2, 1), nn.Linear(2, 1)
    optimizers = {"a": adam(first), "ab": adam(second)}
    for module, optimizer in zip((first, second), optimizers.values(), strict=True):
        module(torch.ones(1, 2) * (2 if module is second else 1)).sum().backward()
        optimizer.step()
    tensors = {k: v for name, optimizer in optimizers.items() for k, v in optimizer_tensors(name, optimizer).items()}
    fresh = adam(nn.Linear(2, 1))
    restore_optimizer("a", fresh, tensors)
    moments = [state["exp_avg"] for state in fresh.state.values()]
    expected = [state["exp_avg"] for state in optimizers["a"].state.values()]
    assert all(torch.equal(one, other) for one, other in zip(moments, expected, strict=True))


@pytest.mark.parametrize("kept", [0, 5, 200, -1])
def test_a_torn_file_is_refused(kept: int, tmp_path: Path) -> None:
    path = tmp_path / "last.safetensors"
    write_checkpoint(path, {"t": torch.randn(100)}, FACTS)
    path.write_bytes(path.read_bytes()[:kept])
    with refused(f"checkpoint {path} is damaged and cannot be resumed"):
        read_checkpoint(path)


def test_another_version_or_another_file_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    path = tmp_path / "last.safetensors"
    save_file({"t": torch.zeros(1)}, path, metadata={"facts": '{"version": 99}'})
    with refused("is of version 99; this genlib reads 1"):
        read_checkpoint(path)
    for metadata in (None, {"facts": "{"}, {"facts": "[" * 100_000}, {"other": "1"}):
        save_file({"t": torch.zeros(1)}, path, metadata=metadata)
        with refused("is damaged and cannot be resumed"):
            read_checkpoint(path)
    with refused("is damaged and cannot be resumed"):
        read_checkpoint(tmp_path / "missing")


def test_a_failed_write_leaves_the_old_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "last.safetensors"
    write_checkpoint(path, {"t": torch.zeros(1)}, {"step": 1})

    def full_disk(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with refused("cannot write .*: No space left on device"):
        write_checkpoint(path, {"t": torch.ones(1)}, {"step": 2})
    assert read_checkpoint(path)[1]["step"] == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["last.safetensors"]


def test_the_time_between_checkpoints_is_the_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checkpoint_seconds() == 60
    monkeypatch.setenv("GENLIB_CHECKPOINT_SECONDS", " 2.5 ")
    assert checkpoint_seconds() == 2.5
    for wrong in ("soon", "-1", "nan", "inf"):
        monkeypatch.setenv("GENLIB_CHECKPOINT_SECONDS", wrong)
        with refused(f"^GENLIB_CHECKPOINT_SECONDS takes a number of seconds from 0, not '{wrong}'$"):
            checkpoint_seconds()


def test_a_moment_of_another_shape_or_type_is_refused() -> None:
    """A fused optimiser would read and write past its end."""
    layer = nn.Linear(3, 2)
    optimizer = torch.optim.Adam(layer.parameters(), fused=True)
    layer(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    tensors = optimizer_tensors("own", optimizer)
    restore_optimizer("own", torch.optim.Adam(layer.parameters(), fused=True), tensors)
    for key, wrong, told in (
        ("exp_avg", torch.zeros(1), r"\(1,\), not \(2, 3\)"),
        ("exp_avg_sq", torch.zeros(()), r"\(\), not \(2, 3\)"),
        ("step", torch.zeros(2, 3), r"\(2, 3\), not \(\)"),
    ):
        with refused(f"{key} has shape {told}"):
            restore_optimizer("own", optimizer, tensors | {f"optimizer.own.0.{key}": wrong})
    for key in ("exp_avg", "step"):
        name = f"optimizer.own.0.{key}"
        with refused(f"{key} is of torch.int64, not torch.float32"):
            restore_optimizer("own", optimizer, tensors | {name: tensors[name].long()})
