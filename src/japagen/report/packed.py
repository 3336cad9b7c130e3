"""Scripts and data of the page, packed: gzip in base64, which the page's own script unpacks. Knows not what they hold.

A page that carries Plotly and tens of thousands of texts would be three times as large without it. What is packed is text
in a script element that no browser runs; a packed script runs only because the page's policy names its digest.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from functools import lru_cache


def packed(data: bytes) -> str:
    """The data as gzip in base64; equal data gives an equal text, whenever it is packed."""
    return base64.b64encode(gzip.compress(data, mtime=0)).decode()


def packed_json(value: object) -> str:
    """A value as JSON, packed. JSON in UTF-16 packs Japanese smaller than UTF-8 does, by about a twelfth.

    Raises:
        ValueError: the value holds a number that is not finite.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return packed(text.encode("utf-16-le", "surrogatepass"))


def packed_plotly() -> tuple[str, str]:
    """Plotly's script packed, and its digest for the page's policy."""
    from plotly.offline import get_plotlyjs

    return _packed_script(get_plotlyjs().replace("\r\n", "\n"))


@lru_cache(maxsize=1)
def _packed_script(source: str) -> tuple[str, str]:
    return packed(source.encode()), digest(source)


def digest(script: str) -> str:
    """SHA-256 of a script, as a Content-Security-Policy names it."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
