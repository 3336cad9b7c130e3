"""The contrast of an experiment: declared, or the usual one; and that its names are among the systems to come."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from japagen.errors import ConfigError
from japagen.evaluate.contrast import declared_contrast
from japagen.evaluate.system import System
from japagen.experiment import Experiment, planned_systems


def changed(experiment: Experiment, **evaluate: Any) -> Experiment:
    return Experiment.model_validate(experiment.model_dump() | {"evaluate": evaluate, "folder": experiment.folder})


def measured(*names: str) -> list[System]:
    def system(name: str) -> System:
        size, _, student = name.partition("/")
        if not size.startswith("gold-"):
            return System(name, size, ([],), student or None)
        return System(name, "gold", ([],), student, k=int(size.removeprefix("gold-")))

    return [system(name) for name in names]


ALL = ["japagen/linear", "gold-3/linear", "gold-10/linear", "gold-20/embedding", "zero-shot", "majority"]


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (ALL, ("japagen/linear", "zero-shot", False)),
        (ALL[:4] + ALL[5:], ("japagen/linear", "gold-10/linear", False)),
        (["japagen/linear", "gold-20/embedding", "majority"], ("japagen/linear", "majority", False)),
        (["japagen/embedding", "zero-shot", "majority"], None),
        (["japagen/linear"], None),
    ],
)
def test_the_usual_contrast(experiment: Experiment, names: list[str], found: Any) -> None:
    assert declared_contrast(experiment, measured(*names)) == found


def test_a_declared_contrast_is_taken_or_missing_but_never_replaced(experiment: Experiment) -> None:
    declared = changed(experiment, contrast={"system": "gold-3/linear", "against": "majority"})
    assert declared_contrast(declared, measured(*ALL)) == ("gold-3/linear", "majority", True)
    assert declared_contrast(declared, measured("japagen/linear", "zero-shot", "majority")) is None


def test_all_names_of_an_experiment(experiment: Experiment, workplace: Path) -> None:
    task = experiment.load_task()
    assert planned_systems(experiment, task) == (
        "japagen/linear",
        "gold-1/linear",
        "gold-3/linear",
        "zero-shot",
        "zero-shot calibrated",
        "majority",
    )
    some = changed(experiment, gold_shots=[], calibrate=False, self_consistency=3)
    assert planned_systems(some, task)[1:] == (
        "zero-shot",
        "zero-shot self-consistency",
        "few-shot",
        "few-shot self-consistency",
        "majority",
    )


@pytest.mark.parametrize(
    ("contrast", "said"),
    [
        (
            {"system": "japagen/liner", "against": "zero-shot"},
            "evaluate.contrast.system: the experiment measures no system 'japagen/liner'\ndid you mean 'japagen/linear'?",
        ),
        (
            {"system": "japagen/linear", "against": "zero shot"},
            "evaluate.contrast.against: the experiment measures no system 'zero shot'\ndid you mean 'zero-shot'?",
        ),
        (
            {"system": "japagen/linear", "against": "supervised/linear"},
            "no system 'supervised/linear'",
        ),  # no gold.train
        ({"system": "zero-shot", "against": "zero-shot"}, "compares 'zero-shot' with itself"),
    ],
)
def test_names_that_there_are_not(experiment: Experiment, contrast: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        changed(experiment, contrast=contrast).load_task()
    assert said in str(caught.value)
    assert caught.value.where == "experiment 'small'"


def test_without_gold_there_are_no_systems(experiment: Experiment, workplace: Path) -> None:
    text = (workplace / "mood.yaml").read_text(encoding="utf-8")
    (workplace / "mood.yaml").write_text(text.partition("gold:")[0], encoding="utf-8")
    task = changed(experiment, contrast={"system": "x", "against": "y"}).load_task()  # nothing is measured
    assert planned_systems(experiment, task) == ()


@pytest.mark.parametrize(
    ("llm", "evaluate", "said"),
    [
        ({"temperature": 0}, {}, "llm.temperature is 0, where all are the same"),
        ({}, {"prompting": []}, "repeats the questions of evaluate.prompting, which asks none"),
        ({"min_japanese": 0.5}, {}, None),
        ({"temperature": None}, {}, None),
    ],
)
def test_self_consistency_needs_answers_that_differ(
    experiment: Experiment, llm: dict[str, Any], evaluate: dict[str, Any], said: str | None
) -> None:
    section = experiment.llm.model_copy(update=llm)
    given = changed(experiment, self_consistency=3, **evaluate).model_copy(update={"llm": section})
    if said is None:
        given.load_task()
        return
    with pytest.raises(ConfigError, match=said):
        given.load_task()


def test_an_answer_that_would_be_refused(experiment: Experiment, workplace: Path) -> None:
    text = (workplace / "mood.yaml").read_text(encoding="utf-8")
    (workplace / "mood.yaml").write_text(text.replace("verbalisation: 喜び", "verbalisation: '1'"), encoding="utf-8")
    section = experiment.llm.model_copy(update={"min_japanese": 0.5})
    given = changed(experiment, self_consistency=3).model_copy(update={"llm": section})
    with pytest.raises(ConfigError, match="llm.min_japanese would refuse the answer '1'"):
        given.load_task()


def test_one_answer_is_no_majority(experiment: Experiment) -> None:
    with pytest.raises(ValueError, match="one answer has nothing to be consistent with"):
        changed(experiment, self_consistency=1)
