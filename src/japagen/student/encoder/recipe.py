"""How an encoder is fine-tuned, with nothing left open: the experiment's section, and what the model needs where it is null.

The paper: batch 32, 4 epochs, AdamW, learning rate 5e-5. Warm-up, decay and lengths are those of JGLUE's scripts. The
values for use-multilingual were chosen on an eighth of JSTS train, split by image (benchmarks/quality/use_multilingual.py).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from japagen.sections import EncoderSection

MULTILINGUAL = "use-multilingual"


@dataclass(frozen=True, slots=True)
class Recipe:
    """The section with its nulls filled in; see `experiment.EncoderSection` for what each value means."""

    section: EncoderSection
    epochs: int
    learning_rate: float
    head_learning_rate: float
    max_length: int


def recipe_of(section: EncoderSection, *, pair: bool, rows: int) -> Recipe:
    """What the section says, and for the rest the paper's recipe or that of use-multilingual.

    A few rows would be over after a few steps, in which nothing is learnt: they are gone over more often, until
    `min_steps` is reached.
    """
    own = section.model == MULTILINGUAL
    fewest = math.ceil(section.min_steps / math.ceil(rows / section.batch_size))
    rate = section.learning_rate or (3e-4 if own else 5e-5)
    return Recipe(
        section,
        epochs=max(section.epochs or (3 if own else 4), fewest),
        learning_rate=rate,
        head_learning_rate=section.head_learning_rate or (1e-3 if own else rate),
        max_length=section.max_length or (128 if pair else 512),
    )
