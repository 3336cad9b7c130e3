"""Numbers and sentences of the report: what was found, in words, and how sure it is.

Every claim of better, worse or "not distinguishable" is read off an interval that `evaluate` computed; nothing is
estimated here, and where no interval is given no claim is made. Knows nothing of HTML.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

JSON = Mapping[str, Any]
Verdict = Literal["better", "worse", "unclear", "unknown"]

METRICS = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "mcc": "Matthews correlation",
    "spearman": "Spearman correlation",
    "pearson": "Pearson correlation",
}
VERDICTS: dict[Verdict, str] = {
    "better": "better",
    "worse": "worse",
    "unclear": "not distinguishable",
    "unknown": "no interval",
}
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
        return "not known"
    while x and digits < 4 and not round(x, digits):
        digits += 1
    text = f"{abs(x):.{digits}f}"
    text = text[1:] if text.startswith("0.") else text
    minus = "−" if round(x, digits) < 0 else "+" if sign and round(x, digits) > 0 else ""
    return minus + text


def count(value: object) -> str:
    """A whole number with its thousands marked."""
    x = finite(value)
    return "not known" if x is None else f"{x:,.0f}"


def bounds(score: JSON | None, digits: int = 2, *, sign: bool = False) -> str:
    """The interval of a score, ``[.76, .86]``; empty where there is none."""
    low, high = (finite((score or {}).get(key)) for key in ("low", "high"))
    if low is None or high is None:
        return ""
    return f"[{number(low, digits, sign=sign)}, {number(high, digits, sign=sign)}]"


def scored(score: JSON | None, digits: int = 2, *, sign: bool = False) -> str:
    """A score and its interval: ``.81 [.76, .86]``; "undefined" for one that has no value for its input."""
    if is_undefined(score):
        return "undefined"
    value = number((score or {}).get("value"), digits, sign=sign)
    return f"{value} {bounds(score, digits, sign=sign)}".rstrip()


def is_undefined(score: JSON | None) -> bool:
    """Whether a score was computed and has no value, as the correlation with a constant."""
    return bool((score or {}).get("undefined")) and finite((score or {}).get("value")) is None


def duration(seconds: object) -> str:
    """A time span as one says it: ``3 min 20 s``."""
    x = finite(seconds)
    if x is None:
        return "not known"
    if x < 60:
        return f"{x:.1f} s" if x < 10 else f"{x:.0f} s"
    minutes, rest = divmod(round(x), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def join(parts: Sequence[str], last: str = "and") -> str:
    """'a, b and c'."""
    return f" {last} ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def metric_name(metric: str) -> str:
    """The metric as one says it."""
    return METRICS.get(metric, metric.replace("_", " "))


def metric_of(scores: JSON) -> str:
    """The task's metric; accuracy where none is named."""
    return str(scores.get("metric") or "accuracy")


def score_of(system: JSON, metric: str) -> JSON:
    """One score of a system; empty where it was not computed."""
    found: JSON = (system.get("scores") or {}).get(metric) or {}
    return found


def things_of(told: JSON) -> str:
    """What the rows are by their `kind`: texts or pairs of texts."""
    return "pairs of texts" if told.get("kind") in ("pair", "similarity") else "texts"


def systems_of(scores: JSON, kind: str) -> list[JSON]:
    """The systems of one kind, in the order of the file."""
    return [system for system in scores.get("systems") or () if system.get("kind") == kind]


def primary_of(scores: JSON) -> JSON | None:
    """The system that the report is about: the one named, else the first that was trained on synthetic texts."""
    named = [s for s in scores.get("systems") or () if s.get("name") == scores.get("primary")]
    return next(iter([*named, *systems_of(scores, "japagen")]), None)


def verdict(difference: JSON | None) -> Verdict:
    """What the interval of a difference (another system minus the primary) says of the other system."""
    low, high = (finite((difference or {}).get(key)) for key in ("low", "high"))
    if low is None or high is None:
        return "unknown"
    return "better" if low > 0 else "worse" if high < 0 else "unclear"


def system_label(system: JSON) -> str:
    """A short name that is clear below the heading of its kind."""
    tail = str(system.get("name") or "unnamed").rpartition("/")[2]
    student = system.get("student") or tail
    match system.get("kind"):
        case "japagen":
            return f"{student} ensemble" if tail.endswith(" ensemble") else str(student)
        case "gold":
            return f"{student}, K = {_size(system)}"
        case "majority":
            return "most frequent label"
        case _:
            return tail.replace("_", " ")


def opening(scores: JSON | None, experiment: JSON | None) -> list[str]:
    """The opening, by paragraph: the finding, what it is worth in labelled data, beside the LLM, and how sure it is."""
    scores, experiment = scores or {}, experiment or {}
    primary = primary_of(scores)
    if primary is not None and is_undefined(score := score_of(primary, metric_of(scores))):
        return [
            f"The classifier trained on texts that the LLM wrote has no {metric_name(metric_of(scores))} on the test "
            f"rows: {score['undefined']}. Nothing can be said of what the texts are worth."
        ]
    if primary is None or finite(score_of(primary, metric_of(scores)).get("value")) is None:
        return [
            "No classifier has been evaluated in this run: what follows describes the texts, not what they are worth."
        ]
    paragraphs = [
        [_finding(primary, scores, experiment)],
        _against_gold(primary, scores),
        [*_against_prompted(scores), *_against_majority(scores)],
        _sureness(primary, scores),
    ]
    return [" ".join(sentences) for sentences in paragraphs if sentences]


def _finding(primary: JSON, scores: JSON, experiment: JSON) -> str:
    metric, score = metric_of(scores), score_of(primary, metric_of(scores))
    who = _who(primary, experiment)
    article = "an" if metric_name(metric)[0] in "aeiou" else "a"
    tested = scores.get("n")
    texts = f"{count(tested) if tested else 'the'} human-labelled {things_of(scores)}"
    sentence = f"{who} reaches {article} {metric_name(metric)} of {scored(score)} on {texts}"
    seeds = len(score.get("by_seed") or ())
    return f"{sentence}, the mean of {seeds} seeds." if seeds > 1 else f"{sentence}."


def _who(primary: JSON, experiment: JSON) -> str:
    """The classifier by what it saw: texts of the LLM, gold rows among them, gold rows that its labels follow."""
    shots = finite((experiment.get("generate") or {}).get("shots"))
    train, anchors = experiment.get("train") or {}, finite(primary.get("anchor_rows"))
    decision = primary.get("decision") or {}
    source, parts = str(decision.get("learnt_from") or "").partition(",")[0], decision.get("adopted") or ()
    if shots == 0 and not anchors and "gold" not in source and train.get("dev") != "gold":
        who = "A classifier that saw no labelled data"
    else:
        who = f"A classifier trained {'' if anchors else 'only '}on texts that the LLM wrote"
        who += f", shown {count(shots)} example texts each time," if shots else ""
    if anchors:
        weight = finite((train.get("anchor") or {}).get("weight"))
        who += f" and on {count(anchors)} human-labelled texts" + (f" (weight {weight:g})" if weight else "")
    if source and parts:
        what = "scores calibrated" if list(parts) == ["temperature"] else "labels decided"
        who = f"{who.removesuffix(',')}, its {what} with {source},"
    return who


def training_texts(system: JSON | None) -> str:
    """What a system of kind japagen learnt from."""
    return "synthetic and gold texts" if finite((system or {}).get("anchor_rows")) else "synthetic texts"


def _against_gold(primary: JSON, scores: JSON) -> list[str]:
    everyone = systems_of(scores, "gold")
    if not everyone:
        return ["No classifier was trained on gold examples, so the worth of the texts in labelled data is not known."]
    gold = [s for s in everyone if s.get("student") == primary.get("student")]
    if not gold:
        return ["The same classifier was not trained on gold examples; the gold baselines below are of other students."]
    gold.sort(key=lambda s: (s.get("k") is None, s.get("k") or 0))
    clauses = []
    for wanted, relation in (
        ("worse", "better than"),
        ("unclear", "not distinguishable from"),
        ("better", "worse than"),
    ):
        named = [
            f"{_size(s)} ({scored(s.get('difference'), sign=True)})"
            for s in gold
            if verdict(s.get("difference")) == wanted
        ]
        if named:
            clauses.append(f"{relation} that of K = {join(named)}")
    sentences = []
    if clauses:
        start = "Beside the same classifier trained on K human-labelled examples per label, its score is"
        sentences.append(f"{start} {join(clauses)}.")
    silent = [s for s in gold if verdict(s.get("difference")) == "unknown"]
    if silent:
        named = [f"{_size(s)} ({scored(score_of(s, metric_of(scores)))})" for s in silent]
        sentences.append(
            f"For the same classifier trained on K = {join(named)} human-labelled examples per label no interval of "
            "the difference was computed, so nothing is claimed."
        )
    return sentences


def _size(system: JSON) -> str:
    return "all" if system.get("k") is None else count(system.get("k"))


def _against_prompted(scores: JSON) -> list[str]:
    prompted = systems_of(scores, "prompted")
    if not prompted:
        return ["The LLM was not asked for the labels directly."]
    clauses = []
    for system in prompted[:6]:
        score = score_of(system, metric_of(scores))
        if is_undefined(score):
            clauses.append(f"no {metric_name(metric_of(scores))} ({system_label(system)}): {score['undefined']}")
            continue
        clause = f"{scored(score)} ({system_label(system)}), "
        difference = f" (difference {scored(system.get('difference'), sign=True)})"
        match verdict(system.get("difference")):
            case "better":
                clause += "which is better" + difference
            case "worse":
                clause += "which is worse" + difference
            case "unclear":
                clause += "which is not distinguishable" + difference
            case _:
                clause += "a difference without an interval"
        clauses.append(clause)
    return [f"Asking the same LLM for the label directly gives {'; '.join(clauses)}."]


def _against_majority(scores: JSON) -> list[str]:
    for system in systems_of(scores, "majority")[:1]:
        score = score_of(system, metric_of(scores))
        if is_undefined(score):
            return [f"Always giving the same answer has no {metric_name(metric_of(scores))}."]
        value = number(score.get("value"))
        match verdict(system.get("difference")):
            case "worse" | "unknown":
                return [f"Always answering the most frequent label gives {value}."]
            case "unclear":
                return [
                    f"The classifier is not distinguishable from always answering the most frequent label ({value}): "
                    "this run does not show that anything was learned."
                ]
            case _:
                return [f"The classifier does worse than always answering the most frequent label ({value})."]
    return []


def _sureness(primary: JSON, scores: JSON) -> list[str]:
    sentences = []
    shown = [*systems_of(scores, "gold"), *systems_of(scores, "prompted")]
    if any(verdict(s.get("difference")) != "unknown" for s in shown):
        sentences.append("Differences are the other system minus this one, with 95 % intervals.")
    smallest = finite(scores.get("smallest_detectable_difference"))
    if smallest is not None:
        of = "" if metric_of(scores) == "accuracy" else " in accuracy"
        sentences.append(f"A test of this size can miss a true difference{of} smaller than about {number(smallest)}.")
    others = [s for s in scores.get("systems") or () if s is not primary]
    if any(verdict(s.get("difference")) == "unclear" for s in others):
        sentences.append("Not distinguishable does not mean equal.")
    if len(score_of(primary, metric_of(scores)).get("by_seed") or ()) == 1:
        sentences.append("Only one seed was run, so how much luck there is in the training is not known.")
    return sentences


def sizes(stages: JSON | None, things: str = "texts") -> str:
    """Where the rows went, in one sentence; empty where no stage says."""
    wrote = ((stages or {}).get("generate") or {}).get("accounting") or {}
    kept = ((stages or {}).get("curate") or {}).get("accounting") or {}
    if not wrote and not kept:
        return ""
    parts = []
    if wrote:
        parts.append(f"{count(wrote.get('requested'))} {things} were asked for")
        parts.append(f"{count(wrote.get('kept'))} were usable as written")
    if kept:
        parts.append(f"{count(kept.get('kept'))} remained after curation")
    sentence = join(parts)
    return f"{sentence[0].upper()}{sentence[1:]}."
