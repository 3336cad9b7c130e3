"""japagen: from a description of labels to a small, fast, evaluated Japanese text classifier, without labelled data.

    from japagen import run, load_classifier

    finished = run("examples/reviews.yaml")
    classifier = load_classifier(finished.path)

Stages are packages of their names (`japagen.generate`, `japagen.curate`, …); `japagen.pipeline` knows their order. The names
below are imported when they are first used, so that the command line starts at once.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from japagen.classifiers import load_run_classifier as load_classifier
    from japagen.errors import JapagenError
    from japagen.experiment import Experiment
    from japagen.pipeline import run
    from japagen.records import Dropped, Example, Prediction, Reply, Request, Score
    from japagen.task import Task

__version__ = version("japagen")

__all__ = [
    "Dropped",
    "Example",
    "Experiment",
    "JapagenError",
    "Prediction",
    "Reply",
    "Request",
    "Score",
    "Task",
    "__version__",
    "load_classifier",
    "run",
]

_HOMES = {
    "Experiment": "experiment",
    "JapagenError": "errors",
    "Task": "task",
    "load_classifier": "classifiers",
    "run": "pipeline",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'japagen' has no attribute '{name}'")
    home = import_module(f"japagen.{_HOMES.get(name, 'records')}")
    return getattr(home, "load_run_classifier" if name == "load_classifier" else name)


def __dir__() -> list[str]:
    return sorted(__all__)
