"""The classifier that answers for a run, as it is pushed: its folder, file by file as training left it, and a card."""

from __future__ import annotations

import json
from pathlib import Path, PureWindowsPath
from typing import Any

import yaml

from japagen.classifiers import trained_models
from japagen.errors import RunError
from japagen.export import Exported
from japagen.export.card import model_card as card_of
from japagen.export.source import Source, find
from japagen.push.facts import stage_file
from japagen.push.licences import licence_fields
from japagen.rundir import Run, read_json

ABOUT = "classifier.json"
_FROM_THE_HUB = """\
## From the hub

With `pip install huggingface_hub`:

```python
from pathlib import Path

from huggingface_hub import snapshot_download
from japagen import load_classifier

classifier = load_classifier(Path(snapshot_download("{repo_id}")))
```
"""


def model_files(place: Run) -> dict[str, bytes | Path]:
    """The files of the classifier, by their place in the repository: those that training wrote, and no others.

    Raises:
        RunError: none has been trained, or a file is gone or was changed.
    """
    start = f"{trained_models(place)[0].folder}/"
    done = place.done("train") or {"outputs": {}}
    names = [name for name in done["outputs"] if name.startswith(start)]
    files: dict[str, bytes | Path] = {
        name.removeprefix(start): stage_file(place, "train", name) for name in names if "checkpoint" not in name
    }
    about = files.get(ABOUT)
    if not isinstance(about, Path):
        raise RunError("the classifier is gone", where=place.folder("train"), remedy="make it again with --redo train")
    files[ABOUT] = _without_paths(about)
    return files


def seeds_left(place: Run) -> str:
    """Of a run that answers with the mean of several seeds: that one of them is sent, in a line; else nothing."""
    sent = find(place.path)
    if not sent.others or sent.trained is None:
        return ""
    name, seeds = f"{sent.trained.student}, seed {sent.trained.seed}", 1 + len(sent.others)
    return f"the model is one seed ({name}) of an ensemble: predict and export answer with the mean of all {seeds}"


def _without_paths(file: Path) -> bytes:
    """A classifier.json that names the folder of an encoder by its last part alone."""
    about = read_json(file)
    name = about.get("model")
    if not isinstance(name, str) or not (PureWindowsPath(name).anchor or name.startswith(("~", "."))):
        return file.read_bytes()
    about["model"] = PureWindowsPath(name).name
    return json.dumps(about, ensure_ascii=False, indent=2).encode() + b"\n"


def model_card(place: Run, *, repo_id: str, licence: str | None, data_set: bool) -> str:
    """README.md of the model: the card that exports have, with the licence, the data set, and how to fetch it.

    Args:
        place: the run.
        repo_id: where the model goes.
        licence: SPDX name; None: none is stated.
        data_set: whether the data set is pushed to the same name.

    Raises:
        DataError: the licence is not known.
        RunError: a file of the run is damaged.
    """
    trained = trained_models(place)[0]
    folder = place.folder("train") / trained.folder
    card = card_of(Source(folder, place, trained), Exported(folder, "model-card"), licence=licence)
    _, front, body = card.split("---\n", 2)
    metadata: dict[str, Any] = yaml.safe_load(front)
    if stated := licence_fields(licence):
        metadata = {key: value for key, value in metadata.items() if key != "license_name"} | stated
    if data_set:
        metadata["datasets"] = [repo_id]
    front = yaml.safe_dump(metadata, allow_unicode=True, sort_keys=False, width=1000)
    return f"---\n{front}---\n{body.rstrip()}\n\n{_FROM_THE_HUB.format(repo_id=repo_id)}"
