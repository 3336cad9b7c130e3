"""The report of a run: one self-contained HTML file to read, one Markdown file for a pull request.

It computes nothing: everything is drawn from the JSON that the stages left (`ReportData`). `notices` says what to know
first, `opening` the rest in sentences, `figures` in Plotly, every other module in rows; the templates put them on the
page, in the order of `contents`. Plotly, the figures and the rows to browse are packed (`packed`), so that the page stays
below `PAGE_BYTES`. Every text by a user or a language model is escaped, and the page's Content-Security-Policy admits only
the two scripts that we wrote into it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from japagen.report import comparisons, tables, words
from japagen.report.artefacts import artefacts, text_name
from japagen.report.browser import browser
from japagen.report.bylabel import by_label
from japagen.report.calibration import calibration
from japagen.report.cards import cards
from japagen.report.contamination import contamination, held
from japagen.report.contents import contents
from japagen.report.correctness import correctness
from japagen.report.curation import curation
from japagen.report.diversity import diversity
from japagen.report.embedding import embedding
from japagen.report.fidelity import fidelity
from japagen.report.gold import gold_data
from japagen.report.keyness import keyness
from japagen.report.language import in_language, language, say, several
from japagen.report.notices import notices
from japagen.report.opening import file_opening, opening
from japagen.report.packed import digest, packed_json, packed_plotly
from japagen.report.rounds import rounds
from japagen.report.scaling import scaling
from japagen.report.scoretable import score_table
from japagen.report.signatures import signatures
from japagen.report.spending import prompting, spending
from japagen.report.students import students
from japagen.tables import write_text

__all__ = ["ReportData", "write_report"]

JSON = Mapping[str, Any]
PAGE_BYTES = 6_000_000
"""What the page may weigh; the rows to browse take what the rest leaves."""
HTML_BYTES = 500_000
"""Left free for the tables and texts around them."""
SAYING = ("capital", "fate_name", "listed", "named", "reason_name", "run_on", "source_name", "split_name", "stage_name")
"""Functions of `words` that the templates call."""
MOST_ROWS = 25_000
"""Rows to browse where the experiment does not say."""


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
        analysis: what `analyze` measured of the texts (see `japagen.analyze`).
        kept, dropped, mistakes: all texts to browse, as rows; the page holds as many as fit.
        provenance: versions, seed, digests, llm, started, finished, command.
        notices: warnings, shown before anything else.
        file: name, rows and gold_rows, where a file was analysed and there is no run.
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
    file: JSON = field(default_factory=dict)


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
    told = ReportData(**(empty | known))
    with in_language("ja" if _report(told).get("language") == "ja" else "en"):
        view = _view(told)
        pages = {"report.html": _html(view), "report.md": _markdown(view)}
    for name, text in pages.items():
        write_text(folder / name, text)
    return [folder / name for name in pages]


def _report(data: ReportData) -> JSON:
    """The settings of the report."""
    return data.experiment.get("report") or {}


def _view(data: ReportData) -> dict[str, Any]:
    """What both templates show."""
    task, stages, scores, analysis = data.task, data.stages, data.scores, data.analysis
    labels = [str(label) for label in task.get("labels") or scores.get("labels") or analysis.get("labels") or ()]
    things = words.things_of(scores if scores.get("kind") else task)
    asked_title = say("Labels and settings") if data.file else say("What was asked")
    ledger, label_rows = tables.ledger(stages, labels), tables.label_rows(task, analysis)
    view = {
        "data": data,
        "labels": labels,
        "opening": file_opening(data.file) if data.file else opening(scores, data.experiment),
        "asked": tables.asked(task, data.experiment, stages, scores),
        "asked_title": asked_title,
        "label_rows": label_rows,
        "meanings": any(row["meaning"] for row in label_rows),
        "label_counts": [source for source, _ in tables.counted(analysis.get("counts"))],
        "settings": tables.settings(data.experiment),
        "spending": spending(stages, data.curation),
        "times": tables.times(stages),
        "students": students(data.students, data.experiment, words.metric_of(scores)),
        "sizes": words.sizes(stages, things),
        "ledger": ledger,
        "curation": curation(data.curation, labels, things),
        "gold_data": gold_data(scores, file=bool(data.file)),
        "scores": score_table(scores),
        "prompting": prompting(scores),
        "tests": comparisons.tests(scores),
        "one_by_one": comparisons.one_by_one(scores),
        "rounds": rounds(scores),
        "by_label": by_label(scores),
        "calibration": calibration(scores),
        "contamination": contamination(scores, file=bool(data.file)),
        "primary": words.system_label(primary) if (primary := words.primary_of(scores)) else "",
        "primary_texts": words.training_texts(words.primary_of(scores)),
        "metric": words.metric_name(words.metric_of(scores)),
        "smallest": words.number(smallest) if (smallest := scores.get("smallest_detectable_difference")) else "",
        "smallest_in": "" if words.metric_of(scores) == "accuracy" else say(" in accuracy"),
        "things": things,
        "gap_between": "" if language() == "ja" else " ",
        "confusion": tables.confusion(scores),
        "scaling": scaling(analysis),
        "correctness": correctness(analysis, labels),
        "diversity": diversity(analysis),
        "fidelity": _nearness(data, labels),
        "keyness": keyness(analysis, labels),
        "embedding": embedding(analysis),
        "artefacts": artefacts(analysis, labels),
        "cards": cards(data.kept, data.dropped, data.mistakes),
        "signatures": signatures({"stages": stages, "curation": data.curation, "scores": scores, "analysis": analysis}),
        "provenance": tables.provenance(data.provenance),
    }
    return view | {
        "notices": notices(
            {} if data.file else scores,
            stages,
            data.experiment,
            ledger,
            view,
            data.notices,
            held=held(scores) if data.file else None,
        ),
        "contents": contents(_shown(view), {"asked": asked_title}),
    }


def _nearness(data: ReportData, labels: Sequence[str]) -> dict[str, Any] | None:
    """Fidelity; of a file that holds some of the human texts with a sentence that says so."""
    found, hits = fidelity(data.analysis, labels), held(data.scores) if data.file else {"n": 0.0}
    if found is None or not hits["n"]:
        return found
    said = say(
        "Human rows that stand in the file too are compared with themselves here: {n}.", n=words.count(hits["n"])
    )
    return {**found, "sentences": [said, *found["sentences"]]}


def _shown(view: Mapping[str, Any]) -> dict[str, Any]:
    """By section what it has to show, where that goes by another name."""
    return {
        **view,
        "asked": True,
        "gold": view["gold_data"],
        "rows": view["ledger"],
        "scores": view["scores"]["groups"],
        "bylabel": view["by_label"],
        "students": view["students"]["names"],
        "examples": view["cards"],
        "cost": view["spending"] or view["times"],
        "provenance": True,
    }


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
    from japagen.report import figures, look

    data: ReportData = view["data"]
    drawn = figures.figures(data.stages, data.scores, data.analysis, view["labels"])
    env = _environment(html=True)
    page = env.loader.get_source(env, "report.js")[0] if env.loader else ""
    plotly, plotly_digest = packed_plotly()
    figures_packed = packed_json({"figures": drawn, "dark": look.dark_twins()})
    room = PAGE_BYTES - HTML_BYTES - len(plotly) - len(figures_packed)
    most = _report(data).get("examples", MOST_ROWS)
    draw = partial(
        env.get_template("report.html.j2").render,
        **view,
        drawn=drawn,
        plotly=plotly,
        figures_packed=figures_packed,
        page=page,
        policy=" ".join(f"'sha256-{one}'" for one in (digest(page), plotly_digest)),
        palette=look.PALETTE,
        font=look.FONT,
    )
    rows = browser(view["cards"], most, room)
    html = draw(browser=rows)
    while rows is not None and (over := len(html.encode()) - PAGE_BYTES) > 0:  # tables and texts took more than usual
        room = len(rows.packed) - over
        rows = browser(view["cards"], most, room) if room > 0 and rows.shown > 1 else None
        html = draw(browser=rows)
    return html


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
    env.globals |= {"say": say, "several": several, "language": language, "text_name": text_name}
    env.globals |= {name: getattr(words, name) for name in SAYING}
    env.filters["count"] = words.count
    env.tests["japanese"] = lambda text: language() == "en" and bool(words.JAPANESE.search(str(text)))
    env.filters["tight"] = lambda text: re.sub(
        r"(?<=[\d,=]) (?=[\[\d+−.])", "\u00a0", text
    )  # intervals stay on one line
    return env


def escaped(value: object) -> str:
    r"""A value as Markdown that shows it literally, on one line: no HTML, table cell, link, emphasis or mention.

    >>> escaped("<b>|*")
    '&lt;b&gt;\\|\\*'
    """
    if value == " ":  # between two sentences
        return " "
    text = " ".join(str(value).split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = re.sub(r"([\\|`*~])|(?<!\w)(_)|(_)(?!\w)|(?<=\])(\()", lambda found: "\\" + found[0], text)
    return re.sub(r"@(?=[A-Za-z0-9])", "@\u200b", text)
