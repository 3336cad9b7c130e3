"""Licences in cards, and what to mind about the terms of language models: notices, no legal advice."""

from __future__ import annotations

from japagen.errors import DataError, did_you_mean

SPDX = (  # those that the hub knows by the same name in small letters
    *("Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MPL-2.0", "GPL-2.0", "GPL-3.0", "LGPL-2.1"),
    *("LGPL-3.0", "AGPL-3.0", "Unlicense", "WTFPL", "Zlib", "BSL-1.0", "ECL-2.0", "EPL-2.0", "EUPL-1.2"),
    *("CC0-1.0", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-SA-3.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0"),
    *("CC-BY-NC-ND-4.0", "CC-BY-ND-4.0", "PDDL", "CDLA-Permissive-2.0", "CDLA-Sharing-1.0"),
)
_OWN = "LicenseRef-"  # how SPDX names a licence that it does not list
_TERMS = (
    (("embedded", "gemma"), "the Gemma Terms of Use cover what is made with it and want to be passed on"),
    (("gpt", "o1", "o3", "o4"), "OpenAI's Terms of Use forbid models made from its output that compete with OpenAI"),
    (("claude",), "Anthropic's terms forbid models made from its output that compete with Anthropic"),
    (("gemini",), "Google's terms forbid models made from its output that compete with Google"),
    (("llama",), "Meta's community licence asks for 'Built with Llama', and for Llama in the name of models"),
)


def licence_fields(licence: str | None) -> dict[str, str]:
    """What the metadata of a card says of a licence, by its SPDX name; nothing where none is told.

    Raises:
        DataError: SPDX has no such name.
    """
    if licence is None:
        return {}
    known = {name.lower(): name for name in SPDX}
    if licence.lower() in known:
        return {"license": licence.lower()}
    own = licence.removeprefix(_OWN)
    if licence.startswith(_OWN) and own and all(c.isascii() and (c.isalnum() or c in ".-") for c in own):
        return {"license": "other", "license_name": own.lower()}
    remedy = f"{did_you_mean(licence, SPDX)}; a licence of your own is {_OWN}NAME"
    raise DataError(f"'{licence[:60]}' is no licence known here", where="--licence", remedy=remedy)


def terms(llm: str) -> str:
    """What to mind about the terms of the model that wrote, in a sentence without a full stop; never empty."""
    name = llm.lower().rpartition("/")[2].partition(":")
    words = f"{name[0]}-{name[2]}".replace("_", "-").replace(".", "-").split("-")
    for names, notice in _TERMS:
        if any(word == known or (len(known) > 2 and word.startswith(known)) for word in words for known in names):
            return notice
    return "the terms of the model that wrote the texts may limit what is made of them"
