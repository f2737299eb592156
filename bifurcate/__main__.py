"""``python -m bifurcate``: the command."""

import sys

from bifurcate.cli import main

if __name__ == "__main__":
    sys.exit(main())
