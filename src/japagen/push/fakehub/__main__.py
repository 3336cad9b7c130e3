"""``python -m japagen.push.fakehub``: the hub as a process of its own."""

from __future__ import annotations

import sys

from japagen.errors import JapagenError
from japagen.push.fakehub import main

if __name__ == "__main__":
    try:
        main()
    except JapagenError as error:
        sys.exit(str(error))
