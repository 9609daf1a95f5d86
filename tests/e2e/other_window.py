"""Another program's window, in front, over the whole screen, until it is killed."""

from __future__ import annotations

import time

import xcffib
import xcffib.xproto as xp


def main() -> None:
    """Map it and wait."""
    x = xcffib.connect()
    screen = x.get_setup().roots[0]
    window = x.generate_id()
    size = (screen.width_in_pixels, screen.height_in_pixels)
    x.core.CreateWindow(
        0, window, screen.root, 0, 0, *size, 0, xp.WindowClass.InputOutput, 0, xp.CW.BackPixel, [0x888888]
    )
    x.core.MapWindow(window)
    x.flush()
    while True:
        time.sleep(1)


if __name__ == "__main__":
    main()
