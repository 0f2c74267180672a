"""The command line with a zoo of a few small presets: python -m tests.tiny_zoo '{"vae-dense-8": {"epochs": 2}}' ..."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import Any

from genlib import model
from genlib.__main__ import main
from tests.workers import SMALL


def shrink(settings: dict[str, dict[str, Any]]) -> None:
    """Leave these presets alone, each small and otherwise changed as given.

    The workers know the zoo as it is: what they train is what their run's run.json says.
    """
    small = {
        name: replace(preset, config=preset.config.replace(**SMALL | settings[name]))
        for name, preset in model.presets().items()
        if name in settings
    }
    model.PRESETS.clear()
    model.PRESETS.update(small)


if __name__ == "__main__":
    shrink(json.loads(sys.argv[1]))
    sys.exit(main(sys.argv[2:]))
