"""What stands beside the table: the declared contrasts, what JAPAGEN gains over PROMPTING, costs, contamination."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from japagen.compare.finished import JSON, Finished, Measured
from japagen.compare.marking import GoldRows
from japagen.compare.methods import Entry, arm, method_of
from japagen.compare.table import Contrast, Cost, Gain, Overlap
from japagen.metrics import Undefined
from japagen.significance import holm

ASKED = "zero-shot"
"""Name of the system that the paper's gains are over."""


def contrasts(runs: Sequence[Finished], *, name_llm: bool) -> list[Contrast]:
    """The contrast of each run that has one, with Holm's correction over all of them."""
    found = [_contrast(run, told, name_llm) for run in runs if (told := run.scores.get("contrast"))]
    names = {str(place): each.p for place, each in enumerate(found) if each.p is not None}
    adjusted = holm(names)
    return [replace(each, p_holm=adjusted.get(str(place))) for place, each in enumerate(found)]


def _contrast(run: Finished, told: JSON, name_llm: bool) -> Contrast:
    difference = told["difference"] or {}
    return Contrast(
        task=run.task,
        run=run.name,
        system=_named(run, str(told["system"]), name_llm),
        against=_named(run, str(told["against"]), name_llm),
        declared=bool(told["declared"]),
        metric=run.metric,
        value=difference.get("value"),
        low=difference.get("low"),
        high=difference.get("high"),
        p=difference.get("p"),
        undefined=str(difference.get("undefined") or ""),
    )


def _named(run: Finished, system: str, name_llm: bool) -> str:
    """A system as the table calls it."""
    method = method_of(run, run.systems[system], name_llm=name_llm)
    return f"{method.name}, {method.student}" if method.student else method.name


def gains(column: int, runs: Mapping[str, Finished], found: Sequence[Entry], metric: str, rows: GoldRows) -> list[Gain]:
    """Every JAPAGEN of a column minus zero-shot PROMPTING of its own run, where that was measured."""
    told = []
    for entry in found:
        asked = runs[entry.runs[0]].systems.get(ASKED)
        if entry.method.kind != "japagen" or asked is None:
            continue
        try:
            base = rows.measure(asked, metric)
            difference = rows.measure(entry.system, metric).minus(base)
        except Undefined:
            continue
        over = float(base.by_seed.mean())
        told.append(Gain(entry.method, column, difference, difference.value / over if over > 0 else None))
    return told


def costs(runs: Sequence[Finished], *, name_llm: bool) -> list[Cost]:
    """What each run's texts took, and each way of asking; of ways that runs share, the run that paid most."""
    told = []
    names = {run.name for run in runs}
    for run in runs:
        if _same_sweep(run, run.taken.get("generate", "")) & names:
            continue  # the arm that they are of is among the runs, and was asked them
        if usage := run.usage.get("generate"):
            accounts = run.accounts
            asked = (accounts.get("generate") or {}).get("requested")
            kept = (accounts.get("curate") or {}).get("kept")
            what, whose = (run.name, "") if run.sweep else (arm(run), run.name)
            told.append(replace(_cost(run, what, usage), run=whose, asked=asked, kept=kept))
    return told + _asking(runs, name_llm)


def _same_sweep(run: Finished, other: str) -> set[str]:
    """The names that another arm of the run's sweep may be called by."""
    return {other, f"{run.sweep}/{other}"} if other else set()


def _asking(runs: Sequence[Finished], name_llm: bool) -> list[Cost]:
    most: dict[object, Cost] = {}
    for run in runs:
        for system in run.systems.values():
            if system.kind == "prompted" and system.cost:
                name = method_of(run, system, name_llm=name_llm).name.removesuffix(f" · {run.llm}")
                cost = _cost(run, name, system.cost)
                key = (run.task, run.llm, name, _answers(system))
                if key not in most or _tokens(cost) > _tokens(most[key]):
                    most[key] = cost
        if run.usage.get("evaluate", {}).get("requests") and not any(s.cost for s in run.systems.values()):
            whole = replace(_cost(run, "PROMPTING, all ways", run.usage["evaluate"]), run=run.name)
            most[run.name, None] = whole  # a run of an earlier version: only the sum is known
    return list(most.values())


def _answers(system: Measured) -> object:
    return system.labels, system.values


def _tokens(cost: Cost) -> int:
    return cost.prompt_tokens + cost.completion_tokens


def _cost(run: Finished, what: str, usage: JSON) -> Cost:
    calls = usage.get("calls", usage.get("requests", 0))
    usd = usage.get("usd")
    return Cost(
        run.task, what, "", run.llm, int(calls), int(usage["prompt_tokens"]), int(usage["completion_tokens"]), usd
    )


def overlaps(runs: Sequence[Finished]) -> list[Overlap]:
    """Counts of contaminated rows; what several runs of a task say alike is said once."""
    found: dict[Overlap, list[str]] = {}
    for run in runs:
        for told in run.scores.get("contamination") or ():
            counts = Overlap(
                task=run.task,
                runs=(),
                rows=str(told["set"]),
                against=str(told["against"]),
                of=int(told["of"]),
                exact=int(told["exact"]),
                canonical=int(told["canonical"]),
                near=int(told["near"]),
                one_text=told.get("one_text"),
            )
            found.setdefault(counts, []).append(run.name)
    return [replace(counts, runs=tuple(names)) for counts, names in found.items()]
