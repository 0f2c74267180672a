"""`python -m genlib.estimate`: what `genlib.training.estimate` does, under the name it had before."""

from __future__ import annotations

import sys

from genlib.training.estimate import main

if __name__ == "__main__":
    sys.exit(main())
