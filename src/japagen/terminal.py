"""What a person sees in the terminal: live progress while stages run, and the tables of a run."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from japagen.errors import RunError
from japagen.llm.stored import Stored
from japagen.progress import Listener, Progress, silent
from japagen.rundir import REPLIES, STAGES, Run, digest_or_none, read_json

_TOLD = ("accounting", "by_label", "usage", "seconds", "finished", "taken_from")
_NAMES = {"macro_f1": "macro-F1", "mcc": "MCC", "spearman": "Spearman", "pearson": "Pearson"}


def logged_progress(console: Console, *, every: float = 30.0) -> Listener:
    """A listener for logs and pipes: one line now and then, at most one in so many seconds."""
    told = time.monotonic()

    def listen(p: Progress) -> None:
        nonlocal told
        if time.monotonic() - told >= every:
            told = time.monotonic()
            lost = f", dropped {p.dropped}, failed {p.failed}" if p.dropped or p.failed else ""
            console.print(f"{p.stage} {p.item}: {p.done} of {p.total}{lost}", highlight=False, markup=False)

    return listen


@contextmanager
def live_progress(console: Console, *, enabled: bool) -> Iterator[Listener]:
    """A listener that keeps a table up to date: per stage and item done, kept, dropped, failed, rate and time left."""
    if not enabled:
        yield silent
        return
    seen: dict[tuple[str, str], Progress] = {}
    begun: dict[tuple[str, str], float] = {}
    ended: dict[tuple[str, str], float] = {}

    def draw() -> Table:
        table = Table("stage", "", box=None, pad_edge=False)
        for heading in ("done", "kept", "dropped", "failed", "per s", "left"):
            table.add_column(heading, justify="right")
        last = ""
        for key, p in list(seen.items())[-16:]:
            spent = ended.get(key, time.monotonic()) - begun[key]
            fresh = p.done - p.resumed
            rate = fresh / spent if fresh > 0 and spent > 0.2 else 0.0
            left = "done" if p.done >= p.total else _clock((p.total - p.done) / rate) if rate else "…"
            kept, dropped, failed = (
                str(n) if p.kept or p.dropped or p.failed else "" for n in (p.kept, p.dropped, p.failed)
            )
            stage = p.stage if p.stage != last else ""
            last = p.stage
            table.add_row(
                stage, escape(p.item), f"{p.done}/{p.total}", kept, dropped, failed, f"{rate:.1f}" if rate else "", left
            )
        return table

    with Live(console=console, auto_refresh=True, refresh_per_second=4, get_renderable=lambda: draw() if seen else ""):

        def listen(progress: Progress) -> None:
            key = (progress.stage, progress.item)
            others = max((ended[k] for k in ended if k[0] == progress.stage and k != key), default=0.0)
            if progress.done <= progress.resumed or key not in begun:
                begun[key] = time.monotonic()  # the clock runs from the last moment without new rows
            elif seen[key].done <= seen[key].resumed:
                begun[key] = max(begun[key], others)  # or from the end of the item before, if that was later
            if progress.done >= progress.total:
                ended.setdefault(key, time.monotonic())
            seen[key] = progress

        yield listen


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def run_state(path: Path) -> dict[str, Any]:
    """A run as plain data: its stages with their accounts, and its scores.

    Raises:
        RunError: there is no run at `path`, or it is damaged.
    """
    place = Run.open(path)
    stages: dict[str, Any] = {}
    for stage in STAGES:
        done = place.done(stage)
        stages[stage] = None if done is None else {k: done[k] for k in _TOLD if k in done}
    state: dict[str, Any] = {**place.about(), "name": place.name, "path": str(path), "stages": stages}
    counts = {s: len(Stored(place.folder(s) / REPLIES)) for s in ("generate", "evaluate") if stages[s] is None}
    state["begun"] = {stage: count for stage, count in counts.items() if count}
    if stages["evaluate"]:
        file = place.folder("evaluate") / "scores.json"
        if digest_or_none(file) != (place.done("evaluate") or {})["outputs"].get(file.name):
            remedy = "make the stage again with --redo evaluate"
            raise RunError("damaged: it was changed since the stage was done", where=file, remedy=remedy)
        state["scores"] = read_json(file)
    if stages["report"]:
        state["report"] = str(place.folder("report") / "report.html")
    return state


def print_run(state: dict[str, Any], console: Console) -> None:
    """Print the tables of a run."""
    table = Table(
        "stage", "state", title=f"{state.get('name', state['experiment'])} (task {state['task']})", title_justify="left"
    )
    for heading in ("requested", "kept", "dropped", "failed", "seconds"):
        table.add_column(heading, justify="right")
    for stage, done in state["stages"].items():
        if done is None:
            replies = state.get("begun", {}).get(stage)
            table.add_row(stage, f"{replies:,} replies" if replies else "to do", *[""] * 5)
            continue
        account = done.get("accounting")
        numbers = [""] * 4
        if account:
            numbers = [
                str(account["requested"]),
                str(account["kept"]),
                _reasons(account["dropped"]),
                _reasons(account["failed"]),
            ]
        how = f"of arm {done['taken_from']}" if "taken_from" in done else "done"
        table.add_row(stage, escape(how), *numbers, f"{done.get('seconds', 0):.1f}")
    console.print(table)
    for stage, done in state["stages"].items():
        if done and any(done.get("usage", {}).values()):
            console.print(f"{stage} used {_used(done['usage'])}", highlight=False, markup=False)
    scores = state.get("scores")
    if scores and scores["systems"]:
        console.print(_score_table(scores, console.width))
        if contrast := scores.get("contrast"):
            console.print(_contrast(contrast), highlight=False, markup=False)
        if contaminated := scores.get("contaminated"):
            what = f"contaminated: {contaminated:,} of {scores['n']:,} test rows stand in what was learnt from"
            console.print(f"{what}; the report has scores without them", highlight=False, markup=False)
    elif scores:
        console.print("no gold data: nothing was measured; add 'gold:' to the task", highlight=False, markup=False)
    for left_out in (scores or {}).get("left_out", []):
        console.print(f"left out: {left_out}", highlight=False, markup=False)
    if "report" in state:
        console.print(f"report: {state['report']}", highlight=False, markup=False)


def _score_table(scores: dict[str, Any], width: int) -> Table:
    """A line for each system: the task's metric with its interval, by seed, and the other metrics where there is room."""
    metric = scores["metric"]
    others = [name for name in scores["systems"][0]["scores"] if name != metric]
    headings = ["gold rows", _NAMES.get(metric, metric), *(_NAMES.get(name, name) for name in others)]
    headings.append(f"{_NAMES.get(metric, metric)} by seed")
    shown = len(headings) if width >= 110 else len(headings) - 1 if width >= 76 else 2  # the report has it all
    table = Table(title=f"{scores['n']} gold rows, 95 % bootstrap intervals", title_justify="left")
    table.add_column("system", no_wrap=True)
    for heading in headings[:shown]:
        table.add_column(heading, justify="right", no_wrap=True)
    for system in scores["systems"]:
        found = system["scores"]
        cells = [
            f"{system['train_rows']:,}" if system["kind"] in ("gold", "supervised") else "",
            with_interval(found[metric]),
            *(_short(found[name]["value"]) for name in others),
            " ".join(_short(value) for value in found[metric]["by_seed"]),
        ]
        missing = f" ({system['unparsed']} unanswered)" if system.get("unparsed") else ""
        table.add_row(escape(system["name"]) + missing, *cells[:shown])
    return table


def _contrast(contrast: dict[str, Any]) -> str:
    """The comparison that the experiment is about, in a line."""
    found = contrast["difference"]
    kind = "declared contrast" if contrast["declared"] else "contrast (not declared: evaluate.contrast)"
    p = f", p = {_short(found['p'])}" if found.get("p") is not None else ""
    return f"{kind}: {contrast['system']} minus {contrast['against']} = {with_interval(found)}{p}"


def with_interval(score: Mapping[str, Any]) -> str:
    """A score with its interval, as the terminal shows it."""
    if score["value"] is None:
        return "undefined"
    return f"{_short(score['value'])} [{_short(score['low'])}, {_short(score['high'])}]"


def _used(usage: dict[str, Any]) -> str:
    """Calls, tokens and, where prices are known, money."""
    tokens = usage.get("prompt_tokens", 0) + usage.get("completion_tokens", 0)
    money = "" if not usage.get("usd") else f", {usage['usd']:.4f} US dollars"
    return f"{usage.get('requests', 0):,} calls, {tokens:,} tokens{money}"


def _reasons(counts: dict[str, int]) -> str:
    total = sum(counts.values())
    return f"{total} ({', '.join(f'{reason} {n}' for reason, n in counts.items())})" if total else "0"


def _short(value: float | None) -> str:
    """A share without its leading zero, as is usual in tables of scores."""
    return "undefined" if value is None else f"{value:.3f}".replace("0.", ".", 1)
