"""Personal data: what would lead to a person or an account. Patterns only; names of people are not looked for."""

from __future__ import annotations

import re

from japagen.curate.filters.finding import Filter, Finding, each_text
from japagen.japanese import normalise

_DASH = "[-‐‑–−ー]"
_PLACE = "[一-龥々ヶケァ-ヶー]{1,10}"
_PATTERNS = {
    "e-mail address": re.compile(r"[A-Za-z0-9][\w.+-]*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+", re.ASCII),
    "telephone number": re.compile(
        rf"(?<![\d.,-])(?:\+81[- ]?\d{{1,4}}|0\d{{1,4}})(?:{_DASH}|[()] ?| )\d{{1,4}}(?:{_DASH}|[()] ?| )\d{{3,4}}(?![\d-])"
        r"|(?<![\d.,-])0[5789]0\d{8}(?!\d)"
    ),
    "card number": re.compile(r"(?<!\d)\d{4}([- ])\d{4}\1\d{4}\1\d{4}(?!\d)"),
    "postal code": re.compile(
        rf"〒\s*\d{{3}}{_DASH}?\d{{4}}(?!\d)|(?<![\d-])\d{{3}}{_DASH}\d{{4}}\s*{_PLACE}[都道府県市区]"
    ),
    "address": re.compile(
        rf"[都道府県市区町村郡]{_PLACE}\s*\d+(?:丁目\s*\d+(?:番地?|{_DASH}\d+)|番地|番\s*\d+号|{_DASH}\d+{_DASH}\d+)"
    ),
    "page of a person": re.compile(
        r"https?://[^\s]*?(?:/users?/|/people/|/profiles?/|/in/|/@|/~)[\w.-]+"
        r"|(?<![\w-])(?<!pic\.)(?:twitter|x|instagram|facebook|tiktok|threads)\.(?:com|net)/(?!(?:search|explore|hashtag|share|help|about)\b)@?[\w.]{2,}",
        re.ASCII,
    ),
}


def personal_data() -> Filter:
    """A telephone number, e-mail or postal address, card number or the page of a person?"""

    def check(text: str) -> Finding | None:
        whole = normalise(text)
        for kind, pattern in _PATTERNS.items():
            if found := pattern.search(whole):
                return "personal_data", f"{kind} {found.group()}"
        return None

    return each_text(check)
