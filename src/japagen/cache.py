"""Where japagen keeps what can be made again: the embedded model's file and sentence vectors."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def cache_folder() -> Path:
    """The user's cache: ``$JAPAGEN_CACHE``, else the platform's own place. It need not exist, nor be writable."""
    named = os.environ.get("JAPAGEN_CACHE")
    return Path(named).expanduser() if named else platformdirs.user_cache_path("japagen")
