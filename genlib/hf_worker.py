"""`python -m genlib.hf_worker`: what `genlib.remote.worker` does, under the name it had before."""

from __future__ import annotations

import sys

from genlib.remote.worker import main

if __name__ == "__main__":
    sys.exit(main())
