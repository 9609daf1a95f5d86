"""mediapipe imports matplotlib for drawings that are never drawn: an empty module of that name is enough."""

import sys
import types

for _name in ("matplotlib", "matplotlib.pyplot"):
    sys.modules[_name] = types.ModuleType(_name)
sys.modules["matplotlib"].pyplot = sys.modules["matplotlib.pyplot"]  # type: ignore[attr-defined]
