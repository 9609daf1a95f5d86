"""The verifier as a program of its own: `trueseat-verify verify class.zip --trust class.trust`."""

import multiprocessing
import sys

if __name__ == "__main__":
    multiprocessing.freeze_support()  # --jobs
    from ledger.__main__ import main
    from ledger.parallel import collect_seldom

    collect_seldom()
    sys.exit(main())
