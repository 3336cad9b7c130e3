"""The comparison as one HTML file in the look of the report: no scripts, nothing fetched, readable on a phone."""

from __future__ import annotations

import re
from functools import cache

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from japagen.compare.printed import MARK, visible
from japagen.compare.scatter import HEIGHT, WIDTH, scatter
from japagen.compare.sidetables import printed_tables
from japagen.compare.table import Comparison
from japagen.report import look, words


def to_html(comparison: Comparison) -> str:
    """The page: what was found, then every table, with what it means below it."""
    tasks = list(dict.fromkeys(visible(column.task) for column in comparison.columns))
    sweeps = [visible(name) for name in comparison.arms.sweeps] if comparison.arms else []
    return (
        _environment()
        .get_template("compare.html.j2")
        .render(
            tables=printed_tables(comparison),
            scatter=comparison.arms and scatter(comparison.arms.arms),
            size=(WIDTH, HEIGHT),
            title=" · ".join(words.join(names) for names in (sweeps, tasks) if names),
            runs=[visible(run) for run in comparison.runs],
            mark=MARK,
            palette=look.PALETTE,
            font=look.FONT,
        )
    )


def _tight(text: object) -> str:
    """With intervals, percentages and equations that stay on one line."""
    return re.sub(r"(?<=[\d,]) (?=[\[\d+−.])|(?<=\d) (?=%)|(?<==) | (?==)", "\u00a0", str(text))


@cache
def _environment() -> Environment:
    env = Environment(
        loader=ChoiceLoader([PackageLoader("japagen.compare"), PackageLoader("japagen.report")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.tests["japanese"] = lambda text: bool(words.JAPANESE.search(str(text)))
    env.filters["tight"] = _tight
    return env
