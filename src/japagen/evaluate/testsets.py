"""How large a task's test set is, and what it can show: `japagen power`.

The rows are those of the task's gold data; of a built-in task without any, those of the published set. Knows no prediction.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from japagen.errors import ConfigError
from japagen.evaluate.gold import load_gold_data
from japagen.evaluate.power import ICC, SCORES, Design, TestSet
from japagen.groups import image_groups
from japagen.metrics import Undefined
from japagen.task import Task

PUBLISHED = {
    "marc-ja": TestSet(5639),
    "jsts": TestSet(1457, 1323, 1.196),
    "jnli": TestSet(2434, 1089, 3.141, (349 / 2434, 735 / 2434, 1350 / 2434)),
    "jcola": TestSet(865, shares=(139 / 865, 726 / 865)),
    "news": TestSet(1473),
}
"""Built-in tasks: JGLUE's and JCoLA's labelled test sets (valid where the test has no labels), a fifth of the news."""

DISCORDANCES = (0.05, 0.1, 0.2)


def find_test_set(task: Task, n: int | None = None) -> tuple[TestSet, str]:
    """The test set of a task, and where its size is from.

    Args:
        task: its gold data are read.
        n: as many independent rows in place of it; labels as often as published, or each as often.

    Raises:
        ConfigError: the task names no gold data, is no published one, and `n` is not given.
        DataError: gold data cannot be read.
    """
    names = () if task.kind == "similarity" else task.label_names
    known = PUBLISHED.get(task.name, TestSet(0))
    shares = known.shares or tuple(1 / len(names) for _ in names)
    if n is not None:
        return TestSet(n, shares=shares), "asked for"
    if task.gold is not None:
        rows = load_gold_data(task).test
        return TestSet.of([row.label for row in rows], image_groups(rows), names), "the test rows of its gold data"
    if known.rows:
        return replace(known, shares=shares), "as published"
    remedy = "name gold data in the task or the experiment, or say how many rows there will be: --n 500"
    raise ConfigError("the task names no gold data", where=f"task '{task.name}'", remedy=remedy)


def plan(
    task: Task,
    *,
    n: int | None = None,
    discordances: Sequence[float] = DISCORDANCES,
    power: float = 0.8,
    alpha: float = 0.05,
    comparisons: int = 1,
    score: float | None = None,
    icc: float = ICC,
    difference: float | None = None,
) -> dict[str, Any]:
    """What a task's test set can show, as JSON; None with a reason where a test can show nothing.

    Args:
        task: whose metric and gold data.
        n: rows in place of the task's test set.
        discordances: see `Design`; a line for each.
        power: probability of noticing the difference.
        alpha: two-sided level of the test of one difference.
        comparisons: as many differences are corrected by Holm; the hardest step has level alpha / comparisons.
        score: what systems are assumed to score; None: see `power.SCORES`.
        icc: correlation within a group of rows.
        difference: wanted; then it is also said how many rows show it.

    Raises:
        ConfigError: no test set, or an assumption outside its range.
        DataError: gold data cannot be read.
    """
    tested, source = find_test_set(task, n)
    rows = tested.effective_rows(icc)
    where = f"task '{task.name}', {task.metric}"
    lines = []
    for discordance in discordances:
        one = Design(task.metric, tested.shares, score, discordance, power, alpha)
        try:
            half_width = one.half_width(rows)
        except Undefined as reason:
            remedy = "give --score, --discordance, --power and --alpha that fit the metric"
            raise ConfigError(str(reason), where=where, remedy=remedy) from reason
        line = {"discordance": discordance, **_smallest(one, rows, "smallest_difference")}
        if comparisons > 1:
            line |= _smallest(replace(one, alpha=alpha / comparisons), rows, "smallest_difference_holm")
        if difference is not None:
            line |= _rows(one, tested.rows / rows, difference)
        lines.append(line)
    return {
        "task": task.name,
        "metric": task.metric,
        "rows": tested.rows,
        "groups": tested.groups,
        "effective_rows": round(rows, 1),
        "source": source,
        "score": SCORES[task.metric] if score is None else score,
        "half_width": half_width,
        "power": power,
        "alpha": alpha,
        "comparisons": comparisons,
        "difference": difference,
        "by_discordance": lines,
    }


def _smallest(design: Design, rows: float, key: str) -> dict[str, Any]:
    try:
        return {key: design.smallest_difference(rows)}
    except Undefined as reason:
        return {key: None, "undefined": str(reason)}


def _rows(design: Design, per_row: float, difference: float) -> dict[str, Any]:
    """How many rows must be labelled, with as large groups as those that are there."""
    try:
        return {"rows_needed": math.ceil(design.rows_needed(difference) * per_row)}
    except Undefined as reason:
        return {"rows_needed": None, "undefined": str(reason)}
