"""How the report writes numbers, names systems, and says of a difference whether it is one.

Every claim of better, worse or "not distinguishable" is read off an interval and a p value that `evaluate` computed;
nothing is estimated here, and where no interval is given no claim is made. Knows nothing of HTML.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from japagen.report.language import language, message, say

JSON = Mapping[str, Any]
Verdict = Literal["better", "worse", "unclear", "unknown"]

METRICS = {
    "accuracy": message("accuracy"),
    "macro_f1": message("macro F1"),
    "mcc": message("Matthews correlation"),
    "spearman": message("Spearman correlation"),
    "pearson": message("Pearson correlation"),
}
VERDICTS: dict[Verdict, str] = {
    "better": message("better"),
    "worse": message("worse"),
    "unclear": message("not distinguishable"),
    "unknown": message("no interval"),
}
STAGES = {
    "generate": message("generate"),
    "curate": message("curate"),
    "train": message("train"),
    "evaluate": message("evaluate"),
    "analyze": message("analyze"),
    "report": message("report"),
    "judge": message("judge"),
}
SOURCES = {"synthetic": message("synthetic"), "gold": message("gold")}
SPLITS = {"train": message("train|split"), "dev": message("dev"), "test": message("test"), "all": message("all|split")}
REASONS = {
    "empty": message("empty"),
    "truncated": message("truncated"),
    "missing": message("missing"),
    "refused": message("refused"),
    "first_empty": message("first empty"),
    "first_truncated": message("first truncated"),
    "first_missing": message("first missing"),
    "first_refused": message("first refused"),
    "no reply": message("no reply"),
    "too_short": message("too short"),
    "too_long": message("too long"),
    "garbled": message("garbled"),
    "not_japanese": message("not japanese"),
    "repetition": message("repetition"),
    "prompt_echo": message("prompt echo"),
    "meta_talk": message("meta talk"),
    "refusal": message("refusal"),
    "incomplete": message("incomplete"),
    "too_few_words": message("too few words"),
    "too_many_words": message("too many words"),
    "same_sentences": message("same sentences"),
    "shot_copy": message("shot copy"),
    "label_leak": message("label leak"),
    "personal_data": message("personal data"),
    "duplicate": message("duplicate"),
    "label_conflict": message("label conflict"),
    "near_duplicate": message("near duplicate"),
    "contamination": message("contamination"),
    "surplus": message("surplus"),
    "judge": message("judge"),
    "label_noise": message("label noise"),
    "not_sampled": message("not sampled"),
    "whitespace": message("whitespace"),
    "list_mark": message("list mark"),
    "quotes": message("quotes"),
}
"""Checks, repairs and other reasons why a row went."""
FATES = {"requested": message("requested"), "failed": message("failed"), "dropped": message("dropped")} | {
    "kept": message("kept")
}
ALPHA = 0.05
"""A corrected p value below this tells a difference from chance."""
JAPANESE = re.compile("[\u3005-\u30ff\u3400-\u9fff\uff66-\uff9f]")


def finite(value: object) -> float | None:
    """The value as a float; None for what is no finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def number(value: object, digits: int = 2, *, sign: bool = False) -> str:
    """A number as statisticians print it: no zero before the point, a real minus, never ".00" for what is not zero.

    >>> number(0.814), number(-0.031, sign=True), number(0.0004), number(1), number(None)
    ('.81', '−.03', '.0004', '1.00', 'not known')
    """
    x = finite(value)
    if x is None:
        return say("not known")
    while x and digits < 4 and not round(x, digits):
        digits += 1
    text = f"{abs(x):.{digits}f}"
    text = text[1:] if text.startswith("0.") else text
    minus = "−" if round(x, digits) < 0 else "+" if sign and round(x, digits) > 0 else ""
    return minus + text


def count(value: object) -> str:
    """A whole number with its thousands marked."""
    x = finite(value)
    return say("not known") if x is None else f"{x:,.0f}"


def percent(part: float) -> str:
    """A share in per cent with one digit; never 0.0 for what is not zero.

    >>> percent(0.1234), percent(0.0001), percent(0.0)
    ('12.3 %', '< 0.1 %', '0 %')
    """
    if not part:
        return say("{n} %", n=0)
    return say("< {n} %", n=0.1) if part < 0.0005 else say("{n} %", n=f"{100 * part:.1f}")


def bounds(score: JSON | None, digits: int = 2, *, sign: bool = False) -> str:
    """The interval of a score, ``[.76, .86]``; empty where there is none."""
    low, high = (finite((score or {}).get(key)) for key in ("low", "high"))
    if low is None or high is None:
        return ""
    return f"[{number(low, digits, sign=sign)}, {number(high, digits, sign=sign)}]"


def scored(score: JSON | None, digits: int = 2, *, sign: bool = False) -> str:
    """A score and its interval: ``.81 [.76, .86]``; "undefined" for one that has no value for its input."""
    if is_undefined(score):
        return say("undefined")
    value = number((score or {}).get("value"), digits, sign=sign)
    return f"{value} {bounds(score, digits, sign=sign)}".rstrip()


def is_undefined(score: JSON | None) -> bool:
    """Whether a score was computed and has no value, as the correlation with a constant."""
    return bool((score or {}).get("undefined")) and finite((score or {}).get("value")) is None


def duration(seconds: object) -> str:
    """A time span as one says it: ``3 min 20 s``."""
    x = finite(seconds)
    if x is None:
        return say("not known")
    if x < 60:
        return say("{n} s", n=f"{x:.1f}" if x < 10 else f"{x:.0f}")
    minutes, rest = divmod(round(x), 60)
    if minutes < 60:
        return say("{minutes} min {seconds} s", minutes=minutes, seconds=rest)
    return say("{hours} h {minutes} min", hours=minutes // 60, minutes=minutes % 60)


def join(parts: Sequence[str]) -> str:
    """'a, b and c', or 「a、b、c」."""
    if language() == "ja":
        return "、".join(parts)
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def listed(parts: Iterable[object]) -> str:
    """'a, b, c', or 「a、b、c」: a list that is no part of a sentence."""
    return ("、" if language() == "ja" else ", ").join(map(str, parts))


def named(parts: Iterable[object]) -> str:
    """Words or labels that a sentence names, each in quotes: 'a', 'b', or 「a」「b」."""
    if language() == "ja":
        return "".join(f"「{part}」" for part in parts)
    return ", ".join(f"'{part}'" for part in parts)


def run_on(sentences: Iterable[str]) -> str:
    """Sentences one after the other; Japanese has no space between them."""
    return ("" if language() == "ja" else " ").join(sentences)


def metric_name(metric: str) -> str:
    """The metric as one says it."""
    return say(METRICS[metric]) if metric in METRICS else metric.replace("_", " ")


def verdict_name(found: Verdict) -> str:
    """The verdict as it stands in a column."""
    return say(VERDICTS[found])


def stage_name(stage: str) -> str:
    """The stage, or what else used a model, as one says it."""
    return say(STAGES[stage]) if stage in STAGES else stage


def source_name(source: str) -> str:
    """Synthetic or gold, as one says it."""
    return say(SOURCES[source]) if source in SOURCES else source


def reason_name(reason: str) -> str:
    """A check, a repair or another reason, as one says it."""
    return say(REASONS[reason]) if reason in REASONS else reason.replace("_", " ")


def fate_name(fate: str) -> str:
    """What became of a row, as one says it."""
    return say(FATES[fate]) if fate in FATES else fate


def capital(text: str) -> str:
    """The text with a capital at its head; the rest as it is."""
    return f"{text[:1].upper()}{text[1:]}"


def split_name(split: str) -> str:
    """A part of the gold data as one says it."""
    return say(SPLITS[split]) if split in SPLITS else split


def metric_of(scores: JSON) -> str:
    """The task's metric; accuracy where none is named."""
    return str(scores.get("metric") or "accuracy")


def score_of(system: JSON, metric: str) -> JSON:
    """One score of a system; empty where it was not computed."""
    found: JSON = (system.get("scores") or {}).get(metric) or {}
    return found


def things_of(told: JSON) -> str:
    """What the rows are by their `kind`: texts or pairs of texts."""
    return say("pairs of texts") if told.get("kind") in ("pair", "similarity") else say("texts")


def systems_of(scores: JSON, kind: str) -> list[JSON]:
    """The systems of one kind, in the order of the file."""
    return [system for system in scores.get("systems") or () if system.get("kind") == kind]


def primary_of(scores: JSON) -> JSON | None:
    """The system that the report is about: the one named, else the first that was trained on synthetic texts."""
    named = [s for s in scores.get("systems") or () if s.get("name") == scores.get("primary")]
    return next(iter([*named, *systems_of(scores, "japagen")]), None)


def verdict(difference: JSON | None) -> Verdict:
    """What a difference (another system minus the primary) says of the other system.

    Better or worse where the interval lies wholly on one side of zero and, if p values were corrected for the number of
    comparisons, the corrected one is below `ALPHA` too.
    """
    low, high, corrected = (finite((difference or {}).get(key)) for key in ("low", "high", "p_holm"))
    if low is None or high is None:
        return "unknown"
    if corrected is not None and corrected >= ALPHA:
        return "unclear"
    return "better" if low > 0 else "worse" if high < 0 else "unclear"


def gap(difference: JSON | None) -> str:
    """A difference and its interval, ``+.04 [+.01, +.07]``; and the corrected p where it forbids what the interval says."""
    told, uncorrected = scored(difference, sign=True), {**(difference or {}), "p_holm": None}
    forbids = verdict(difference) == "unclear" and verdict(uncorrected) != "unclear"
    if not forbids:
        return told
    return say("{difference}, corrected p {p}", difference=told, p=probability((difference or {})["p_holm"]))


def probability(p: object) -> str:
    """A p value with its sign of comparison, with as many digits as it takes to see on which side of `ALPHA` it is.

    >>> probability(0.0002), probability(0.0124), probability(0.41), probability(0.04996), probability(None)
    ('< .001', '= .012', '= .41', '= .04996', 'not known')
    """
    x = finite(p)
    if x is None:
        return say("not known")
    if x < 0.001:
        return "< .001"
    digits = 2 if x >= 0.1 else 3
    while digits < 9 and (round(x, digits) < ALPHA) != (x < ALPHA):
        digits += 1
    return f"= {number(x, digits)}"


def probability_cell(p: object) -> str:
    """A p value as it stands in a column; empty where there is none."""
    return "" if finite(p) is None else probability(p).removeprefix("= ")


def system_label(system: JSON) -> str:
    """A short name that is clear below the heading of its kind."""
    tail = str(system.get("name") or "unnamed").rpartition("/")[2]
    student = system.get("student") or tail
    match system.get("kind"):
        case "japagen":
            return say("{student} ensemble", student=student) if tail.endswith(" ensemble") else str(student)
        case "arm":
            return f"{student}, {system_arm(system).replace('-', ' ')}"
        case "gold":
            return f"{student}, K = {size_of(system)}"
        case "supervised":
            return str(student)
        case "majority":
            return say("most frequent label")
        case _:
            return tail.replace("_", " ")


def system_arm(system: JSON) -> str:
    """The name of the rows that a system of kind "arm" learnt from."""
    return str(system.get("name") or "unnamed").partition("/")[0]


def system_phrase(system: JSON) -> str:
    """What a system is, to be said in a sentence."""
    label = system_label(system)
    student = _named(system, str(system.get("student") or label) if system.get("kind") in ("arm", "gold") else label)
    match system.get("kind"):
        case "japagen":
            return say("the {student} trained on {texts}", student=student, texts=training_texts(system))
        case "arm":
            arm = system_arm(system).replace("-", " ")
            return say("the {student} trained on '{arm}'", student=student, arm=arm)
        case "gold":
            k = size_of(system)
            return say("the {student} trained on {k} gold examples per label", student=student, k=k)
        case "supervised":
            return say("the {student} trained on all gold examples", student=student)
        case "prompted":
            return say("{way} prompting of the LLM", way=label)
        case "majority":
            return say("always giving the same answer")
        case _:
            return label


def _named(system: JSON, label: str) -> str:
    ensemble = label.endswith(" ensemble") or str(system.get("name") or "").endswith(" ensemble")
    return label if ensemble else say("{student} student", student=label)


def size_of(system: JSON) -> str:
    """How many gold examples of each label it was given."""
    return say("all|examples") if system.get("k") is None else count(system.get("k"))


def training_texts(system: JSON | None) -> str:
    """What a system of kind japagen learnt from."""
    anchored = finite((system or {}).get("anchor_rows"))
    return say("synthetic and gold texts") if anchored else say("synthetic texts")


def sizes(stages: JSON | None, things: str = "texts") -> str:
    """Where the rows went, in one sentence; empty where no stage says."""
    wrote = ((stages or {}).get("generate") or {}).get("accounting") or {}
    kept = ((stages or {}).get("curate") or {}).get("accounting") or {}
    if not wrote and not kept:
        return ""
    parts = []
    if wrote:
        parts.append(say("{n} {things} were asked for", n=count(wrote.get("requested")), things=things))
        parts.append(say("{n} were usable as written", n=count(wrote.get("kept"))))
    if more := asked_later(wrote, kept):
        parts.append(say("{n} more were asked for or taken back in curation", n=count(more)))
    if kept:
        parts.append(say("{n} remained after curation", n=count(kept.get("kept"))))
    return capital(say("{clauses}.", clauses=join(parts)))


def asked_later(wrote: JSON | None, curated: JSON | None) -> float:
    """Rows that joined in curation, by topping up, in a second round or taken back: what it has beyond the rows written."""
    came, had = finite((wrote or {}).get("kept")), finite((curated or {}).get("requested"))
    return 0.0 if came is None or had is None else max(0.0, had - came)
