"""What an experiment names has to be there before anything is paid for: the model, students, the file of people."""

from __future__ import annotations

from pathlib import Path

from japagen.errors import ConfigError
from japagen.experiment import Experiment
from japagen.llm import check_llm
from japagen.pipeline.rules import target_file
from japagen.student import load_student


def check_named(experiment: Experiment) -> None:
    """Find names that stand for nothing.

    Raises:
        ConfigError: there is no such model, student or file.
        MissingExtra: what a student needs is not installed.
    """
    check_llm(experiment.llm.name)
    rule = experiment.generate.stop_rule
    for name in (*experiment.train.students, rule and rule.student, experiment.analyze.oracle):
        if name:
            load_student(name)
    people_file(experiment)


def people_file(experiment: Experiment) -> Path | None:
    """The file of people's verdicts, if the experiment names one.

    Raises:
        ConfigError: it is not there.
    """
    named = experiment.analyze.people
    if named is None:
        return None
    file = target_file(experiment, named)
    if not file.is_file():
        raise ConfigError(
            f"analyze.people: there is no file '{named}'",
            where=f"experiment '{experiment.name}'",
            remedy="japagen curate RUN --audit FILE writes rows for people to label; until then remove the key",
        )
    return file
