"""The opening of the report: what was found, in sentences, and how sure it is.

Every sentence has to stay true for what is undefined, tied, negative or missing. Knows nothing of HTML.
"""

from __future__ import annotations

from japagen.report.comparisons import contrast
from japagen.report.words import (
    ALPHA,
    JSON,
    count,
    finite,
    gap,
    is_undefined,
    join,
    metric_name,
    metric_of,
    number,
    primary_of,
    score_of,
    scored,
    size_of,
    system_label,
    systems_of,
    things_of,
    verdict,
)


def opening(scores: JSON | None, experiment: JSON | None) -> list[str]:
    """The opening, by paragraph: the primary comparison, the finding, what it is worth in labelled data, how sure it is."""
    scores, experiment = scores or {}, experiment or {}
    compared = contrast(scores)
    primary = primary_of(scores)
    if primary is not None and is_undefined(score := score_of(primary, metric_of(scores))):
        return [
            *compared,
            f"The classifier trained on texts that the LLM wrote has no {metric_name(metric_of(scores))} on the test "
            f"rows: {score['undefined']}. Nothing can be said of what the texts are worth.",
        ]
    if primary is None or finite(score_of(primary, metric_of(scores)).get("value")) is None:
        return [
            *compared,
            "No classifier has been evaluated in this run: what follows describes the texts, not what they are worth.",
        ]
    paragraphs = [
        compared,
        [_finding(primary, scores, experiment)],
        [*_against_gold(primary, scores), *_against_supervised(primary, scores)],
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
    guided = (finite(experiment.get("rounds")) or 1) > 1
    if shots == 0 and not guided and not anchors and "gold" not in source and train.get("dev") != "gold":
        who = "A classifier that saw no labelled data"
    else:
        who = f"A classifier trained {'' if anchors else 'only '}on texts that the LLM wrote"
        shown = [f"{count(shots)} example texts each time"] if shots else []
        shown += ["in a second round gold texts that it got wrong"] if guided else []
        who += f", shown {join(shown)}," if shown else ""
    if anchors:
        weight = finite((train.get("anchor") or {}).get("weight"))
        who += f" and on {count(anchors)} human-labelled texts" + (f" (weight {weight:g})" if weight else "")
    if source and parts:
        what = "scores calibrated" if list(parts) == ["temperature"] else "labels decided"
        who = f"{who.removesuffix(',')}, its {what} with {source},"
    return who


def _against_gold(primary: JSON, scores: JSON) -> list[str]:
    everyone = systems_of(scores, "gold")
    if not everyone and systems_of(scores, "supervised"):
        return []
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
        named = [f"{size_of(s)} ({gap(s.get('difference'))})" for s in gold if verdict(s.get("difference")) == wanted]
        if named:
            clauses.append(f"{relation} that of K = {join(named)}")
    sentences = []
    if clauses:
        start = "Beside the same classifier trained on K human-labelled examples per label, its score is"
        sentences.append(f"{start} {join(clauses)}.")
    silent = [s for s in gold if verdict(s.get("difference")) == "unknown"]
    if silent:
        named = [f"{size_of(s)} ({scored(score_of(s, metric_of(scores)))})" for s in silent]
        sentences.append(
            f"For the same classifier trained on K = {join(named)} human-labelled examples per label no interval of "
            "the difference was computed, so nothing is claimed."
        )
    return sentences


def _against_supervised(primary: JSON, scores: JSON) -> list[str]:
    """What the same classifier reaches with every gold row there is; nothing of other students."""
    sentences = []
    for system in systems_of(scores, "supervised"):
        score = score_of(system, metric_of(scores))
        if system.get("student") != primary.get("student") or not score:
            continue
        rows = f"all {count(system['train_rows'])}" if system.get("train_rows") else "all"
        start = f"Trained on {rows} human-labelled examples, the same classifier"
        if is_undefined(score):
            sentences.append(f"{start} has no {metric_name(metric_of(scores))}: {score['undefined']}.")
            continue
        claims = {"better": "is better", "worse": "is worse", "unclear": "is not distinguishable"}
        claim = claims.get(found := verdict(system.get("difference")), "")
        beside = f", which {claim} (difference {gap(system.get('difference'))})" if found in claims else ""
        sentences.append(f"{start} reaches {scored(score)}{beside or '; no interval of the difference was computed'}.")
    return sentences


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
        difference = f" (difference {gap(system.get('difference'))})"
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
    shown = [s for kind in ("gold", "supervised", "prompted") for s in systems_of(scores, kind)]
    if any(verdict(s.get("difference")) != "unknown" for s in shown):
        which = "All other differences" if scores.get("contrast") else "Differences"
        sentences.append(f"{which} are the other system minus this one, with 95 % intervals.")
    if any(finite((s.get("difference") or {}).get("p_holm")) is not None for s in shown):
        sentences.append(
            f"Better or worse is said only where the p value, corrected for the number of comparisons, is below "
            f"{number(ALPHA)} too."
        )
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
