"""What the summary says beside scores: the contrast, corrected differences, McNemar, calibration, scores without copies."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from japagen.evaluate.statistics import smallest_detectable_difference
from japagen.evaluate.summary import summarise
from japagen.evaluate.system import System, prediction_rows
from japagen.experiment import Experiment
from japagen.groups import IMAGE
from japagen.metrics import NO_ANSWER
from japagen.records import Example, Prediction
from japagen.significance import holm
from japagen.task import Task

Settings = Callable[..., Experiment]
GOLD = ["entailment", "neutral"] * 30
LABELS = ("entailment", "neutral")


def rows(images: bool) -> list[Example]:
    about = [{IMAGE: f"{n // 2}-1-2"} if images else {} for n in range(len(GOLD))]
    return [Example(str(n), f"{n}匹の犬。", label, f"{n}匹の猫。", None, about[n]) for n, label in enumerate(GOLD)]


def system(name: str, kind: str, wrong: Sequence[int], seeds: int = 1, sure: float = 0.9) -> System:
    """A system that is wrong on these rows, and always as sure."""

    def said(place: int) -> Prediction:
        right = GOLD[place]
        label = LABELS[1 - LABELS.index(right)] if place in wrong else right
        return Prediction(str(place), label, {one: sure if one == label else 1 - sure for one in LABELS})

    return System(name, kind, tuple([said(place) for place in range(len(GOLD))] for _ in range(seeds)))


GOOD = system("japagen/linear", "japagen", range(6), seeds=3)
BAD = system("zero-shot", "prompted", range(30))
LIKE = system("gold-5/linear", "gold", range(1, 7), seeds=3)


def told(task: Task, settings: Settings, *, images: bool = False, **more: object) -> dict[str, dict]:
    summary = summarise(settings(task), task, [GOOD, BAD, LIKE], rows(images), **more)
    return {"all": summary, **{one["name"]: one for one in summary["systems"]}}


def test_every_difference_is_tested_and_corrected(nli: Task, settings: Settings) -> None:
    found = told(nli, settings)
    assert found["japagen/linear"]["difference"] is None
    differences = {name: found[name]["difference"] for name in ("zero-shot", "gold-5/linear")}
    assert differences["zero-shot"]["value"] == pytest.approx(-0.4)
    assert differences["zero-shot"]["p"] < 0.05 < differences["gold-5/linear"]["p"]
    corrected = holm({name: one["p"] for name, one in differences.items()})
    assert {name: one["p_holm"] for name, one in differences.items()} == corrected
    assert found["all"]["tests"]["family"] == ["zero-shot", "gold-5/linear"]
    assert "rows and seeds" in found["all"]["tests"]["method"]


def test_the_contrast_is_not_corrected(nli: Task, settings: Settings) -> None:
    contrast = told(nli, settings, contrast=("japagen/linear", "zero-shot", True))["all"]["contrast"]
    assert (contrast["system"], contrast["against"], contrast["declared"]) == ("japagen/linear", "zero-shot", True)
    assert contrast["difference"]["value"] == pytest.approx(0.4)
    assert contrast["difference"]["p"] < 0.05
    assert "p_holm" not in contrast["difference"]
    assert told(nli, settings)["all"]["contrast"] is None


def test_mcnemar_only_where_rows_are_independent(nli: Task, settings: Settings) -> None:
    found = told(nli, settings)
    assert {key: found["zero-shot"]["mcnemar"][key] for key in ("only_a", "only_b")} == {"only_a": 0, "only_b": 24}
    assert found["japagen/linear"]["mcnemar"] is None
    grouped = told(nli, settings, images=True)
    assert grouped["zero-shot"]["mcnemar"] is None
    assert "groups of rows" in grouped["all"]["tests"]["method"]
    assert told(nli.model_copy(update={"metric": "mcc"}), settings)["zero-shot"]["mcnemar"] is None


def test_rows_in_groups_show_less(nli: Task, settings: Settings) -> None:
    # Two rows about each image: 600 rows say as much as 600 / 1.34 independent ones.
    found = []
    for images in (False, True):
        about = [{IMAGE: f"{n // 2}-1-2"} if images else {} for n in range(600)]
        test = [replace(row, id=str(n), meta=about[n]) for n, row in enumerate(rows(False) * 10)]
        same = System("majority", "majority", ([Prediction(row.id, "neutral", {}) for row in test],))
        found.append(summarise(settings(nli), nli, [same], test)["smallest_detectable_difference"])
    assert found == pytest.approx([smallest_detectable_difference(600), smallest_detectable_difference(600 / 1.34)])


def test_calibration_is_that_of_the_scores(nli: Task, settings: Settings) -> None:
    found = told(nli, settings)
    assert found["zero-shot"]["calibration"]["ece"] == pytest.approx(0.4)  # sure of .9, right in .5
    [only] = found["japagen/linear"]["calibration"]["bins"]
    assert (only["n"], only["accuracy"]) == (180, pytest.approx(0.9))
    written = system("zero-shot", "prompted", range(30), sure=1.0)
    [told_of] = summarise(settings(nli), nli, [written], rows(False))["systems"]
    assert told_of["calibration"] == {"undefined": "the system gives no scores"}
    silent = System("few-shot", "prompted", ([Prediction(str(n), NO_ANSWER, {}) for n in range(len(GOLD))],))
    summary = summarise(settings(nli), nli, [silent], rows(False))
    assert "undefined" in summary["systems"][0]["calibration"]


def test_scores_without_the_rows_that_were_seen(nli: Task, settings: Settings) -> None:
    found = told(nli, settings, contaminated={str(n) for n in range(10)})
    assert found["japagen/linear"]["clean"]["value"] == 1.0
    assert found["zero-shot"]["clean"]["value"] == pytest.approx(30 / 50)
    assert found["zero-shot"]["scores"]["accuracy"]["value"] == 0.5  # the score itself is of all rows
    assert "clean" not in told(nli, settings)["zero-shot"]
    everything = told(nli, settings, contaminated={str(n) for n in range(60)})
    assert everything["zero-shot"]["clean"]["value"] is None


def test_predictions_carry_their_group(nli: Task) -> None:
    first, *_ = prediction_rows([GOOD], rows(True))
    assert (first["group"], first["gold"], first["label"]) == ("0", "entailment", "neutral")
    assert "group" not in next(prediction_rows([GOOD], rows(False)))
