"""Texts with named gaps: ``「{word}」の感想を書いてください。``

Braces that are meant are written twice: ``{{`` and ``}}``.
"""

from __future__ import annotations

import re
from functools import lru_cache

_GAP = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")


@lru_cache(maxsize=1024)
def gaps(template: str) -> tuple[str, ...]:
    """Names of a template's gaps, each once, in order.

    >>> gaps("「{word}」を{register}で。{{そのまま}}")
    ('word', 'register')
    """
    return tuple(dict.fromkeys(found[1] for found in _GAP.finditer(template) if found[1] is not None))


def fill(template: str, **values: str) -> str:
    """Put values into the gaps; braces inside a value are left alone, and so are gaps without a value.

    >>> fill("{word}の感想：", word="本")
    '本の感想：'
    >>> fill("{{{word}}}", word="{a}")
    '{{a}}'
    """

    def put(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0][0]
        return values.get(found[1], found[0])

    return _GAP.sub(put, template)


def literal(text: str) -> str:
    """A template that means exactly this text.

    >>> fill(literal("{word}"), word="本")
    '{word}'
    """
    return text.replace("{", "{{").replace("}", "}}")
