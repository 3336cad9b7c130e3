"""Evaluation as a whole, on pairs and on numbers: which systems there are, what is measured, and what is undefined."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from japagen.evaluate import evaluate
from japagen.evaluate.gold import GoldData, load_gold_data
from japagen.evaluate.summary import metrics_of, summarise
from japagen.evaluate.system import System, with_values
from japagen.experiment import Experiment, planned_systems
from japagen.llm.scripted import ScriptedLLM
from japagen.llm.store import ReplyStore
from japagen.metrics import NO_ANSWER, spearman
from japagen.records import Example, Prediction
from japagen.student import load_student
from japagen.task import Task

Settings = Callable[..., Experiment]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ReplyStore]:
    with ReplyStore(tmp_path / "replies.sqlite") as store:
        yield store


def found(task: Task, experiment: Experiment, store: ReplyStore, llm: ScriptedLLM, **more: object):
    gold = load_gold_data(task)
    trained = {"linear": [(load_student("linear").fit(gold.dev, (), seed=seed), len(gold.dev)) for seed in (0, 1)]}
    result = evaluate(experiment, task, trained, gold, llm, store, **more)
    assert json.loads(json.dumps(result.summary, allow_nan=False)) == result.summary
    return result, {system["name"]: system for system in result.summary["systems"]}


def test_pairs_end_to_end(nli: Task, settings: Settings, store: ReplyStore) -> None:
    result, systems = found(nli, settings(nli), store, ScriptedLLM())
    assert list(systems) == ["japagen/linear", "gold-2/linear", "zero-shot", "zero-shot calibrated", "majority"]
    assert (result.summary["kind"], result.summary["metrics"]) == ("pair", ["accuracy", "macro_f1", "mcc"])
    assert systems["japagen/linear"]["scores"]["accuracy"]["value"] == 1.0
    assert systems["japagen/linear"]["scores"]["accuracy"]["signature"].startswith("n=12 in 6 groups, 2 seeds")
    assert systems["majority"]["confusion"] == [[6, 0], [6, 0]]
    assert {system["unparsed"] for system in systems.values()} == {0}
    assert systems["gold-2/linear"]["train_rows"] == 4


def test_numbers_end_to_end(sts: Task, settings: Settings, store: ReplyStore) -> None:
    result, systems = found(sts, settings(sts), store, ScriptedLLM())
    summary = result.summary
    assert (summary["metric"], summary["metrics"]) == ("spearman", ["spearman", "pearson"])
    assert summary["smallest_detectable_difference"] is None
    primary = systems["japagen/linear"]
    assert set(primary["scores"]) == {"spearman", "pearson"}
    assert primary["scores"]["spearman"]["value"] > 0.8
    assert primary["scores"]["spearman"]["low"] <= primary["scores"]["spearman"]["value"]
    test = load_gold_data(sts).test
    for run, value in zip(result.systems[0].predictions, primary["scores"]["spearman"]["by_seed"], strict=True):
        assert value == spearman([e.value for e in test], [p.value for p in run])
        expected = [sum(float(label) * score for label, score in p.scores.items()) for p in run]
        assert [p.value for p in run] == pytest.approx(expected)
        assert all(p.label == min(("0", "2", "4"), key=lambda name: abs(float(name) - p.value)) for p in run)
    zero = systems["zero-shot"]
    assert zero["difference"]["low"] <= zero["difference"]["value"] <= zero["difference"]["high"]


def test_a_constant_system_is_undefined_and_never_zero(sts: Task, settings: Settings, store: ReplyStore) -> None:
    _, systems = found(sts, settings(sts), store, ScriptedLLM())
    for score in (systems["majority"]["scores"]["spearman"], systems["majority"]["difference"]):
        assert score["value"] is None
        assert score["undefined"].endswith("correlation with a constant")
        assert (score["low"], score["high"], score["by_seed"]) == (None, None, [])


def test_answers_that_are_none_are_counted(nli: Task, settings: Settings, store: ReplyStore, server) -> None:
    llm = server(lambda r: "中立" if r.id.endswith(("1", "3")) else "どうでしょう")
    result, systems = found(nli, settings(nli), store, llm)
    assert "zero-shot calibrated" not in systems
    assert result.summary["left_out"] == [
        "supervised: no gold.train is given to learn from",
        "zero-shot calibrated: server gives no likelihoods of the labels",
    ]
    zero = systems["zero-shot"]
    answered = sum(p.label != NO_ANSWER for p in result.systems[2].predictions[0])
    assert 0 < answered < 12
    assert (zero["unparsed"], zero["answers"]) == (12 - answered, 12)
    right = sum(
        p.label == e.label for p, e in zip(result.systems[2].predictions[0], load_gold_data(nli).test, strict=True)
    )
    assert zero["scores"]["accuracy"]["value"] == pytest.approx(right / 12)
    assert [len(row) for row in zero["confusion"]] == [3, 3]
    assert sum(row[2] for row in zero["confusion"]) == 12 - answered
    assert [len(row) for row in systems["japagen/linear"]["confusion"]] == [2, 2]


def test_a_missing_number_counts_as_the_mean_and_gains_nothing(sts: Task, settings: Settings) -> None:
    test = [Example(str(i), "一", "0", "二", float(i)) for i in range(4)]
    values = [0.0, 2.0, 4.0, None]
    run = [Prediction(str(i), "" if v is None else "0", {}, v) for i, v in enumerate(values)]
    summary = summarise(settings(sts), sts, [System("zero-shot", "prompted", (run,))], test)
    score = summary["systems"][0]["scores"]["spearman"]
    assert score["value"] == spearman([0, 1, 2, 3], [0, 2, 4, 2])
    silent = [Prediction(str(i), "", {}) for i in range(4)]
    score = summarise(settings(sts), sts, [System("x", "prompted", (silent,))], test)["systems"][0]["scores"]["pearson"]
    assert (score["value"], score["undefined"]) == (None, "no row has an answer")


def test_a_difference_to_an_undefined_primary_says_so(sts: Task, settings: Settings) -> None:
    test = [Example(str(i), "一", "0", "二", float(i)) for i in range(4)]
    flat, good = (
        [Prediction(str(i), "0", {}, value) for i, value in enumerate(row)] for row in ([1.0] * 4, [0, 1, 3, 2])
    )
    systems = [System("japagen/linear", "japagen", (flat,)), System("few-shot", "prompted", (good,))]
    told = summarise(settings(sts), sts, systems, test)["systems"][1]
    assert told["scores"]["spearman"]["value"] == pytest.approx(0.8)
    assert told["difference"]["undefined"] == "one of the two has no score: correlation with a constant"


def test_the_number_of_a_prediction(sts: Task, nli: Task) -> None:
    given = [
        Prediction("1", "0", {"0": 0.5, "2": 0.25, "4": 0.25}),  # 0.5 + 1
        Prediction("2", "0", {"0": 0.2, "4": 0.2}),  # scores of two labels, not of all
        Prediction("3", "0", {"0": 1.0}, 3.5),  # its own number stands
        Prediction("4", NO_ANSWER, {}),
    ]
    assert [(p.value, p.label) for p in with_values(sts, given)] == [(1.5, "2"), (2.0, "2"), (3.5, "4"), (None, "")]
    assert with_values(nli, given) == given


def test_the_tasks_own_metric_comes_first(nli: Task, sts: Task) -> None:
    assert metrics_of(nli.model_copy(update={"metric": "mcc"})) == ("mcc", "accuracy", "macro_f1")
    assert metrics_of(sts.model_copy(update={"metric": "pearson"})) == ("pearson", "spearman")


def test_without_gold_nothing_is_measured(sts: Task, settings: Settings, store: ReplyStore) -> None:
    result = evaluate(settings(sts), sts, {}, GoldData(), ScriptedLLM(), store)
    assert (result.summary["n"], result.summary["systems"], result.summary["metric"]) == (0, [], "spearman")


def test_the_systems_are_those_that_were_planned(nli: Task, settings: Settings, store: ReplyStore) -> None:
    assert nli.gold is not None
    with_train = nli.model_copy(update={"gold": nli.gold.model_copy(update={"train": nli.gold.dev})})
    few = {"prompting": ["few-shot", "zero-shot"], "self_consistency": 2, "gold_shots": [1, 2]}
    experiment = settings(nli, **few)
    experiment = experiment.model_copy(update={"train": experiment.train.model_copy(update={"ensemble": True})})
    _, systems = found(with_train, experiment, store, ScriptedLLM())
    assert tuple(systems) == planned_systems(experiment, with_train)
    assert "supervised/linear ensemble" in systems
    assert "gold-2/linear ensemble" not in systems  # it would have seen the rows of all seeds
    assert planned_systems(experiment, nli.model_copy(update={"gold": None})) == ()


def test_where_gold_is_from_and_what_was_seen_before(nli: Task, settings: Settings, store: ReplyStore) -> None:
    gold = load_gold_data(nli)
    seen = {"training texts": [*gold.test[:2], gold.dev[0]], "shots": gold.test[1:3]}
    result, _ = found(nli, settings(nli), store, ScriptedLLM(), learnt=seen)
    told = result.summary["contamination"]
    assert [(one["set"], one["against"], one["exact"]) for one in told] == [
        ("test", "training texts", 2),
        ("test", "shots", 2),
        ("test", "gold dev", 0),
        ("gold dev", "training texts", 1),
        ("gold dev", "shots", 0),
    ]
    assert result.summary["contaminated"] == 3
    gold = result.summary["gold"]
    assert [(file["split"], file["file"], file["rows"]) for file in gold["files"]] == [
        ("dev", "nli-dev.jsonl", 12),
        ("test", "nli-test.jsonl", 12),
    ]
    assert (gold["split"], gold["groups"]) == (None, 6)
