"""The agent as a program of its own: `trueseat-agent scan --once`; the client starts it with `watch`."""

import sys

if __name__ == "__main__":
    from agent.__main__ import main

    sys.exit(main())
