"""`python -m ratings FILE`; what it does is told in `ratings.program`."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    try:
        # Imported here, so that Ctrl-C is quiet from the first moment on.
        from ratings.program import main

        status = main(sys.argv[1:])
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)
