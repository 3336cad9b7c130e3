"""How near the synthetic texts are to gold: shared vocabulary, and style as distributions beside gold.

Drawn from the analysis' `vocabulary` and `style`. An alarm is the analysis' own verdict: a distance that chance does not
explain and two shares far apart. Knows nothing of HTML.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from japagen.report.language import message, say
from japagen.report.tables import share
from japagen.report.words import JSON, count, finite, join, named, number, percent, probability, run_on, source_name

Row = dict[str, Any]
SOURCES = ("synthetic", "gold")
FEW = 30
"""Texts of each side below which nothing is said of their vocabulary."""
PARTS = {
    "noun": message("nouns"),
    "verb": message("verbs"),
    "adjective": message("adjectives"),
    "adverb": message("adverbs"),
    "particle": message("particles"),
    "auxiliary": message("auxiliaries"),
    "other": message("marks and others"),
}
ASPECTS = {
    "characters": message("length in characters"),
    "words": message("length in words"),
    "register": message("register"),
    "honorifics": message("honorific speech"),
    "scripts": message("scripts"),
    "punctuation": message("punctuation"),
    "sentence_ends": message("sentence ends"),
}
CAPTIONS = {
    "register": message("Texts that are polite (です・ます) or plain, by the ends of their sentences"),
    "honorifics": message("Texts with respectful speech (尊敬語), humble speech (謙譲語) or both"),
    "scripts": message("Characters by script"),
    "punctuation": message("Marks by kind"),
    "sentence_ends": message("Sentences by their final particle"),
}
CATEGORIES = {
    "polite": message("polite"),
    "plain": message("plain"),
    "unknown": message("unknown|register"),
    "none": message("none|honorifics"),
    "respectful": message("respectful"),
    "humble": message("humble"),
    "both": message("both|honorifics"),
    "hiragana": message("hiragana"),
    "katakana": message("katakana"),
    "kanji": message("kanji"),
    "latin": message("Latin"),
    "digit": message("digits"),
    "emoji": message("emoji"),
    "other": message("other|category"),
    "joining": message("けど, から …"),
}
NO_PARTICLE = message("none|sentence ends")
ALARMS = {
    "texts": message(
        "The {aspect} of the texts is off: '{category}' is {synthetic} of the synthetic texts, but {gold} of gold."
    ),
    "characters": message(
        "The {aspect} are off: '{category}' is {synthetic} of the synthetic characters, but {gold} of gold."
    ),
    "marks": message(
        "The {aspect} is off: '{category}' is {synthetic} of the marks in synthetic texts, but {gold} in gold."
    ),
    "sentences": message(
        "The {aspect} are off: '{category}' ends {synthetic} of the synthetic sentences, but {gold} of gold."
    ),
}
ASK = message("A rule of the task can ask for what is missing.")
ASK_OR_CHOOSE = message("A rule of the task can ask for it, or a quota of curate.sample choose it.")
LENGTHS = {
    "lengths": message("characters"),
    "lengths_first": message("characters, first text"),
    "lengths_second": message("characters, second text"),
    "lengths_words": message("words|length"),
}


def fidelity(analysis: JSON, labels: Sequence[str]) -> Row | None:
    """Tables of vocabulary and style, alarms and sentences; None where the analysis has neither."""
    told, style = vocabulary_of(analysis), analysis.get("style") or {}
    if not told and not style:
        return None
    aspects: JSON = style.get("aspects") or {}
    gold: JSON = (analysis.get("counts") or {}).get("gold") or {}
    return {
        "sentences": [*_of_vocabulary(told), *_of_style(aspects, gold=any(gold.values()))],
        "alarms": _alarms(aspects),
        "vocabulary": _vocabulary(told),
        "texts": count(told.get("n")),
        "aspects": [row for name in ASPECTS if (row := _aspect(name, aspects.get(name) or {}, None))],
        "by_label": [
            {"label": label, "rows": rows}
            for label in labels
            if (rows := [row for name in ASPECTS if (row := _aspect(name, aspects.get(name) or {}, label))])
        ],
        "lengths": [row for key in LENGTHS for row in _lengths(key, style.get(key) or {}, labels)],
        "compositions": [
            one
            for name in CAPTIONS
            if (aspects.get(name) or {}).get("shares")
            and len((one := _composition(name, aspects[name], labels))["names"]) > 1
        ],
        "signatures": list(dict.fromkeys(_signatures(told, aspects))),
    }


def fidelity_figures(analysis: JSON, labels: Sequence[str] = ()) -> dict[str, Any]:
    """The figures of the section by the names of their places; none where nothing can be drawn."""
    from japagen.report.fidelityplots import drawn

    return drawn(analysis, labels or [str(label) for label in analysis.get("labels") or ()])


def vocabulary_of(analysis: JSON) -> JSON:
    """What was measured of the vocabulary; nothing where so few texts were compared that it means nothing."""
    told: JSON = analysis.get("vocabulary") or {}
    n = finite(told.get("n"))
    return {} if n is not None and n < FEW else told


def _of_vocabulary(told: JSON) -> Iterator[str]:
    ours, ceiling = told.get("synthetic_gold") or {}, told.get("gold_gold") or {}
    reached = finite(told.get("of_ceiling"))
    if ours and reached is not None:
        yield say(
            "Of the words of {n} synthetic and {n} gold texts {value} stand in both (Jaccard); of two samples of gold "
            "{ceiling} do, so that {reached} of what can be expected is reached.",
            n=count(told.get("n")),
            value=number(ours.get("value"), 3),
            ceiling=number(ceiling.get("value"), 3),
            reached=percent(reached),
        )


def _of_style(aspects: JSON, *, gold: bool) -> Iterator[str]:
    found = {name: (aspects.get(name) or {}).get("distance") or {} for name in ASPECTS}
    compared = {name: one["all"] for name, one in found.items() if one.get("all")}
    apart = [say(ASPECTS[name]) for name, one in compared.items() if one.get("above")]
    if apart:
        yield say("Beyond what chance explains the texts differ from gold in {aspects}.", aspects=join(apart))
    elif compared:
        yield say("In no aspect of style do the texts differ from gold beyond what chance explains.")
    elif aspects and gold:
        yield say("There are not enough texts of both sides to compare their style.")
    elif aspects:
        yield say("There are no gold texts to compare the style with.")


def _alarms(aspects: JSON) -> list[str]:
    said = []
    for name in ASPECTS:
        aspect = aspects.get(name) or {}
        one = (aspect.get("distance") or {}).get("all") or {}
        if not one.get("alarm"):
            continue
        widest = one.get("widest") or {}
        told = say(
            ALARMS[str(aspect.get("unit") or "texts")],
            aspect=say(ASPECTS[name]),
            category=_category(name, widest.get("category")),
            **{source: percent(finite(widest.get(source)) or 0.0) for source in SOURCES},
        )
        said.append(run_on([told, say(ASK_OR_CHOOSE if name == "register" else ASK)]))
    return said


def _vocabulary(told: JSON) -> list[Row]:
    """All words, then each part of speech: the overlap, its ceiling, and how much of it is reached."""
    parts: JSON = told.get("by_part") or {}
    found = [(say("all words"), told), *((say(PARTS[part]), parts[part]) for part in PARTS if part in parts)]
    return [
        {
            "name": name,
            "value": _ranged(one["synthetic_gold"]),
            "ceiling": _ranged(one.get("gold_gold") or {}),
            "reached": percent(reached) if (reached := finite(one.get("of_ceiling"))) is not None else "",
            "bar": min(1.0, reached or 0.0),
        }
        for name, one in found
        if one.get("synthetic_gold")
    ]


def _aspect(name: str, aspect: JSON, label: str | None) -> Row | None:
    distance = aspect.get("distance") or {}
    one = distance.get("all") if label is None else (distance.get("by_label") or {}).get(label)
    if not one:
        return None
    widest = one.get("widest") or {}
    return {
        "name": say(ASPECTS[name]),
        "value": _ranged(one),
        "ceiling": _ranged(
            {"value": one.get("ceiling"), "low": one.get("ceiling_low"), "high": one.get("ceiling_high")}
        ),
        "p": probability(one.get("p_holm")).removeprefix("= "),
        "n": count(one.get("n")),
        "above": bool(one.get("above")),
        "alarm": bool(one.get("alarm")),
        "widest": {"category": _shown(name, widest.get("category"))}
        | {source: percent(finite(widest.get(source)) or 0.0) for source in SOURCES},
    }


def _lengths(key: str, sides: JSON, labels: Sequence[str]) -> list[Row]:
    """Label by label, synthetic before gold."""
    return [
        {
            "label": label,
            "unit": say(LENGTHS[key]),
            "source": source,
            "of": source_name(source),
            "n": count(one.get("n")),
            "mean": number(one.get("mean"), 1),
            "sd": number(one.get("sd"), 1),
            "quantiles": [count((one.get("quantiles") or {}).get(q)) for q in ("5", "25", "50", "75", "95")],
        }
        for label in labels
        for source in SOURCES
        if (one := (sides.get(source) or {}).get(label))
    ]


def _composition(name: str, aspect: JSON, labels: Sequence[str]) -> Row:
    """Shares by label and source, without the categories that nothing is of."""
    categories = [str(category) for category in aspect.get("categories") or ()]
    rows: list[tuple[str, str, Sequence[Any]]] = []
    for label in (None, *labels):
        for source in SOURCES:
            shares = (aspect.get("shares") or {}).get(source) or {}
            one = shares.get("all") if label is None else (shares.get("by_label") or {}).get(label)
            if isinstance(one, list) and len(one) == len(categories):
                rows.append((label or "", source, one))
    used = [at for at in range(len(categories)) if any(finite(one[at]) for *_, one in rows)]
    return {
        "title": say(ASPECTS[name]),
        "caption": say(CAPTIONS[name]),
        "names": [_category(name, categories[at]) for at in used],
        "rows": [
            {
                "label": label,
                "source": source,
                "of": source_name(source),
                "shares": [{"text": percent(finite(one[at]) or 0.0), "bar": share(one[at], 1)} for at in used],
            }
            for label, source, one in rows
        ],
    }


def _category(aspect: str, name: object) -> str:
    if aspect == "sentence_ends" and name == "none":
        return say(NO_PARTICLE)
    return say(CATEGORIES[str(name)]) if name in CATEGORIES else str(name or "")


def _shown(aspect: str, name: object) -> str:
    """A category as it stands alone in a cell: a mark or a particle in quotes."""
    said = _category(aspect, name)
    return named([said]) if aspect in ("punctuation", "sentence_ends") and said == name else said


def _ranged(one: JSON) -> str:
    """A value and the range of its draws."""
    value, low, high = (finite(one.get(key)) for key in ("value", "low", "high"))
    if value is None:
        return ""
    return (
        number(value, 3) if low is None or high is None else f"{number(value, 3)} [{number(low, 3)}, {number(high, 3)}]"
    )


def _signatures(told: JSON, aspects: JSON) -> Iterator[str]:
    for one in (told, *(told.get("by_part") or {}).values()):
        for key in ("synthetic_gold", "gold_gold"):
            if signature := (one.get(key) or {}).get("signature"):
                yield str(signature)
    for aspect in aspects.values():
        one = (aspect.get("distance") or {}).get("all") if isinstance(aspect, Mapping) else None
        if one and one.get("signature"):
            yield str(one["signature"])
