"""What is said of label correctness: by whom, how sure, and what should worry a reader. Knows nothing of HTML."""

from __future__ import annotations

from collections.abc import Sequence

from japagen.report.language import message, quoted, say, several
from japagen.report.words import (
    JSON,
    bounds,
    count,
    finite,
    join,
    named,
    number,
    percent,
    probability,
    run_on,
    split_name,
)

SOURCES = {"oracle": message("oracle"), "judge": message("judge"), "people": message("people")}


def source_name(source: object) -> str:
    """Who says what is right, as it stands in a column."""
    return say(SOURCES[str(source)]) if source in SOURCES else str(source)


def scored_share(told: JSON, key: str = "value", digits: int = 2) -> str:
    """A share and its interval: ``.81 [.76, .86]``; empty where there is none."""
    if finite(told.get(key)) is None:
        return ""
    return f"{number(told[key], digits)} {bounds(told, digits)}".rstrip()


def attribute_name(attribute: str) -> str:
    """The KADG attribute as one says it."""
    return say("word") if attribute == "word" else attribute.replace("_", " ")


def sources_of(told: JSON) -> list[str]:
    """The sources that give shares of right labels."""
    return [source for source in SOURCES if (told.get(source) or {}).get("by_label") and not _is_numbers(told, source)]


def is_weak(told: JSON, source: str) -> bool:
    """Whether the source errs so often that its shares of right labels say nothing; `told` is ``correctness``."""
    return source == "oracle" and bool((told.get("oracle") or {}).get("weak"))


def _is_numbers(told: JSON, source: str) -> bool:
    return source == "oracle" and told.get("kind") == "numbers"


def paragraphs(told: JSON) -> list[list[str]]:
    """The sentences of each source: what it says, and how far that can be relied on; `told` is ``correctness``."""
    oracle, judge, people = (told.get(source) or {} for source in SOURCES)
    return [said for said in (_of_oracle(oracle, told), _of_judge(judge), _of_people(people)) if said]


def _of_oracle(oracle: JSON, told: JSON) -> list[str]:
    if not oracle:
        return []
    learnt = {name: n for name, n in (oracle.get("gold_rows") or {}).items() if finite(n)}
    student, n = oracle.get("student"), count(sum(learnt.values()))
    if len(learnt) > 1:
        sets = join([f"{split_name(name)} {count(rows)}" for name, rows in learnt.items()])
        who = say(
            "The oracle is the student '{student}', trained on {n} gold rows ({sets}).", student=student, n=n, sets=sets
        )
    else:
        who = say("The oracle is the student '{student}', trained on {n} gold rows.", student=student, n=n)
    said = [who]
    left_out = finite(oracle.get("in_gold"))
    if left_out:
        said.append(
            several(
                left_out,
                "{n} row was not asked about, because gold holds its text.",
                "{n} rows were not asked about, because gold holds their text.",
            )
        )
    if oracle.get("undefined"):
        return [*said, say("It cannot say how many labels are right: {why}.", why=quoted(str(oracle["undefined"])))]
    if told.get("kind") == "numbers":
        return [*said, *_of_numbers(oracle)]
    overall = oracle.get("overall") or {}
    said.append(
        say(
            "Of {asked} rows asked about it gives {raw} the label that they have, but it is itself right in {accuracy} of "
            "gold rows that it had not seen. With its errors reckoned out, {corrected} of the labels are right.",
            asked=count(oracle.get("asked")),
            raw=number(overall.get("raw")),
            accuracy=number(oracle.get("student_accuracy")),
            corrected=scored_share(overall, "corrected"),
        )
    )
    if oracle.get("weak"):
        return [
            *said,
            say(
                "An oracle that errs so often cannot tell right labels from wrong ones: do not rely on the corrected shares "
                "or their intervals."
            ),
        ]
    if not oracle.get("gold_enough"):
        said.append(
            say(
                "From {enough} gold rows on, such shares were within .03 of the truth where labels were wrong by chance; "
                "with fewer, as here, they were up to .1 too low.",
                enough=count(oracle.get("enough")),
            )
        )
    said.append(
        say(
            "Where all labels are right they come out about .05 too low. Where labels are wrong because a text is hard, or "
            "says what a student would say, they come out far too high: only people see that."
        )
    )
    return said


def _of_numbers(oracle: JSON) -> list[str]:
    return [
        say(
            "Labels are steps of a number here, so that one step beside is no plain error, and no share of right ones is "
            "given. What the oracle reads out of the texts has a rank correlation of {found} with the numbers given; on "
            "gold rows that it had not seen, with those that people gave, {ceiling}.",
            found=scored_share(oracle.get("correlation") or {}),
            ceiling=scored_share(oracle.get("ceiling") or {}),
        )
    ]


def _of_judge(judge: JSON) -> list[str]:
    if not judge:
        return []
    llm = judge.get("llm")
    who = say("The judge ({llm})", llm=llm) if llm else say("The judge")
    if judge.get("undefined"):
        return [say("{who} says nothing: {why}.", who=who, why=quoted(str(judge["undefined"])))]
    said = [
        say(
            "{who} gives {share} of {rows} rows the label that they have.",
            who=who,
            share=scored_share(judge.get("overall") or {}),
            rows=count(judge.get("rows")),
        )
    ]
    before = judge.get("before") or {}
    if judge.get("applied"):
        said.append(
            say(
                "That is so by construction, since rows that it doubted were dropped: of all {rows} that it read, it agreed "
                "with {share}.",
                rows=count(before.get("rows")),
                share=number(before.get("value")),
            )
        )
    if finite(judge.get("unread")):
        said.append(say("{n} of its verdicts could not be read.", n=count(judge["unread"])))
    audit = judge.get("audit") or {}
    if audit:
        said.append(
            say(
                "Of rows that a person labelled it keeps {right} of the {n_right} right ones and {wrong} of the {n_wrong} "
                "wrong ones.",
                right=percent(finite(audit.get("keep_right")) or 0.0),
                n_right=count(audit.get("right")),
                wrong=percent(finite(audit.get("keep_wrong")) or 0.0),
                n_wrong=count(audit.get("wrong")),
            )
        )
    else:
        said.append(say("No person has checked its verdicts: it may err where the generator errs, and agree with it."))
    return said


def _of_people(people: JSON) -> list[str]:
    if not people:
        return [
            say(
                "No person has looked at these labels yet: japagen curate RUN --audit FILE draws rows of a run to judge, "
                "and analyze.people reads the file."
            )
        ]
    said = []
    if people.get("undefined"):
        said.append(say("People have looked at none of these rows."))
    else:
        said.append(
            say(
                "People looked at {rows} rows and call {share} of the labels right, each label counted by its rows.",
                rows=count(people.get("rows")),
                share=scored_share(people.get("overall") or {}),
            )
        )
    if people.get("unseen"):
        unseen = join([named([label]) for label in people["unseen"]])
        said.append(say("Of {labels} they saw none.", labels=unseen))
    if finite(people.get("elsewhere")):
        said.append(
            several(
                people["elsewhere"],
                "{n} verdict is about a row that was dropped since.",
                "{n} verdicts are about rows that were dropped since.",
            )
        )
    return said


def alarms(told: JSON, labels: Sequence[str]) -> list[str]:
    """Labels and words that the analysis flagged, and what can be done."""
    oracle, people, low = told.get("oracle") or {}, told.get("people") or {}, number(told.get("low"))
    said = []
    look = say("Read some of these rows: the instruction of the label may ask for something else.")
    for label in labels:
        human, machine = ((one.get("by_label") or {}).get(label) or {} for one in (people, oracle))
        if human.get("alarm"):
            line = say(
                "People call {share} of the labels '{label}' right, which is below {low}.",
                share=scored_share(human), label=label, low=low,
            )  # fmt: skip
            said.append(run_on([line, look]))
        elif machine.get("alarm"):
            line = say(
                "Of the labels '{label}' {share} are right, as the oracle finds with its errors reckoned out, which is "
                "below {low}.",
                share=scored_share(machine, "corrected"), label=label, low=low,
            )  # fmt: skip
            said.append(run_on([line, look]))
    if told.get("kind") == "numbers" and oracle.get("alarm"):
        said.append(
            say("The oracle sees no relation between the texts and the numbers given: read some rows, step by step.")
        )
    for attribute, by_source in (told.get("attributes") or {}).items():
        for source in SOURCES:
            listed = ((by_source or {}).get(source) or {}).get("listed") or ()
            said += [_of_value(attribute, source, one) for one in listed if one.get("alarm")]
    return said


def _of_value(attribute: str, source: str, one: JSON) -> str:
    return say(
        "Of the rows with the {attribute} '{value}' {share} have a right label to the {source}, of other rows with the same "
        "labels {expected} (corrected p {p}): read them, or take that value out.",
        attribute=attribute_name(attribute),
        value=one.get("value"),
        share=number(one.get("share")),
        source=source_name(source),
        expected=number(one.get("expected")),
        p=probability(one.get("p_holm")),
    )
