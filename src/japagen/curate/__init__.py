"""Curating: from what a language model wrote to what is worth training on. Every row is kept or dropped with a reason.

The filters that look at one row come first, the cheap ones before the others; then rows are compared with each other.
A row is dropped for the first reason that holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from japagen.curate import duplicates, filters
from japagen.curate.filters import Filter, Finding, Shot
from japagen.progress import Listener, Progress, silent
from japagen.records import Dropped, Example

__all__ = ["CurateSettings", "curate"]

REPORT_EVERY = 1000  # rows between two reports of progress


@dataclass(frozen=True, slots=True)
class CurateSettings:
    """Limits of the filters.

    Attributes:
        min_chars, max_chars: length of a text in characters.
        min_japanese: share of kana and kanji among the letters of a text.
        max_repeated: share of character 4-grams that occurred before in the text.
        shot_similarity: Jaccard similarity of character 3-grams from which a text is a copy of one of the shots;
            None does not look for copies.
        near_duplicate: the same, between two texts of one label (pairs: both texts joined); None does not look for
            near-duplicates.
        same_sentences: label of which a pair may be one sentence twice: the highest of a similarity; None: no pair may.
    """

    min_chars: int = 5
    max_chars: int = 200
    min_japanese: float = 0.6
    max_repeated: float = 0.35
    shot_similarity: float | None = 0.8
    near_duplicate: float | None = 0.8
    same_sentences: str | None = None

    def filters(self, shots: Sequence[Shot], fragments: Sequence[str]) -> list[Filter]:
        """The filters that look at one row, in the order in which they are asked."""
        asked = [
            filters.too_short(self.min_chars),
            filters.too_long(self.max_chars),
            filters.garbled(),
            filters.not_japanese(self.min_japanese),
            filters.repetition(self.max_repeated),
            filters.prompt_echo(fragments),
            filters.same_sentences(self.same_sentences),
        ]
        if self.shot_similarity is not None:
            asked.append(filters.shot_copy(shots, self.shot_similarity))
        return asked


def curate(
    examples: Sequence[Example],
    *,
    settings: CurateSettings | None = None,
    shots: Sequence[Shot] = (),
    fragments: Sequence[str] = (),
    on_progress: Listener = silent,
) -> tuple[list[Example], list[Dropped]]:
    """Sort rows into those to train on and those dropped, both in their order; each row is in exactly one of the two.

    Args:
        examples: what was generated.
        settings: the limits; None takes the defaults.
        shots: the example texts of the prompts; for pairs (first text, second text).
        fragments: other parts of the prompts that must not turn up in a text: meanings of labels, instructions (of both
            sentences of a pair), names of fields with their colon.
        on_progress: told how far each label is; the last word on a label comes after the search for duplicates.
    """
    settings = settings or CurateSettings()
    findings = _look_at_each(examples, settings.filters(shots, fragments), on_progress)
    _look_across(examples, findings, settings.near_duplicate)
    kept = [example for i, example in enumerate(examples) if i not in findings]
    dropped = [Dropped(example, *findings[i]) for i, example in enumerate(examples) if i in findings]
    totals, losses = Counter(e.label for e in examples), Counter(d.example.label for d in dropped)
    for label, total in totals.items():
        lost = losses[label]
        on_progress(Progress("curate", label, done=total, total=total, kept=total - lost, dropped=lost))
    return kept, dropped


def _look_at_each(examples: Sequence[Example], asked: Sequence[Filter], on_progress: Listener) -> dict[int, Finding]:
    totals = Counter(example.label for example in examples)
    done: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    findings: dict[int, Finding] = {}
    for i, example in enumerate(examples):
        label = example.label
        if done[label] % REPORT_EVERY == 0:
            kept = done[label] - lost[label]
            on_progress(Progress("curate", label, done[label], totals[label], kept=kept, dropped=lost[label]))
        found = next((found for ask in asked if (found := ask(example))), None)
        if found:
            findings[i] = found
            lost[label] += 1
        done[label] += 1
    return findings


def _look_across(examples: Sequence[Example], findings: dict[int, Finding], similarity: float | None) -> None:
    """Add to the findings what shows when the rows without one are compared: the same texts, then the similar ones."""

    def rest() -> list[int]:
        return [i for i in range(len(examples)) if i not in findings]

    left = rest()
    findings.update((left[j], found) for j, found in duplicates.same_texts([examples[i] for i in left]).items())
    if similarity is not None:
        left = rest()
        near = duplicates.near_texts([examples[i] for i in left], similarity)
        findings.update((left[j], found) for j, found in near.items())
