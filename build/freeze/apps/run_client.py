"""The client as a program of its own: `trueseat`, `trueseat doctor --json`, …"""

import multiprocessing
import sys

if __name__ == "__main__":
    multiprocessing.freeze_support()  # the detectors' process is this program again
    from client.__main__ import main

    sys.exit(main())
