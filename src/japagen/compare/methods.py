"""Methods by name, nearly as the paper calls them: zero- and few-shot JAPAGEN, PROMPTING, training on gold.

An arm of a sweep is called by its own name. What is done alike is one method. A baseline that several runs have with the
same answers is one row. Where answers differ, or two runs use JAPAGEN in the same way, each run gets a row of its own,
named by it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from japagen.compare.finished import Finished, Measured
from japagen.compare.table import Method
from japagen.knowledge import Mechanisms

KINDS = ("japagen", "arm", "prompted", "gold", "supervised", "majority")
_PROMPTED = ("", "calibrated", "self-consistency")


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands in one cell: a system, and the runs that have it with these very answers."""

    method: Method
    system: Measured
    runs: tuple[str, ...]


def several_llms(runs: Sequence[Finished]) -> bool:
    """Whether a method's name must say which language model it is about."""
    return len({run.llm for run in runs}) > 1


def entries(runs: Sequence[Finished], students: Collection[str], *, name_llm: bool) -> list[Entry]:
    """The systems of one task's runs, each method once, or once for each run where its answers differ.

    Args:
        runs: of one task.
        students: only systems of these, and those without a student; empty for all.
        name_llm: whether names say which language model it was.
    """
    found: dict[Method, list[tuple[Finished, Measured]]] = {}
    for run in runs:
        for system in run.systems.values():
            if not students or not system.student or system.student.removesuffix(" ensemble") in students:
                found.setdefault(method_of(run, system, name_llm=name_llm), []).append((run, system))
    return [entry for method, having in found.items() for entry in _rows(method, having)]


def _rows(method: Method, having: Sequence[tuple[Finished, Measured]]) -> list[Entry]:
    alike: dict[object, list[tuple[Finished, Measured]]] = {}
    for run, system in having:
        key = run.name if method.kind in ("japagen", "arm") else (system.labels, system.values)
        alike.setdefault(key, []).append((run, system))
    merged = [(shared[0][1], tuple(run.name for run, _ in shared)) for shared in alike.values()]
    if len(merged) == 1:
        return [Entry(method, system, names) for system, names in merged]
    return [Entry(replace(method, run=", ".join(names)), system, names) for system, names in merged]


def method_of(run: Finished, system: Measured, *, name_llm: bool) -> Method:
    """How a system came about, from the settings of its run."""
    llm = f" · {run.llm}" if name_llm else ""
    place = KINDS.index(system.kind) if system.kind in KINDS else len(KINDS)
    match system.kind:
        case "japagen" if run.sweep:
            name, order = run.name, (0, 0)
        case "arm" if run.sweep:
            name, order = f"{run.name}: {system.name.partition('/')[0]}", (0, 0)
        case "japagen":
            name, order = arm(run) + llm, (_shots(run), len(_kadg(run.kadg)))
        case "arm":
            name, order = f"{arm(run)}: {system.name.partition('/')[0]}" + llm, (_shots(run), len(_kadg(run.kadg)))
        case "prompted":
            way, _, how = system.name.partition(" ")
            few = way == "few-shot"
            name = f"{way} PROMPTING" + (f" ({system.k} per label)" if few and system.k else "")
            if how == "self-consistency":
                how += f" ({run.settings['evaluate'].get('self_consistency')})"
            name += (f", {how}" if how else "") + llm
            order = (few, next((i for i, known in enumerate(_PROMPTED) if known and how.startswith(known)), 0))
        case "gold":
            name, order = f"training on gold, K = {system.k}", (system.k or 0, 0)
        case "supervised":
            name, order = "fully supervised", (0, 0)
        case "majority":
            name, order = "most frequent label", (0, 0)
        case _:
            name, order = system.name, (0, 0)
    return Method(system.kind, name, system.student, order=(place, *map(int, order)))


def arm(run: Finished) -> str:
    """The JAPAGEN of a run: shots, KADG, and gold rows where its students saw some."""
    shots, train = _shots(run), run.settings.get("train") or {}
    parts = [f"few-shot JAPAGEN ({shots})" if shots else "zero-shot JAPAGEN"]
    if used := _kadg(run.kadg):
        parts.append(f"KADG ({', '.join(used)})")
    if anchor := train.get("anchor"):
        parts.append(f"gold ({anchor['rows']})")
    if decision := train.get("decision"):
        parts.append(f"decision ({decision['source']})")
    if train.get("dev") == "gold":
        parts.append("gold dev")
    if run.settings.get("rounds", 1) > 1:
        parts.append("second round")
    return " + ".join(parts)


def _shots(run: Finished) -> int:
    return int(run.settings["generate"]["shots"])


def _kadg(used: Mechanisms) -> list[str]:
    """The mechanisms by name; random values in place of the task's are the control."""
    named = [f"random-{name} control" if name in used.random else name for name in used.attributes]
    return named + [name for name, on in (("rule", used.rule), ("descriptions", used.descriptions)) if on]


def in_order(methods: Mapping[Method, object]) -> list[Method]:
    """Methods as rows: by kind and order; then by student and run, as they came."""
    students = list(dict.fromkeys(method.student for method in methods))
    names = list(dict.fromkeys(method.name for method in methods))
    return sorted(methods, key=lambda m: (m.order, names.index(m.name), students.index(m.student)))
