"""A second round shown what the student got wrong: the arms beside the run's students, and whether it was for the errors.

Drawn from the systems of kind "arm" in the scores; better and worse are read off the differences there. Knows nothing of
HTML.
"""

from __future__ import annotations

from typing import Any

from japagen.report.language import message, say
from japagen.report.words import (
    JSON,
    Verdict,
    bounds,
    count,
    finite,
    gap,
    is_undefined,
    metric_of,
    number,
    primary_of,
    probability_cell,
    score_of,
    scored,
    system_arm,
    systems_of,
    verdict,
    verdict_name,
)

Row = dict[str, Any]
RUN = message("both rounds")
NAMES = {
    "round-1": message("round 1 alone"),
    "plain": message("round 1, and more of the same"),
    "guided": message("round 1, and rows shown the errors"),
    "control": message("round 1, and rows shown the control"),
    "random": message("round 1, and rows shown gold rows drawn at random"),
}
CONTROL: dict[Verdict, str] = {
    "unclear": message(
        "The second round is not distinguishable from its control, which was shown gold rows of the same labels and topics "
        "that the student got right ({gap}): that it was shown the errors made no difference that this test can see, and "
        "what it gained, if anything, such rows would have given too."
    ),
    "worse": message(
        "The control, which was shown gold rows of the same labels and topics that the student got right, is worse than the "
        "second round ({gap}): it was for the errors."
    ),
    "better": message(
        "The control, which was shown gold rows of the same labels and topics that the student got right, is better than "
        "the second round ({gap}): the errors were bad guides."
    ),
    "unknown": message(
        "The difference of the second round and its control has no interval, so that it is not known whether it was "
        "for the errors."
    ),
}
FIRST: dict[Verdict, str] = {
    "unclear": message(
        "Round 1 alone is not distinguishable from both rounds ({gap}): a gain from the second is not shown."
    ),
    "worse": message("Round 1 alone is worse than both rounds ({gap}); some of that may be for the number of rows."),
    "better": message("Round 1 alone is better than both rounds ({gap}): the second did harm."),
    "unknown": message("The difference of round 1 alone and both rounds has no interval."),
}
OTHER_WAY: dict[Verdict, Verdict] = {"better": "worse", "worse": "better"}


def rounds(scores: JSON) -> Row | None:
    """The arms of each student beside it, and what they say of the second round; None in runs without arms."""
    arms = systems_of(scores, "arm")
    if not arms:
        return None
    primary, metric = primary_of(scores), metric_of(scores)
    students = dict.fromkeys([str((primary or {}).get("student")), *(str(arm.get("student")) for arm in arms)])
    groups = []
    for student in students:
        own = [s for s in systems_of(scores, "japagen") if str(s.get("student")) == student]
        beside = [arm for arm in arms if str(arm.get("student")) == student]
        if beside:
            rows = [_row(s, metric, say(RUN)) for s in own[:1]]
            rows += [_row(arm, metric, _learnt(system_arm(arm))) for arm in beside]
            groups.append({"student": student, "rows": rows})
    return {"groups": groups, "sentences": _sentences(scores, arms, str((primary or {}).get("student")))}


def _learnt(arm: str) -> str:
    return say(NAMES[arm]) if arm in NAMES else arm


def _row(system: JSON, metric: str, learnt: str) -> Row:
    score, difference = score_of(system, metric), system.get("difference")
    known = finite(score.get("value")) is not None
    return {
        "learnt": learnt,
        "primary": not difference and system.get("kind") == "japagen",
        "rows": count(system["train_rows"]) if finite(system.get("train_rows")) else "",
        "value": number(score["value"], 3) if known else say("undefined") if is_undefined(score) else "",
        "interval": bounds(score, 3) if known else "",
        "difference": scored(difference, 3, sign=True) if difference else "",
        "p": probability_cell((difference or {}).get("p_holm")),
        "verdict": verdict_name(verdict(difference)) if difference and not is_undefined(difference) else "",
    }


def _sentences(scores: JSON, arms: list[JSON], student: str) -> list[str]:
    """What the primary student's arms say, the control first."""
    told = {system_arm(arm): arm.get("difference") for arm in arms if str(arm.get("student")) == student}
    said = []
    if "control" in told:
        said.append(_control(scores, told["control"], student))
    else:
        said.append(say("No control was measured, so that a gain cannot be ascribed to the errors that were shown."))
    if "round-1" in told:
        difference = say("it minus both: {difference}", difference=gap(told["round-1"]))
        said.append(say(FIRST[verdict(told["round-1"])], gap=difference))
    said.append(
        say(
            "What the second round and its control were shown are labelled gold dev rows: students of them owe something to "
            "people's labels, those of round 1 alone do not."
        )
    )
    return said


def _control(scores: JSON, difference: JSON | None, student: str) -> str:
    """The second round beside its control: in arms of one size where that is the declared contrast, else the whole run."""
    contrast = scores.get("contrast") or {}
    match contrast.get("system"), contrast.get("against"):
        case system, against if (system, against) == (f"guided/{student}", f"control/{student}"):
            between = contrast.get("difference") or {}
            found = verdict({**between, "p_holm": between.get("p")})
            told = say("as declared, guided minus control: {difference}", difference=scored(between, sign=True))
            return say(CONTROL[OTHER_WAY.get(found, found)], gap=told)
        case _:
            told = say("it minus both rounds: {difference}", difference=gap(difference))
            return say(CONTROL[verdict(difference)], gap=told)
