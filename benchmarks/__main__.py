"""The command line: `python -m benchmarks [name ...] [--quick]`."""

from __future__ import annotations

import argparse
import importlib
import platform
import sys
import time

import torch

from benchmarks.report import Unavailable, load_average
from genlib.errors import GenlibError

NAMES = ("training", "processes", "sampling", "measuring", "em", "live", "web", "site", "slider", "load", "pages")


def main() -> int:
    """Run the named benchmarks, all without a name; 1 where one could not run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure genlib and print tables.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"any of {', '.join(NAMES)}; all without")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and less data: a look, not a figure")
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in NAMES:
            print(f"no benchmark {name!r}; benchmarks are {', '.join(NAMES)}", file=sys.stderr)
            return 2
    print(
        f"Python {platform.python_version()}, torch {torch.__version__}, {torch.get_num_threads()} threads, "
        f"{platform.machine()}{', quick' if arguments.quick else ''}"
    )
    return max(_run(name, arguments.quick) for name in arguments.names or NAMES)


def _run(name: str, quick: bool) -> int:
    load, started = load_average(), time.perf_counter()
    try:
        importlib.import_module(f"benchmarks.{name}").run(quick)
    except (Unavailable, GenlibError) as error:
        print(f"\n{name}: not measured: {error}", flush=True)
        return 1
    print(f"  load average {load} before the start; took {time.perf_counter() - started:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
