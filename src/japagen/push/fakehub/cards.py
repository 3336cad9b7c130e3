"""What the fake hub says against the metadata of a card: as strict as the hub, with fewer licences and tasks."""

from __future__ import annotations

import re
from typing import Any

import yaml

LICENCES = {
    *("apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "mpl-2.0", "gpl-3.0", "lgpl-3.0", "agpl-3.0", "unlicense"),
    *("cc0-1.0", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0", "odc-by", "odbl", "gemma", "llama3.1"),
    *("other", "unknown"),
}
TASKS = {"text-classification", "sentence-similarity", "zero-shot-classification", "text-generation"}
SIZES = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M")
_FRONT = re.compile(r"\A---\r?\n(.*?)\r?\n---[ \t]*(\r?\n|\Z)", re.DOTALL)


def complaints(content: str, repo_type: str) -> list[str]:
    """What is wrong with a card; nothing where it has no metadata."""
    front = _FRONT.match(content)
    if front is None:
        return []
    try:
        data = yaml.safe_load(front[1])
    except yaml.YAMLError as error:
        return [f"YAML cannot be read: {error}"]
    if not isinstance(data, dict):
        return ["metadata must be a mapping"]
    return [
        text for text in (*_everywhere(data), *(_data_set(data) if repo_type == "dataset" else _model(data))) if text
    ]


def _everywhere(data: dict[str, Any]) -> list[str]:
    found = (
        [f'"license" must be one of the known ones, not {data["license"]!r}']
        if _unknown(data, "license", LICENCES)
        else []
    )
    if data.get("license") == "other" and not data.get("license_name"):
        found.append('"license_name" is required where "license" is other')
    if any(not re.fullmatch(r"[a-z]{2,3}", str(language)) for language in _many(data.get("language", []))):
        found.append('"language" must be codes of ISO 639')
    if not all(isinstance(tag, str) for tag in _many(data.get("tags", []))):
        found.append('"tags" must be texts')
    return found


def _data_set(data: dict[str, Any]) -> list[str]:
    found = [
        f'"{key}": unknown value'
        for key, known in (("task_categories", TASKS), ("size_categories", SIZES))
        if _unknown(data, key, known)
    ]
    for config in data.get("configs", []):
        files = config.get("data_files", []) if isinstance(config, dict) else None
        if not files or not isinstance(config.get("config_name"), str):
            found.append('"configs" must have config_name and data_files')
        elif not all({"split", "path"} == set(file) for file in files):
            found.append('"data_files" must have split and path')
    return found


def _model(data: dict[str, Any]) -> list[str]:
    return ['"pipeline_tag": unknown value'] if _unknown(data, "pipeline_tag", TASKS) else []


def _many(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def _unknown(data: dict[str, Any], key: str, known: Any) -> bool:
    return key in data and any(value not in known for value in _many(data[key]))
