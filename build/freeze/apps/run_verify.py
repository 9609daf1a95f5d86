"""The verifier as a program of its own: `trueseat-verify verify class.zip --trust class.trust`, as `ledger` does.

Without a command (a double click, a file dropped on it), and under the name `trueseat-report`, it is the page for
people with no terminal.
"""

import multiprocessing
import sys
from pathlib import Path


def _is_page(arguments: list[str]) -> bool:
    named = Path(sys.argv[0]).stem == "trueseat-report"
    return named or not arguments or arguments[0] == "report" or Path(arguments[0]).exists()


if __name__ == "__main__":
    multiprocessing.freeze_support()  # --jobs
    if _is_page(sys.argv[1:]):
        import report

        sys.exit(report.main(sys.argv[2:] if sys.argv[1:2] == ["report"] else sys.argv[1:]))
    from ledger.__main__ import main
    from ledger.parallel import collect_seldom

    collect_seldom()
    sys.exit(main())
