"""Runs that are planted: finished folders whose systems say what a test wants them to say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from japagen.evaluate import statistics
from japagen.evaluate.resampling import Options
from japagen.metrics import CORRELATIONS, Undefined
from japagen.records import digest
from japagen.rundir import Run
from japagen.streams import stream_seed
from japagen.tables import write_json, write_jsonl

Plant = Callable[..., Path]
"""Makes a run and returns its folder; see `planted`."""


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """`planted`, into a folder ``runs`` of the test if no other is given."""

    def make(name: str, folder: Path | None = None, **given: Any) -> Path:
        return planted(folder or tmp_path / "runs" / name, name, **given)

    return make


def planted(
    folder: Path,
    name: str,
    *,
    systems: Mapping[str, Sequence[Sequence[Any]]],
    gold: Sequence[Any],
    task: str = "toy",
    metric: str = "accuracy",
    metrics: Sequence[str] | None = None,
    shots: int = 0,
    kadg: Any = False,
    knowledge: Mapping[str, Any] | None = None,
    train: Mapping[str, Any] | None = None,
    evaluate: Mapping[str, Any] | None = None,
    llm: str = "scripted",
    seed: int = 0,
    resamples: int = 500,
    groups: Sequence[str] | None = None,
    ids: Sequence[str] | None = None,
    costs: Mapping[str, Mapping[str, Any]] | None = None,
    scores: Mapping[str, Any] | None = None,
    rows: str | None = "of the test",
    old: bool = False,
) -> Path:
    """A run that is finished as far as a comparison looks at it.

    Systems are given by name with their answers, seed by seed: labels, or numbers for a correlation. `scores` holds more
    keys of ``scores.json``; `rows` stands for the texts of the test rows; an `old` run lacks what new ones have.
    """
    numbers = metric in CORRELATIONS
    labels = ("0", "1") if numbers else tuple(sorted(set(gold)))
    ids = ids or [f"row-{place}" for place in range(len(gold))]
    run = Run.create(folder, experiment=name, task=task)
    settings = {
        "name": name,
        "seed": seed,
        "llm": {"name": llm},
        "generate": {"shots": shots, "kadg": kadg},
        "train": dict(train or {}),
        "evaluate": {"resamples": resamples, **(evaluate or {})},
    }
    write_json(folder / "experiment.json", settings)
    write_json(folder / "task.json", {"name": task, "labels": {label: {} for label in labels}, "knowledge": knowledge})
    found = []
    for system, answers in systems.items():
        kind, student, k = about(system)
        told = {}
        for each in metrics or (metric,):
            try:
                boot: Options = {
                    "resamples": resamples,
                    "seed": stream_seed(seed, "bootstrap") % 2**32,
                    "groups": groups,
                }
                told[each] = asdict(statistics.bootstrap(gold, answers, () if numbers else labels, each, **boot))
            except Undefined as reason:
                told[each] = {"value": None, "low": None, "high": None, "by_seed": [], "undefined": str(reason)}
        found.append(
            {
                "name": system,
                "kind": kind,
                "student": student,
                "k": k,
                "scores": told,
                "cost": (costs or {}).get(system),
            }
        )
    summary = {"kind": "similarity" if numbers else "single", "metric": metric, "labels": list(labels)}
    extra: dict[str, Any] = {} if old else {"gold": {"files": [], "split": None, "groups": None}}
    predictions = [
        {"system": system, "seed": number, "id": ids[place], "scores": {}}
        | ({"gold": "0", "label": "0", "value": x} if numbers else {"gold": gold[place], "label": x})
        | ({"gold_value": gold[place]} if numbers and not old else {})
        | ({"group": groups[place]} if groups and not old else {})
        for system, answers in systems.items()
        for number, said in enumerate(answers)
        for place, x in enumerate(said)
    ]
    for stage, asked, kept in (("generate", 40, 40), ("curate", 40, 30)):
        run.begin(stage)
        usage = {"requests": 40, "prompt_tokens": 4000, "completion_tokens": 1000, "usd": 0.25}
        account = {
            "requested": asked,
            "kept": kept,
            "dropped": {"empty": asked - kept} if asked > kept else {},
            "failed": {},
        }
        facts = {"usage": usage} if stage == "generate" else {}
        run.finish(stage, {}, accounting=account, **facts, seconds=1.0)
    place = run.begin("evaluate")
    write_json(place / "scores.json", summary | {"n": len(gold), "systems": found} | extra | dict(scores or {}))
    write_jsonl(place / "predictions.jsonl", predictions)
    inputs = {} if rows is None else {"gold.test": digest(rows)}
    account = {"requested": len(gold), "kept": len(gold), "dropped": {}, "failed": {}}
    run.finish("evaluate", inputs, accounting=account, seconds=1.0)
    return folder


def about(system: str) -> tuple[str, str | None, int | None]:
    """Kind, student and K of a system, by its name."""
    head, slash, tail = system.partition("/")
    if head.startswith("gold-"):
        return "gold", tail, int(head.removeprefix("gold-"))
    if slash:
        return ("supervised" if head == "supervised" else "japagen"), tail.removesuffix(" ensemble"), None
    return ("majority", None, None) if system == "majority" else ("prompted", None, 4 if "few" in system else 0)
