"""`python -m genlib.worker`: what `genlib.jobs.worker` does, under the name it had before."""

from __future__ import annotations

from genlib.jobs.worker import main

if __name__ == "__main__":
    main()
