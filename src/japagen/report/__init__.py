"""The report of a run: one self-contained HTML file to read, one Markdown file for a pull request.

It computes nothing: everything is drawn from the JSON that the stages left (`ReportData`). `opening` says it in
sentences, `figures` in Plotly, every other module in rows; the templates put them on the page. Every text by a user or
a language model is escaped, and the page's Content-Security-Policy admits only the two scripts that we wrote into it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from japagen.report import comparisons, tables, words
from japagen.report.artefacts import artefacts
from japagen.report.bylabel import by_label
from japagen.report.calibration import calibration
from japagen.report.cards import cards
from japagen.report.contamination import contamination
from japagen.report.curation import curation
from japagen.report.gold import gold_data
from japagen.report.opening import opening
from japagen.report.rounds import rounds
from japagen.report.scoretable import score_table
from japagen.report.spending import prompting, spending
from japagen.report.students import students
from japagen.tables import write_text

__all__ = ["ReportData", "write_report"]

JSON = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ReportData:
    """All that a report shows, as the stages wrote it; whatever is missing is left out of the page.

    Attributes:
        name: of the run.
        task: name, description, kind, metric, labels with their meanings, kadg (what of it is used).
        experiment: the settings, nested as in the YAML.
        students: every classifier trained: student, seed, train_rows, dev_rows, anchor_rows, about (its classifier.json)
            and decision (its decision.json).
        stages: by stage: accounting, by_label, seconds; those that used a model also usage.
        scores: kind, metric, n, labels, primary, systems, smallest_detectable_difference, contrast, tests, gold,
            contamination, contaminated, as `evaluate` wrote them; systems with anchor_rows (gold rows among
            train_rows) and decision (learnt_from, adopted), where there are any.
        curation: steps, repairs, and what of contamination, noise, judge, sample, top_up and round_2 was on, as `curate`
            wrote them.
        analysis: counts, lengths, register, scripts, distinct_n, vocabulary_jaccard, characteristic_words, of
            pairs artefacts.
        kept, dropped, mistakes: samples of texts to browse.
        provenance: versions, seed, digests, llm, started, finished, command.
        notices: warnings, shown before anything else.
    """

    name: str
    task: JSON = field(default_factory=dict)
    experiment: JSON = field(default_factory=dict)
    students: Sequence[JSON] = ()
    stages: JSON = field(default_factory=dict)
    scores: JSON = field(default_factory=dict)
    curation: JSON = field(default_factory=dict)
    analysis: JSON = field(default_factory=dict)
    kept: Sequence[JSON] = ()
    dropped: Sequence[JSON] = ()
    mistakes: Sequence[JSON] = ()
    provenance: JSON = field(default_factory=dict)
    notices: Sequence[str] = ()


def write_report(data: ReportData, folder: Path) -> list[Path]:
    """Write ``report.html`` and ``report.md`` into the folder, each whole or not at all.

    Returns:
        The two files written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    parts = {part.name: getattr(data, part.name) for part in fields(data)}
    lists = ("students", "kept", "dropped", "mistakes", "notices")
    empty: dict[str, Any] = {name: () if name in lists else {} for name in parts}
    known = {name: _known(part) if name != "experiment" else part for name, part in parts.items() if part is not None}
    view = _view(ReportData(**(empty | known)))
    pages = {"report.html": _html(view), "report.md": _markdown(view)}
    for name, text in pages.items():
        write_text(folder / name, text)
    return [folder / name for name in pages]


def _view(data: ReportData) -> dict[str, Any]:
    """What both templates show."""
    task, stages, scores, analysis = data.task, data.stages, data.scores, data.analysis
    labels = [str(label) for label in task.get("labels") or scores.get("labels") or analysis.get("labels") or ()]
    things = words.things_of(scores if scores.get("kind") else task)
    ledger = tables.ledger(stages, labels)
    curated = curation(data.curation, labels, things)
    given_away = artefacts(analysis, labels)
    wrong = [f"The rows of the stage '{book['stage']}' do not add up." for book in ledger if not book["adds_up"]]
    return {
        "data": data,
        "labels": labels,
        "opening": opening(scores, data.experiment),
        "notices": [*data.notices, *wrong, *_announced(curated), *_announced_artefacts(given_away)],
        "asked": tables.asked(task, data.experiment, stages, scores),
        "label_rows": tables.label_rows(task, analysis),
        "label_counts": [source for source, _ in tables.both(analysis.get("counts"))],
        "settings": tables.settings(data.experiment),
        "spending": spending(stages, data.curation),
        "students": students(data.students, data.experiment, words.metric_of(scores)),
        "sizes": words.sizes(stages, things),
        "ledger": ledger,
        "curation": curated,
        "gold_data": gold_data(scores),
        "scores": score_table(scores),
        "prompting": prompting(scores),
        "tests": comparisons.tests(scores),
        "one_by_one": comparisons.one_by_one(scores),
        "rounds": rounds(scores),
        "by_label": by_label(scores),
        "calibration": calibration(scores),
        "contamination": contamination(scores),
        "primary": words.system_label(primary) if (primary := words.primary_of(scores)) else "",
        "primary_texts": words.training_texts(words.primary_of(scores)),
        "metric": words.metric_name(words.metric_of(scores)),
        "smallest": words.number(smallest) if (smallest := scores.get("smallest_detectable_difference")) else "",
        "smallest_in": "" if words.metric_of(scores) == "accuracy" else " in accuracy",
        "things": things,
        "confusion": tables.confusion(scores),
        "lengths": tables.length_rows(analysis, labels),
        "compositions": [
            (title, told)
            for key, title in (("register", "Register"), ("scripts", "Scripts"))
            if (told := tables.composition(analysis.get(key), labels))
        ],
        "diversity": tables.diversity_rows(analysis),
        "artefacts": given_away,
        "word_lists": tables.word_lists(analysis),
        "cards": cards(data.kept, data.dropped, data.mistakes),
        "provenance": tables.settings({k: v for k, v in data.provenance.items() if k not in ("versions", "digests")}),
    }


def _announced(curated: JSON | None) -> list[str]:
    """One notice for all alarms of curation, which stand in its section."""
    alarms = (curated or {}).get("alarms") or ()
    few = "an alarm" if len(alarms) == 1 else f"{len(alarms)} alarms"
    return [f"Curation raises {few}; see the section Curation."] if alarms else []


def _announced_artefacts(given_away: JSON | None) -> list[str]:
    """One notice where a text of the pairs alone tells their label."""
    if not (given_away or {}).get("alarms"):
        return []
    return [
        "One text of the synthetic pairs tells their label without the other; see the section What one text gives away."
    ]


def _known(value: Any) -> Any:
    """The value without nulls and non-finite numbers, at any depth: absent is then the one way to be missing."""
    if isinstance(value, Mapping):
        return {str(key): _known(inner) for key, inner in value.items() if not _is_void(inner)}
    if isinstance(value, list | tuple):
        return [_known(inner) for inner in value if not _is_void(inner)]
    return value


def _is_void(value: object) -> bool:
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def _html(view: Mapping[str, Any]) -> str:
    from plotly.offline import get_plotlyjs

    from japagen.report import figures, look

    data: ReportData = view["data"]
    drawn = figures.figures(data.stages, data.scores, data.analysis, view["labels"])
    env = _environment(html=True)
    source = env.loader.get_source(env, "report.js")[0] if env.loader else ""
    scripts = {"plotly": get_plotlyjs().replace("\r\n", "\n"), "page": source}
    return env.get_template("report.html.j2").render(
        **view,
        **scripts,
        drawn=drawn,
        figures_json=_embedded({"figures": drawn, "dark": look.dark_twins()}),
        policy=" ".join(f"'sha256-{_digest(script)}'" for script in scripts.values()),
        palette=look.PALETTE,
        font=look.FONT,
    )


def _markdown(view: Mapping[str, Any]) -> str:
    return _environment(html=False).get_template("report.md.j2").render(**view)


@cache
def _environment(*, html: bool) -> Environment:
    """Templates for HTML, or for Markdown, where `escaped` runs over every value instead of HTML's escaping."""
    env = Environment(
        loader=PackageLoader("japagen.report"),
        autoescape=html,  # noqa: S701
        finalize=None if html else escaped,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.tests["japanese"] = lambda text: bool(words.JAPANESE.search(str(text)))
    env.filters["tight"] = lambda text: re.sub(
        r"(?<=[\d,=]) (?=[\[\d+−.])", "\u00a0", text
    )  # intervals stay on one line
    return env


def escaped(value: object) -> str:
    r"""A value as Markdown that shows it literally, on one line: no HTML, table cell, link, emphasis or mention.

    >>> escaped("<b>|*")
    '&lt;b&gt;\\|\\*'
    """
    text = " ".join(str(value).split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = re.sub(r"([\\|`*~])|(?<!\w)(_)|(_)(?!\w)|(?<=\])(\()", lambda found: "\\" + found[0], text)
    return re.sub(r"@(?=[A-Za-z0-9])", "@\u200b", text)


def _embedded(value: object) -> str:
    """JSON that is safe inside a script element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
