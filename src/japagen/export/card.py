"""The model card: what a stranger must know of a classifier, as the README.md that the hub shows.

It is drawn from the files of the run. Nothing of this machine is in it: models and files are named without their folders.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from japagen.export.pretrained import licence_of
from japagen.export.source import Source
from japagen.rundir import Run, read_json
from japagen.student import saved
from japagen.student.decision.record import DECISION, read
from japagen.task import Task

if TYPE_CHECKING:
    from japagen.export import Exported

JSON = Mapping[str, Any]
_MARKS = re.compile(r"([\\`*_\[\]<>#|~$&])")
_START = re.compile(r"^(\d*)([-+=.)])(?=[-=]|\s|$)")
_HUB = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
_METRICS = {"accuracy": "accuracy", "macro_f1": "f1", "mcc": "matthews_correlation", "spearman": "spearmanr"}
"""Names of metrics on the hub, where they differ from ours."""


@dataclass(frozen=True, slots=True)
class _Told:
    """One line of the table of scores."""

    name: str
    rows: str
    score: str
    interval: str


def model_card(source: Source, exported: Exported, *, licence: str | None = None) -> str:
    """The card of a classifier, in Markdown with the hub's YAML before it.

    Args:
        source: the classifier and its run, if it has one.
        exported: what was written, and what it was compared on.
        licence: SPDX name, as its publisher states it; None: the card says that none is given.

    Raises:
        RunError: a file of the run is damaged.
    """
    about = saved.read_about(source.folder)
    run, task = source.run, source.task
    experiment: JSON = read_json(run.path / "experiment.json") if run else {}
    scores = _scores(run)
    model = public_name(str(about.get("model") or about.get("encoder") or ""))
    view = {
        "front": _front(source, exported, about, task, scores),
        "title": public_name(experiment.get("name") or source.folder.name),
        "about": about,
        "task": task,
        "labels": [
            (name, task.labels[name].meaning if task and name in task.labels else "") for name in about["labels"]
        ],
        "pair": bool(about.get("pair", task.is_pair if task else False)),
        "values": about.get("values"),
        "format": exported.format,
        "exported": exported,
        "extra": _extra(exported.format, str(about["student"])),
        "model": model,
        "model_licence": licence_of(model, str(about["student"])),
        "licence": licence,
        "members": 1 + len(source.others),
        "one_of": source.one_of,
        "decision": read(source.folder) if (source.folder / DECISION).is_file() else None,
        "data": _data(run, experiment),
        "scores": _table(scores),
        "metric": scores.get("metric", ""),
        "test_rows": scores.get("n", 0),
        "own": _own(source, scores),
        "anchors": source.trained.anchor_rows if source.trained else 0,
        "recipe": _recipe(source, experiment, about),
        "left_out": scores.get("left_out", []),
    }
    environment = Environment(
        loader=PackageLoader("japagen.export"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 it writes Markdown, which `md` escapes
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["md"] = escaped
    text = environment.get_template("card.md.j2").render(view)
    return re.sub(r"\n{3,}", "\n\n", text)


def escaped(value: object) -> str:
    """A text of a user or a model as Markdown that shows it in one line, whatever signs it holds."""
    line = " ".join(str(value).split())
    marked = _MARKS.sub(r"\\\1", "".join(c if c.isprintable() else "�" for c in line))
    return _START.sub(r"\1\\\2", marked)


def public_name(name: str) -> str:
    """A model's name without the folders of this machine.

    >>> public_name("tohoku-nlp/bert-base-japanese-v3")
    'tohoku-nlp/bert-base-japanese-v3'
    >>> public_name("gguf:/home/me/models/small.gguf")
    'gguf:small.gguf'
    """
    kind, colon, rest = name.partition(":") if name.startswith("gguf:") else ("", "", name)
    local = bool(kind) or rest.startswith((".", "~", "/", "\\")) or rest.count("/") > 1 or "\\" in rest
    if local or Path(rest).is_dir():
        rest = rest.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    return kind + colon + rest


def _front(source: Source, exported: Exported, about: JSON, task: Task | None, scores: JSON) -> str:
    """The hub's metadata, as YAML."""
    name = task.name if task else source.folder.name
    front: dict[str, Any] = {
        "language": ["ja"],
        "license": "other",
        "license_name": "see-licences-below",
        "pipeline_tag": "text-classification",
        "tags": ["japagen", "japanese", "text-classification", "synthetic-data"],
    }
    if exported.format == "hf":
        front["library_name"] = "transformers"
    elif exported.format in ("onnx", "onnx-int8", "openvino"):
        front["tags"].append(exported.format.partition("-")[0])
    model = str(about.get("model") or "")
    if _HUB.fullmatch(model) and public_name(model) == model:
        front["base_model"] = model
    own = _own(source, scores)
    if own is not None and task is not None:
        metric = str(scores["metric"])
        result = {
            "task": {"type": "text-classification"},
            "dataset": {"type": name, "name": f"{name} (gold test)"},
            "metrics": [{"type": _METRICS.get(metric, metric), "name": metric, "value": round(own, 4)}],
        }
        front["model-index"] = [{"name": name, "results": [result]}]
    return yaml.safe_dump(front, allow_unicode=True, sort_keys=False, width=1000)


def _extra(format: str, student: str) -> str:
    """What `pip install japagen` needs to run the classifier, e.g. ``[onnx]``."""
    extra = {"onnx": "onnx", "onnx-int8": "onnx", "openvino": "openvino"}.get(format, student)
    return f"[{extra}]" if extra in ("encoder", "onnx", "openvino") else ""


def _scores(run: Run | None) -> JSON:
    file = run.folder("evaluate") / "scores.json" if run else None
    found: JSON = read_json(file) if file and file.is_file() else {}
    return found if found.get("n") else {}


def _own(source: Source, scores: JSON) -> float | None:
    """The score of this very classifier: that of its seed, or of the mean of all seeds."""
    if source.trained is None:
        return None
    name = f"japagen/{source.trained.student}"
    wanted, seed = (f"{name} ensemble", 0) if source.others else (name, source.trained.seed)
    for system in scores.get("systems", []):
        if system["name"] == wanted:
            by_seed = system["scores"][scores["metric"]]["by_seed"]
            return float(by_seed[seed]) if seed < len(by_seed) else None
    return None


def _table(scores: JSON) -> list[_Told]:
    """Every system that was measured, as `scores.json` has them."""
    told = []
    for system in scores.get("systems", []):
        found = system["scores"][scores["metric"]]
        low, high, value = found["low"], found["high"], found["value"]
        score = f"{value:.3f}" if value is not None else "undefined"
        interval = f"{low:.3f} to {high:.3f}" if low is not None and high is not None else "–"
        told.append(_Told(system["name"], str(system["train_rows"] or "–"), score, interval))
    return told


def _data(run: Run | None, experiment: JSON) -> dict[str, Any] | None:
    """Where the training texts come from: who wrote them, when, how many, and what became of them."""
    if run is None:
        return None
    asked, left = run.done("generate") or {}, run.done("curate") or {}
    generate = experiment.get("generate", {})
    first, second = asked.get("accounting") or {}, left.get("accounting") or {}
    dropped = Counter(first.get("dropped", {})) + Counter(first.get("failed", {})) + Counter(second.get("dropped", {}))
    return {
        "llm": public_name(str(asked.get("llm") or experiment.get("llm", {}).get("name", ""))),
        "asked_llm": public_name(str(experiment.get("llm", {}).get("name", ""))),
        "date": str(asked.get("finished", ""))[:10],
        "requested": first.get("requested"),
        "kept": second.get("kept"),
        "dropped": dropped.most_common(),
        "by_label": {name: account["kept"] for name, account in left.get("by_label", {}).items()},
        "kadg": generate.get("kadg"),
        "shots": generate.get("shots"),
        "seed": experiment.get("seed"),
        "versions": (run.done("train") or {}).get("versions", {}),
    }


def _recipe(source: Source, experiment: JSON, about: JSON) -> list[tuple[str, str]]:
    """How it was trained: the settings of its student, and what the training noted."""
    section = experiment.get("train", {})
    found: dict[str, Any] = {"student": source.trained.student if source.trained else about["student"]}
    if source.trained is not None:
        found |= {"training rows": source.trained.train_rows, "held-out rows": source.trained.dev_rows}
        found |= {"seed number": source.trained.seed, "settings chosen on": section.get("dev")}
        if found["student"] == "encoder":
            found |= section.get("encoder") or {}
        if anchor := section.get("anchor"):
            found |= {"gold rows among them": anchor.get("rows"), "weight of a gold row": anchor.get("weight")}
    else:
        found |= {name: about.get(name) for name in ("model", "revision")}
    found |= {name: about.get(name) for name in ("max_length", "C", "encoder") if name in about}
    training = about.get("training")
    found |= {name: training[name] for name in training if name != "seed"} if isinstance(training, dict) else {}
    for skipped in ("threads", "devices", "checkpoint_seconds", "micro_batch"):
        found.pop(skipped, None)
    if found.get("model"):
        found["model"] = public_name(str(found["model"]))
    return [(name.replace("_", " "), _plain(value)) for name, value in found.items() if _is_plain(value)]


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float) and value != "" and value is not False


def _plain(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
