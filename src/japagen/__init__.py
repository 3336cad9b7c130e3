"""japagen: from a description of labels to a small, fast, evaluated Japanese text classifier, without labelled data.

    from japagen import run, load_classifier

    finished = run("examples/reviews.yaml")
    classifier = load_classifier(finished.path)

Stages are packages of their names (`japagen.generate`, `japagen.curate`, …); `japagen.pipeline` knows their order.
"""

from importlib.metadata import version

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
