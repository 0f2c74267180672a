"""Tensors, and facts about them as JSON in the header, in one safetensors file."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from genlib.errors import GenlibError, parsing
from genlib.io.files import check_file, write_file


def write_tensors(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Write tensors (any device and memory format) and facts, whole or not at all."""
    dense = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_file(path, save(dense, metadata={"facts": json.dumps(facts)}))


def read_tensors(path: Path, most: float = math.inf) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and facts; GenlibError where the file is missing, damaged or of more than `most` bytes."""
    check_file(path, most)
    with parsing(path.name), safe_open(path, "pt") as file:
        facts = json.loads((file.metadata() or {})["facts"])
        if not isinstance(facts, dict):
            raise GenlibError(f"{path.name} holds no JSON object of facts")
        return {name: file.get_tensor(name) for name in file.keys()}, facts  # noqa: SIM118 - not a dict
