"""What the commands for the live studio do."""

from __future__ import annotations

import argparse
from pathlib import Path


def run_export(options: argparse.Namespace) -> None:
    """Write a model's live program and the weights that it names."""
    from genlib.live.export import PROGRAM_FILE, WEIGHTS_FILE, export

    directory = Path(options.out)
    export(options.name, directory, options.weights)
    sizes = {file: (directory / file).stat().st_size for file in (PROGRAM_FILE, WEIGHTS_FILE)}
    print(f"{directory}: {', '.join(f'{file} ({size:,} bytes)' for file, size in sizes.items())}")
