"""The opening of the report: what was found, in sentences, and how sure it is.

Every sentence has to stay true for what is undefined, tied, negative or missing. Knows nothing of HTML.
"""

from __future__ import annotations

from collections.abc import Mapping

from japagen.report.comparisons import contrast
from japagen.report.language import language, message, quoted, say
from japagen.report.opening_japanese import beside_gold, classifier
from japagen.report.words import (
    ALPHA,
    JSON,
    Verdict,
    count,
    finite,
    gap,
    is_undefined,
    join,
    metric_name,
    metric_of,
    number,
    primary_of,
    run_on,
    score_of,
    scored,
    size_of,
    system_label,
    systems_of,
    things_of,
    verdict,
)

BESIDE_GOLD: dict[Verdict, str] = {
    "worse": "better than",
    "unclear": "not distinguishable from",
    "better": "worse than",
}
BESIDE_SUPERVISED: dict[Verdict, str] = {
    "better": message(
        "Trained on {rows} human-labelled examples, the same classifier reaches {score}, which is better "
        "(difference {difference})."
    ),
    "worse": message(
        "Trained on {rows} human-labelled examples, the same classifier reaches {score}, which is worse "
        "(difference {difference})."
    ),
    "unclear": message(
        "Trained on {rows} human-labelled examples, the same classifier reaches {score}, which is not distinguishable "
        "(difference {difference})."
    ),
    "unknown": message(
        "Trained on {rows} human-labelled examples, the same classifier reaches {score}; no interval of the difference "
        "was computed."
    ),
}
BESIDE_PROMPTED: dict[Verdict, str] = {
    "better": message("{score} ({system}), which is better (difference {difference})"),
    "worse": message("{score} ({system}), which is worse (difference {difference})"),
    "unclear": message("{score} ({system}), which is not distinguishable (difference {difference})"),
    "unknown": message("{score} ({system}), a difference without an interval"),
}


def file_opening(file: JSON) -> list[str]:
    """The opening of an analysis of a file: what was compared with what, and that nothing was trained."""
    values = {"name": file.get("name"), "rows": count(file.get("rows")), "gold": count(file.get("gold_rows"))}
    if finite(file.get("gold_rows")):
        first = say("An analysis of the {rows} texts of the file {name} beside {gold} human ones.", **values)
    else:
        first = say(
            "An analysis of the {rows} texts of the file {name} alone. Beside human texts (--against GOLD) it would say how "
            "near they are to them, and how many labels are right.",
            **values,
        )
    return [first, say("No classifier was trained: it says what the texts are like, not what they are worth.")]


def opening(scores: JSON | None, experiment: JSON | None) -> list[str]:
    """The opening, by paragraph: the primary comparison, the finding, what it is worth in labelled data, how sure it is."""
    scores, experiment = scores or {}, experiment or {}
    compared = contrast(scores)
    primary = primary_of(scores)
    if primary is not None and is_undefined(score := score_of(primary, metric_of(scores))):
        return [
            *compared,
            say(
                "The classifier trained on texts that the LLM wrote has no {metric} on the test rows: {why}. Nothing can be "
                "said of what the texts are worth.",
                metric=metric_name(metric_of(scores)),
                why=quoted(str(score["undefined"])),
            ),
        ]
    if primary is None or finite(score_of(primary, metric_of(scores)).get("value")) is None:
        return [
            *compared,
            say(
                "No classifier has been evaluated in this run: what follows describes the texts, not what they are worth."
            ),
        ]
    paragraphs = [
        compared,
        [_finding(primary, scores, experiment)],
        [*_against_gold(primary, scores), *_against_supervised(primary, scores)],
        [*_against_prompted(scores), *_against_majority(scores)],
        _sureness(primary, scores),
    ]
    return [run_on(sentences) for sentences in paragraphs if sentences]


def _finding(primary: JSON, scores: JSON, experiment: JSON) -> str:
    metric, score = metric_of(scores), score_of(primary, metric_of(scores))
    tested, seeds, name = scores.get("n"), len(score.get("by_seed") or ()), metric_name(metric)
    texts = say("the human-labelled {things}", things=things_of(scores))
    if tested:
        texts = say("{n} human-labelled {things}", n=count(tested), things=things_of(scores))
    told = {
        "who": classifier(primary, experiment) if language() == "ja" else _who(primary, experiment),
        "metric": name if language() == "ja" else f"{'an' if name[0] in 'aeiou' else 'a'} {name}",
        "score": scored(score),
        "texts": texts,
    }
    if seeds > 1:
        return say("{who} reaches {metric} of {score} on {texts}, the mean of {seeds} seeds.", seeds=seeds, **told)
    return say("{who} reaches {metric} of {score} on {texts}.", **told)


def _who(primary: JSON, experiment: JSON) -> str:
    """The classifier by what it saw, in English: texts of the LLM, gold rows among them, gold rows its labels follow."""
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
        return [
            say("No classifier was trained on gold examples, so the worth of the texts in labelled data is not known.")
        ]
    gold = [s for s in everyone if s.get("student") == primary.get("student")]
    if not gold:
        return [
            say("The same classifier was not trained on gold examples; the gold baselines below are of other students.")
        ]
    gold.sort(key=lambda s: (s.get("k") is None, s.get("k") or 0))
    sizes: dict[Verdict, str] = {}
    for wanted in BESIDE_GOLD:
        found = [s for s in gold if verdict(s.get("difference")) == wanted]
        if found:
            sizes[wanted] = join(
                [say("{k} ({figures})", k=size_of(s), figures=gap(s.get("difference"))) for s in found]
            )
    sentences = []
    if sizes:
        sentences.append(beside_gold(sizes) if language() == "ja" else _beside_gold(sizes))
    silent = [s for s in gold if verdict(s.get("difference")) == "unknown"]
    if silent:
        told = [(size_of(s), scored(score_of(s, metric_of(scores)))) for s in silent]
        named = [say("{k} ({figures})", k=k, figures=figures) for k, figures in told]
        sentences.append(
            say(
                "For the same classifier trained on K = {sizes} human-labelled examples per label no interval of "
                "the difference was computed, so nothing is claimed.",
                sizes=join(named),
            )
        )
    return sentences


def _beside_gold(sizes: Mapping[Verdict, str]) -> str:
    """The sizes K by what they are beside this classifier, in one English sentence."""
    clauses = [f"{BESIDE_GOLD[found]} that of K = {named}" for found, named in sizes.items()]
    start = "Beside the same classifier trained on K human-labelled examples per label, its score is"
    return f"{start} {join(clauses)}."


def _against_supervised(primary: JSON, scores: JSON) -> list[str]:
    """What the same classifier reaches with every gold row there is; nothing of other students."""
    sentences = []
    for system in systems_of(scores, "supervised"):
        score = score_of(system, metric_of(scores))
        if system.get("student") != primary.get("student") or not score:
            continue
        rows = say("all|examples")
        if system.get("train_rows"):
            rows = say("all {n}", n=count(system["train_rows"]))
        if is_undefined(score):
            bare = message("Trained on {rows} human-labelled examples, the same classifier has no {metric}: {why}.")
            why = quoted(str(score["undefined"]))
            sentences.append(say(bare, rows=rows, metric=metric_name(metric_of(scores)), why=why))
            continue
        told = {"rows": rows, "score": scored(score)}
        if (found := verdict(system.get("difference"))) != "unknown":
            told["difference"] = gap(system.get("difference"))
        sentences.append(say(BESIDE_SUPERVISED[found], **told))
    return sentences


def _against_prompted(scores: JSON) -> list[str]:
    prompted = systems_of(scores, "prompted")
    if not prompted:
        return [say("The LLM was not asked for the labels directly.")]
    clauses = []
    for system in prompted[:6]:
        score = score_of(system, metric_of(scores))
        if is_undefined(score):
            name, why = metric_name(metric_of(scores)), quoted(str(score["undefined"]))
            clauses.append(say("no {metric} ({system}): {why}", metric=name, system=system_label(system), why=why))
            continue
        told = {"score": scored(score), "system": system_label(system)}
        if (found := verdict(system.get("difference"))) != "unknown":
            told["difference"] = gap(system.get("difference"))
        clauses.append(say(BESIDE_PROMPTED[found], **told))
    told_all = "、".join(clauses) if language() == "ja" else "; ".join(clauses)
    return [say("Asking the same LLM for the label directly gives {clauses}.", clauses=told_all)]


def _against_majority(scores: JSON) -> list[str]:
    for system in systems_of(scores, "majority")[:1]:
        score = score_of(system, metric_of(scores))
        if is_undefined(score):
            return [say("Always giving the same answer has no {metric}.", metric=metric_name(metric_of(scores)))]
        value = number(score.get("value"))
        match verdict(system.get("difference")):
            case "worse" | "unknown":
                return [say("Always answering the most frequent label gives {value}.", value=value)]
            case "unclear":
                return [
                    say(
                        "The classifier is not distinguishable from always answering the most frequent label ({value}): "
                        "this run does not show that anything was learned.",
                        value=value,
                    )
                ]
            case _:
                worse = message("The classifier does worse than always answering the most frequent label ({value}).")
                return [say(worse, value=value)]
    return []


def _sureness(primary: JSON, scores: JSON) -> list[str]:
    sentences = []
    shown = [s for kind in ("gold", "supervised", "prompted") for s in systems_of(scores, kind)]
    if any(verdict(s.get("difference")) != "unknown" for s in shown):
        if scores.get("contrast"):
            sentences.append(say("All other differences are the other system minus this one, with 95 % intervals."))
        else:
            sentences.append(say("Differences are the other system minus this one, with 95 % intervals."))
    if any(finite((s.get("difference") or {}).get("p_holm")) is not None for s in shown):
        sentences.append(
            say(
                "Better or worse is said only where the p value, corrected for the number of comparisons, is below {alpha} "
                "too.",
                alpha=number(ALPHA),
            )
        )
    smallest = finite(scores.get("smallest_detectable_difference"))
    if smallest is not None:
        if metric_of(scores) == "accuracy":
            least = message("A test of this size can miss a true difference smaller than about {smallest}.")
        else:
            least = message("A test of this size can miss a true difference in accuracy smaller than about {smallest}.")
        sentences.append(say(least, smallest=number(smallest)))
    others = [s for s in scores.get("systems") or () if s is not primary]
    if any(verdict(s.get("difference")) == "unclear" for s in others):
        sentences.append(say("Not distinguishable does not mean equal."))
    if len(score_of(primary, metric_of(scores)).get("by_seed") or ()) == 1:
        sentences.append(say("Only one seed was run, so how much luck there is in the training is not known."))
    return sentences
