"""The command line. Threads beside other programs are to wait without spinning, which is decided before torch loads."""

import os

from genlib.threads import cores_are_shared, spinning_less

if cores_are_shared():
    os.environ.update(spinning_less())
