"""Writes the pages: ``python -m japagen.reference docs/reference``."""

import sys
from pathlib import Path

from japagen.reference import write_pages

write_pages(Path(sys.argv[1]))
