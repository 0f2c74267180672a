"""What the commands for the live studio do."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def run_export(options: argparse.Namespace) -> None:
    """Write a model's live program and the weights that it names, or the model as ONNX."""
    from genlib.live.export import PROGRAM_FILE, WEIGHTS_FILE, export
    from genlib.live.onnx_file import FILE, export_onnx

    directory = Path(options.out)
    files = (FILE,) if options.format == "onnx" else (PROGRAM_FILE, WEIGHTS_FILE)
    (export_onnx if options.format == "onnx" else export)(options.name, directory, options.weights)
    sizes = {file: (directory / file).stat().st_size for file in files}
    print(f"{directory}: {', '.join(f'{file} ({size:,} bytes)' for file, size in sizes.items())}")


def run_site(options: argparse.Namespace) -> None:
    """Write the static site, and say which models it lacks."""
    from genlib.io.files import size_megabytes
    from genlib.publish.site.folder import write_site

    for name, error in write_site(Path(options.out), options.models).items():
        print(f"{name} is left out: {error}", file=sys.stderr)
    size = size_megabytes(Path(options.out))
    print(f"{options.out}: {size:.0f} MB; to look at it: python -m http.server --directory {options.out}")
