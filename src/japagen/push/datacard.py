"""The card of a pushed data set: metadata for the hub; for people what the texts are, whence they came, their limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import yaml

from japagen.push.dataset import DROPPED, KEPT, WITHHELD
from japagen.push.facts import Facts
from japagen.push.licences import licence_fields, terms

_SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"))
_COLUMNS = {
    "id": "name of the row",
    "text": "the text, or the first of two",
    "text_pair": "the second text",
    "label": "the label that was asked for",
    "value": "the number that the label stands for",
    "stage": "the stage that dropped the row",
    "reason": "why the row was dropped, in one word",
    "detail": "what exactly",
}


def data_card(facts: Facts, tables: Mapping[str, pl.DataFrame], *, repo_id: str, licence: str | None) -> str:
    """README.md of the data set.

    Raises:
        DataError: the licence is not known.
    """
    kept = tables[KEPT]
    front = yaml.safe_dump(_metadata(facts, tables, licence), allow_unicode=True, sort_keys=False, width=1000)
    parts = [
        f"---\n{front}---\n\n# {_line(facts.task.title)}\n\n{_line(facts.task.description)}\n",
        _origin(facts, kept),
        f"## Columns\n\n{_columns(tables)}",
        f"## Labels\n\n{_labels(facts, kept)}",
        f"## Where the rows went\n\n{_account(facts)}",
        _dropped() if DROPPED in tables else "",
        _limits(facts, licence),
        f'## Use\n\n```python\nimport polars as pl\n\nrows = pl.read_parquet("hf://datasets/{repo_id}/{KEPT}")\n```\n',
    ]
    return "\n".join(part for part in parts if part)


def _metadata(facts: Facts, tables: Mapping[str, pl.DataFrame], licence: str | None) -> dict[str, Any]:
    rows = max(len(tables[KEPT]), 1)
    similarity = facts.task.kind == "similarity"
    configs = [{"config_name": "default", "data_files": [{"split": "train", "path": KEPT}]}]
    if DROPPED in tables:
        configs.append({"config_name": "dropped", "data_files": [{"split": "train", "path": DROPPED}]})
    return {
        "language": ["ja"],
        **licence_fields(licence),
        "pretty_name": _line(facts.task.title),
        "task_categories": ["sentence-similarity" if similarity else "text-classification"],
        "size_categories": [next((name for limit, name in _SIZES if rows < limit), "10M<n<100M")],
        "annotations_creators": ["machine-generated"],
        "language_creators": ["machine-generated"],
        "tags": ["synthetic", "japagen"],
        "configs": configs,
    }


def _origin(facts: Facts, kept: pl.DataFrame) -> str:
    settings = facts.settings.get("generate", {})
    return (
        f"These {len(kept):,} texts were written by a language model, `{_code(facts.llm)}`, which was asked for texts of "
        f"each label with {settings.get('shots', 0)} examples in the prompt, and sorted by "
        f"[japagen](https://arxiv.org/abs/2412.06738) {facts.version}. No person wrote them, and no human-labelled "
        "text is among what is published here.\n"
    )


def _columns(tables: Mapping[str, pl.DataFrame]) -> str:
    names = dict.fromkeys(name for table in tables.values() for name in table.columns)
    rows = [
        (f"`{_code(name)}`", _COLUMNS.get(name, "attribute that was drawn for the prompt of the row")) for name in names
    ]
    return _grid(("column", "what it is"), rows)


def _labels(facts: Facts, kept: pl.DataFrame) -> str:
    counts = dict(kept.group_by("label").len().iter_rows())
    rows = [
        (f"`{_code(name)}`", _line(label.meaning or ""), f"{counts.get(name, 0):,}")
        for name, label in facts.task.labels.items()
    ]
    return _grid(("label", "meaning", "rows"), rows)


def _account(facts: Facts) -> str:
    rows = []
    for stage, account in facts.accounts.items():
        lost = {**account["dropped"], **{f"failed: {reason}": n for reason, n in account["failed"].items()}}
        reasons = ", ".join(f"{_line(reason)} {n:,}" for reason, n in lost.items()) or "none"
        rows.append((stage, f"{account['requested']:,}", f"{account['kept']:,}", reasons))
    return _grid(("stage", "came in", "kept", "dropped"), rows)


def _dropped() -> str:
    return (
        "The configuration `dropped` holds the rows that were not kept, each with its reason. Rows dropped as "
        f"{' or '.join(f'`{reason}`' for reason in WITHHELD)} repeat words of the prompt; their texts are left out.\n"
    )


def _limits(facts: Facts, licence: str | None) -> str:
    stated = f"Stated by the publisher: {licence}." if licence else "The publisher has stated no licence."
    return (
        "## Licence and limits\n\n"
        f"- {stated} Mind also: {terms(facts.llm)}.\n"
        "- A label is what the model was asked for. Nobody has checked each text, and some will not fit their label.\n"
        "- A language model repeats the views and gaps of what it has read; names and facts in the texts are made up.\n"
        "- Measure on text that people have labelled before relying on a model that has learnt from these.\n"
    )


def _grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def _line(text: str) -> str:
    return " ".join(text.encode("utf-8", "replace").decode().split())


def _code(text: str) -> str:
    return _line(text).replace("`", "'")
