"""The classifiers that a run has trained: which there are, and the one that answers for the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from japagen.errors import RunError
from japagen.evaluate.system import with_values
from japagen.records import Example, Prediction
from japagen.rundir import SWEEP, Run, check_name, read_json
from japagen.student import Classifier, load_classifier
from japagen.student.ensemble import Ensemble
from japagen.task import Task
from japagen.train import Trained


def trained_models(place: Run) -> list[Trained]:
    """The classifiers of a run, in the order of the experiment.

    Raises:
        RunError: the run has not got that far.
    """
    if place.done("train") is None:
        raise RunError("no student has been trained yet", where=place.path, remedy="go on with: japagen run EXPERIMENT")
    file = place.folder("train") / "models.json"
    try:
        models = [Trained(**row) for row in read_json(file)]
        models[0]
    except (TypeError, LookupError) as error:
        raise RunError(f"damaged: {error}", where=file, remedy="make it again with --redo train") from error
    return models


def load_run_classifier(path: str | Path) -> Classifier:
    """The classifier of a run (its first student: the first seed, or the mean of all with `train.ensemble`), or the one
    saved in a folder.

    Args:
        path: a run's folder, or a classifier's own folder such as ``runs/reviews/3-train/linear/seed-0``.

    Raises:
        RunError: the run has not trained any.
        ModelError: there is none in the folder, or its files are damaged.
    """
    folder = Path(path)
    check_name(folder)
    if (folder / SWEEP).is_file():
        Run.open(folder)  # says which runs are in it
    if not any((folder / name).is_file() for name in ("run.json", "classifier.json")):
        near = Path("runs") / folder
        hint = f"did you mean {near}?" if (near / "run.json").is_file() else "make one with: japagen run EXPERIMENT"
        raise RunError("there is no run in this folder, and no classifier", where=folder, remedy=hint)
    if not (folder / "run.json").is_file():
        return load_classifier(folder)
    place = Run.open(folder)
    models = trained_models(place)
    folders = [place.folder("train") / model.folder for model in models if model.student == models[0].student]
    classifier: Classifier = load_classifier(folders[0])
    if _is_ensemble(folder / "experiment.json"):
        classifier = Ensemble((classifier, *map(load_classifier, folders[1:])))
    try:
        saved = read_json(folder / "task.json")
        for label in saved["labels"].values():
            label["shots"] = []  # of no use here, and they may name words of a file that has changed
        task = Task.model_validate(saved)
    except (TypeError, LookupError, AttributeError) as error:
        remedy = "make it again with --redo report"
        raise RunError(f"damaged: {error}", where=folder / "task.json", remedy=remedy) from error
    except ValidationError as error:
        remedy = "make it again with --redo report"
        raise RunError(f"damaged: {error.errors()[0]['msg']}", where=folder / "task.json", remedy=remedy) from error
    return classifier if task.kind != "similarity" else _Numbers(classifier, task)


def _is_ensemble(file: Path) -> bool:
    settings = read_json(file)
    section = settings.get("train") if isinstance(settings, dict) else None
    return isinstance(section, dict) and section.get("ensemble") is True


@dataclass(frozen=True, slots=True)
class _Numbers:
    """A classifier whose predictions carry the number that similarity is about."""

    classifier: Classifier
    task: Task

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """See `Classifier.predict`."""
        return with_values(self.task, self.classifier.predict(examples))
