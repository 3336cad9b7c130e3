"""What a comparison finds: methods by name, the best and what cannot be told from it, runs that cannot be compared."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.compare import Cell, Comparison, Method, compare
from japagen.compare.finished import read_run
from japagen.compare.marking import GoldRows, cells_of, corrected
from japagen.compare.methods import entries
from japagen.errors import ConfigError, RunError
from japagen.metrics import CORRELATIONS
from japagen.tables import file_digest

Plant = Callable[..., Path]
GOLD = ["a", "b"] * 60
FLIP = {"a": "b", "b": "a"}


def right(count: int, *, start: int = 0) -> list[str]:
    """Answers of which `count` are right, the wrong ones after them, beginning at row `start`."""
    wrong = {(start + count + place) % len(GOLD) for place in range(len(GOLD) - count)}
    return [FLIP[g] if place in wrong else g for place, g in enumerate(GOLD)]


def cell(found: Comparison, name: str, student: str = "", run: str = "", column: int = 0) -> Cell:
    [row] = [r for r in found.rows if (r.method.name, r.method.student, r.method.run) == (name, student, run)]
    told = row.cells[column]
    assert told is not None
    return told


def methods(found: Comparison) -> list[tuple[str, str, str]]:
    return [(row.method.name, row.method.student, row.method.run) for row in found.rows]


def test_scores_are_those_of_the_run(plant: Plant) -> None:
    run = plant("one", systems={"japagen/linear": [right(90), right(96)], "majority": [["a"] * 120]}, gold=GOLD)
    told = cell(compare([run]), "zero-shot JAPAGEN", "linear")
    [saved, _] = json.loads((run / "4-evaluate" / "scores.json").read_text(encoding="utf-8"))["systems"]
    score = saved["scores"]["accuracy"]
    assert (told.value, told.low, told.high) == (score["value"], score["low"], score["high"])
    assert told.value == pytest.approx(93 / 120)
    assert (told.seeds, told.n, told.runs) == (2, 120, ("one",))
    assert told.signature == score["signature"]


def test_the_best_is_bold_and_what_cannot_be_told_from_it_is_marked(plant: Plant) -> None:
    """Planted: 100 of 120 right, one row less in other places, and 40 less."""
    systems = {"japagen/linear": [right(100)], "japagen/embedding": [right(99, start=7)], "zero-shot": [right(60)]}
    found = compare([plant("one", systems=systems, gold=GOLD)])
    best, near, far = (
        cell(found, *name)
        for name in (("zero-shot JAPAGEN", "linear"), ("zero-shot JAPAGEN", "embedding"), ("zero-shot PROMPTING",))
    )
    assert (best.best, best.tied, best.p) == (True, False, None)
    assert (near.best, near.tied) == (False, True)
    assert (far.best, far.tied) == (False, False)
    assert near.p is not None
    assert near.p > 0.5
    assert far.p is not None
    assert far.p < 0.01
    assert found.tests == 2


def test_many_comparisons_do_not_hide_a_difference_in_few_rows(plant: Plant) -> None:
    """25 of 500 rows, all on one side (p below 1e-7), among 300 comparisons: no number of permutations may hide it."""
    gold = ["a", "b"] * 250
    other = [FLIP[g] if place < 25 else g for place, g in enumerate(gold)]
    run = read_run(plant("one", systems={"japagen/linear": [gold], "zero-shot": [other]}, gold=gold))
    found = entries([run], (), name_llm=False)
    cells = cells_of(found, "accuracy", GoldRows(run, tests=300), lambda done: None)
    [p] = [each.p for each in cells.values() if each.p is not None]
    assert p * 300 < 0.05


def test_what_answers_alike_is_never_told_apart(plant: Plant) -> None:
    found = compare([plant("one", systems={"japagen/linear": [right(80)], "zero-shot": [right(80)]}, gold=GOLD)])
    told = [row.cells[0] for row in found.rows]
    assert all(one is not None and one.best and not one.tied for one in told)
    assert [one.p for one in told if one] == [None, 1.0]


def test_holm_is_over_the_whole_table(plant: Plant) -> None:
    """The same two systems in one task, and in five: p stays, its correction grows with the number of comparisons."""
    systems = {"japagen/linear": [right(100)], "zero-shot": [right(90, start=14)]}
    runs = [plant(f"run-{n}", task=f"task-{n}", systems=systems, gold=GOLD, resamples=2000) for n in range(5)]
    alone, together = compare(runs[:1]), compare(runs)
    one, among = (cell(found, "zero-shot PROMPTING") for found in (alone, together))
    assert one.p == among.p
    assert one.p is not None
    assert one.p_holm == one.p
    assert 0.01 < one.p < 0.05  # planted so that it is below the level alone and not among five
    assert not one.tied
    assert among.tied
    assert among.p_holm == pytest.approx(5 * one.p)
    assert (alone.tests, together.tests) == (1, 5)


def test_enough_resamples_for_the_correction(plant: Plant) -> None:
    """100 resamples give no p below 1/101: with five comparisons nothing could ever be told from the best."""
    systems = {"japagen/linear": [right(118)], **{f"gold-{k}/linear": [right(40)] for k in range(1, 7)}}
    found = compare([plant("one", systems=systems, gold=GOLD, resamples=100)])
    assert not any(row.cells[0].tied for row in found.rows if row.cells[0])
    assert found.columns[0].resamples == 480


@given(st.lists(st.lists(st.floats(0, 1), min_size=1, max_size=5), min_size=1, max_size=4))
def test_marks_follow_from_corrected_p(columns: list[list[float]]) -> None:
    empty = Cell(0.5, 0.4, 0.6, 1, 10, ("r",))
    cells = [{Method("gold", str(n)): replace(empty, p=p) for n, p in enumerate(column)} for column in columns]
    marked, tests = corrected(cells)
    told = [one for column in marked for one in column.values()]
    assert tests == len(told)
    assert all(one.tied == (one.p_holm is not None and one.p_holm >= 0.05) for one in told)
    assert all(one.p is not None and one.p_holm is not None and one.p <= one.p_holm <= 1 for one in told)


def test_rows_of_an_image_are_resampled_together(plant: Plant) -> None:
    """30 images of four rows each: what differs in three whole images differs by chance; as 12 of 120 rows it does not."""
    groups = [f"image {place // 4}" for place in range(120)]
    systems = {"japagen/linear": [right(120)], "zero-shot": [right(108)]}
    found = {
        name: compare([plant(name, systems=systems, gold=GOLD, groups=each, resamples=2000)])
        for name, each in (("grouped", groups), ("alone", None))
    }
    assert found["grouped"].columns[0].groups == 30
    assert found["alone"].columns[0].groups is None
    p = {name: cell(each, "zero-shot PROMPTING").p for name, each in found.items()}
    assert p["alone"] is not None
    assert p["grouped"] is not None
    assert p["alone"] < 0.005
    assert p["grouped"] > 3 * p["alone"]


def test_an_undefined_score_is_said_to_be_and_is_not_compared(plant: Plant) -> None:
    numbers = [float(n % 6) for n in range(60)]
    systems = {
        "japagen/linear": [[n + 0.1 * (place % 7) for place, n in enumerate(numbers)]],
        "zero-shot": [[5 - n for n in numbers]],
        "majority": [[3.0] * 60],
    }
    found = compare([plant("s", systems=systems, gold=numbers, metric="spearman")])
    told = cell(found, "most frequent label")
    assert told.value is None
    assert told.undefined
    assert (told.p, told.best, told.tied) == (None, False, False)
    assert found.tests == 1
    assert cell(found, "zero-shot JAPAGEN", "linear").best


def test_missing_answers_to_numbers_count_as_the_mean(plant: Plant) -> None:
    """As in scores.json, so that the best of the table and of the tests is the same."""
    numbers = [float(n % 6) for n in range(60)]
    said = [[None if place % 10 == 0 else n + 0.2 * (place % 3) for place, n in enumerate(numbers)]]
    answered = [[3.0 if x is None else x for x in said[0]]]
    run = plant("s", systems={"few-shot": answered, "japagen/linear": [numbers]}, gold=numbers, metric="spearman")
    file = run / "4-evaluate" / "predictions.jsonl"
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    for line, x in zip(lines, said[0], strict=False):
        if x is None:
            del line["value"]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    redigested(run)
    read = read_run(run)
    measured = GoldRows(read).measure(read.systems["few-shot"], "spearman")
    mean = fmean(x for x in said[0] if x is not None)
    assert measured.by_seed == [
        pytest.approx(CORRELATIONS["spearman"](numbers, [mean if x is None else x for x in said[0]]))
    ]


def redigested(run: Path) -> None:
    """The run as if its stage had written its files as they are now."""
    done = run / "4-evaluate" / "done.json"
    told = json.loads(done.read_text(encoding="utf-8"))
    told["outputs"] = {name: file_digest(run / "4-evaluate" / name) for name in told["outputs"]}
    done.write_text(json.dumps(told), encoding="utf-8")


# ---- methods -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"shots": 0}, "zero-shot JAPAGEN"),
        ({"shots": 5}, "few-shot JAPAGEN (5)"),
        ({"shots": 5, "kadg": ["word"]}, "few-shot JAPAGEN (5) + KADG (word)"),
        ({"shots": 0, "kadg": True}, "zero-shot JAPAGEN + KADG (word, register, rule)"),
        ({"shots": 0, "kadg": ["random-word"]}, "zero-shot JAPAGEN + KADG (random-word control)"),
        ({"shots": 0, "kadg": "random-word"}, "zero-shot JAPAGEN + KADG (random-word control, register, rule)"),
        ({"shots": 0, "train": {"anchor": {"rows": 150}}}, "zero-shot JAPAGEN + gold (150)"),
        ({"shots": 0, "train": {"decision": {"source": "em"}}}, "zero-shot JAPAGEN + decision (em)"),
        ({"shots": 0, "train": {"dev": "gold"}}, "zero-shot JAPAGEN + gold dev"),
    ],
)
def test_an_arm_is_named_by_its_settings(plant: Plant, settings: dict[str, Any], name: str) -> None:
    knowledge = {"words": {"本": 1.0}, "attributes": {"register": {}}, "rule": "短く。"}
    run = plant("one", systems={"japagen/linear": [right(90)]}, gold=GOLD, knowledge=knowledge, **settings)
    assert methods(compare([run])) == [(name, "linear", "")]


def test_rows_stand_by_kind_and_arms_by_what_they_were_shown(plant: Plant) -> None:
    systems = {
        "gold-10/linear": [right(80)],
        "japagen/linear": [right(90)],
        "japagen/linear ensemble": [right(91)],
        "supervised/linear": [right(110)],
        "gold-5/linear": [right(70)],
        "majority": [["a"] * 120],
        "zero-shot calibrated": [right(65)],
        "few-shot": [right(66)],
        "few-shot self-consistency": [right(67)],
        "zero-shot": [right(60)],
    }
    few = plant("few", systems=systems, gold=GOLD, shots=2, evaluate={"self_consistency": 10})
    zero = plant("zero", systems=systems, gold=GOLD, evaluate={"self_consistency": 10})
    assert methods(compare([few, zero])) == [
        ("zero-shot JAPAGEN", "linear", ""),
        ("zero-shot JAPAGEN", "linear ensemble", ""),
        ("few-shot JAPAGEN (2)", "linear", ""),
        ("few-shot JAPAGEN (2)", "linear ensemble", ""),
        ("zero-shot PROMPTING", "", ""),
        ("zero-shot PROMPTING, calibrated", "", ""),
        ("few-shot PROMPTING (4 per label)", "", ""),
        ("few-shot PROMPTING (4 per label), self-consistency (10)", "", ""),
        ("training on gold, K = 5", "linear", ""),
        ("training on gold, K = 10", "linear", ""),
        ("fully supervised", "linear", ""),
        ("most frequent label", "", ""),
    ]


def test_baselines_that_answer_alike_are_one_row_and_others_are_named_by_run(plant: Plant) -> None:
    zero = plant("zero", systems={"japagen/linear": [right(90)], "zero-shot": [right(60)]}, gold=GOLD)
    few = plant("few", systems={"japagen/linear": [right(95)], "zero-shot": [right(60)]}, gold=GOLD, shots=5)
    other = plant("other", systems={"zero-shot": [right(61)]}, gold=GOLD, shots=9)
    merged = compare([zero, few])
    assert cell(merged, "zero-shot PROMPTING").runs == ("zero", "few")
    named = compare([zero, few, other])
    assert cell(named, "zero-shot PROMPTING", run="zero, few").value == 0.5
    assert cell(named, "zero-shot PROMPTING", run="other").value == pytest.approx(61 / 120)


def test_two_runs_of_one_method_are_two_rows(plant: Plant) -> None:
    runs = [plant(f"seed-{n}", systems={"japagen/linear": [right(90)]}, gold=GOLD, seed=n) for n in range(2)]
    assert methods(compare(runs)) == [("zero-shot JAPAGEN", "linear", f"seed-{n}") for n in range(2)]


def test_language_models_are_named_where_there_are_several(plant: Plant) -> None:
    systems = {"japagen/linear": [right(90)], "zero-shot": [right(60)], "majority": [["a"] * 120]}
    small = plant("small", systems=systems, gold=GOLD, llm="embedded")
    large = plant("large", systems=systems, gold=GOLD, llm="gguf:/home/me/large.gguf")
    assert [name for name, _, _ in methods(compare([small, large]))] == [
        "zero-shot JAPAGEN · embedded",
        "zero-shot JAPAGEN · gguf:large.gguf",
        "zero-shot PROMPTING · embedded",
        "zero-shot PROMPTING · gguf:large.gguf",
        "most frequent label",
    ]


def test_experiments_of_one_name_are_told_apart_by_their_folders(plant: Plant, tmp_path: Path) -> None:
    systems = {"japagen/linear": [right(90)]}
    folders = [plant("one", folder=tmp_path / place / "one", systems=systems, gold=GOLD) for place in ("x", "y")]
    assert [run for _, _, run in methods(compare(folders))] == [str(folder) for folder in folders]


# ---- what is shown -----------------------------------------------------------------------------------------------


def test_students_metrics_and_average(plant: Plant) -> None:
    systems = {"japagen/linear": [right(90)], "japagen/embedding": [right(96)], "zero-shot": [right(60)]}
    first = plant("first", task="x", systems=systems, gold=GOLD, metrics=("accuracy", "mcc"))
    second = plant("second", task="y", systems={"japagen/linear": [right(60)]}, gold=GOLD, metrics=("accuracy", "mcc"))
    only = compare([first, second], students=["linear"], average=True)
    assert [name for name, *_ in methods(only)] == ["zero-shot JAPAGEN", "zero-shot PROMPTING"]
    assert [row.average for row in only.rows] == [pytest.approx((90 / 120 + 60 / 120) / 2), None]
    assert [column.metric for column in compare([first, second], metric="mcc").columns] == ["mcc", "mcc"]
    everything = compare([first, second], all_metrics=True)
    assert [(c.task, c.metric) for c in everything.columns] == [
        ("x", "accuracy"),
        ("x", "mcc"),
        ("y", "accuracy"),
        ("y", "mcc"),
    ]
    assert everything.tests == 4
    with pytest.raises(ConfigError, match="no run has a student 'liner'") as unknown:
        compare([first], students=["liner"])
    assert unknown.value.remedy == "did you mean 'linear'?"
    with pytest.raises(ConfigError, match="task 'x' is not measured by 'acuracy'") as metric:
        compare([first], metric="acuracy")
    assert metric.value.remedy == "did you mean 'accuracy'?"
    with pytest.raises(ConfigError, match="one metric is asked for, and all"):
        compare([first], metric="mcc", all_metrics=True)


def test_contrasts_are_corrected_over_all_of_them(plant: Plant) -> None:
    def contrast(p: float, declared: bool) -> dict[str, Any]:
        difference = {"value": 0.25, "low": 0.2, "high": 0.3, "by_seed": [], "signature": "", "p": p}
        about = {"system": "japagen/linear", "against": "zero-shot", "declared": declared, "difference": difference}
        return {"contrast": about}

    systems = {"japagen/linear": [right(90)], "zero-shot": [right(60)]}
    runs = [
        plant(f"r{n}", task=f"t{n}", systems=systems, gold=GOLD, scores=contrast(p, n == 0))
        for n, p in enumerate((0.01, 0.04, 0.03))
    ]
    found = compare(runs).contrasts
    assert [each.p_holm for each in found] == [pytest.approx(0.03), pytest.approx(0.06), pytest.approx(0.06)]
    assert [each.declared for each in found] == [True, False, False]
    assert (found[0].system, found[0].against) == ("zero-shot JAPAGEN, linear", "zero-shot PROMPTING")
    assert not compare([plant("old", systems=systems, gold=GOLD, old=True)]).contrasts


def test_gains_are_over_zero_shot_prompting_of_the_same_run(plant: Plant) -> None:
    first = plant("first", systems={"japagen/linear": [right(90)], "zero-shot": [right(60)]}, gold=GOLD)
    second = plant("second", systems={"japagen/linear": [right(96)], "zero-shot": [right(80)]}, gold=GOLD, shots=5)
    third = plant("third", systems={"japagen/linear": [right(99)]}, gold=GOLD, shots=9)
    found = compare([first, second, third]).gains
    assert [gain.method.name for gain in found] == ["zero-shot JAPAGEN", "few-shot JAPAGEN (5)"]
    assert [gain.difference.value for gain in found] == [pytest.approx(30 / 120), pytest.approx(16 / 120)]
    assert [gain.relative for gain in found] == [pytest.approx(30 / 60), pytest.approx(16 / 80)]
    below = plant("below", systems={"japagen/linear": [right(90)], "zero-shot": [right(50)]}, gold=GOLD, metric="mcc")
    assert compare([below]).gains[0].relative is None  # a share of what is below zero says nothing


def test_costs_of_texts_and_of_asking(plant: Plant) -> None:
    paid = {"calls": 120, "prompt_tokens": 9000, "completion_tokens": 240, "usd": 0.5}
    free = {"calls": 0, "prompt_tokens": 0, "completion_tokens": 0, "usd": 0.0}
    systems = {"japagen/linear": [right(90)], "zero-shot": [right(60)]}
    cached = plant("cached", systems=systems, gold=GOLD, costs={"zero-shot": free})
    first = plant("first", systems=systems, gold=GOLD, shots=5, costs={"zero-shot": paid})
    told = [(c.what, c.run, c.calls, c.prompt_tokens, c.usd, c.asked, c.kept) for c in compare([cached, first]).costs]
    assert told == [
        ("zero-shot JAPAGEN", "cached", 40, 4000, 0.25, 40, 30),
        ("few-shot JAPAGEN (5)", "first", 40, 4000, 0.25, 40, 30),
        ("zero-shot PROMPTING", "", 120, 9000, 0.5, None, None),
    ]


def test_contamination_is_said_once_where_runs_agree(plant: Plant) -> None:
    def counts(near: int) -> dict[str, Any]:
        told = {"set": "test", "of": 120, "exact": 0, "canonical": 1, "one_text": None, "ids": []}
        return {
            "contamination": [
                told | {"against": "training texts", "near": near},
                told | {"against": "shots", "near": 0},
            ]
        }

    systems = {"japagen/linear": [right(90)]}
    runs = [plant(f"r{n}", systems=systems, gold=GOLD, shots=n, scores=counts(n)) for n in range(2)]
    found = compare(runs).overlaps
    assert [(each.against, each.near, each.runs) for each in found] == [
        ("training texts", 0, ("r0",)),
        ("shots", 0, ("r0", "r1")),
        ("training texts", 1, ("r1",)),
    ]


# ---- refusals ----------------------------------------------------------------------------------------------------


def refused(runs: list[Path], *said: str) -> None:
    with pytest.raises(RunError) as error:
        compare(runs)
    for text in said:
        assert text in str(error.value)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"metric": "mcc"}, "the metric is 'accuracy' in the one and 'mcc' in the other"),
        ({"gold": ["b", "a", *GOLD[2:]]}, "row 'row-0' has the gold label 'a' in the one and 'b' in the other"),
        ({"gold": GOLD[:100]}, "120 test rows in the one and 100 in the other; 'row-100' is only in 'one'"),
        ({"ids": [f"row-{n}" for n in range(119, -1, -1)]}, "their test rows stand in another order"),
        ({"groups": ["x", "y"] * 60}, "their test rows are grouped differently"),
        ({"rows": "other texts"}, "the texts of their test rows differ"),
        ({"gold": ["a", "b", "c"] * 40}, "the labels is 'a, b' in the one and 'a, b, c' in the other"),
    ],
)
def test_runs_that_were_measured_on_or_by_something_else(plant: Plant, other: dict[str, Any], said: str) -> None:
    one = plant("one", systems={"japagen/linear": [right(90)]}, gold=GOLD)
    given_ = {"gold": GOLD} | other
    two = plant("two", systems={"japagen/linear": [given_["gold"]]}, shots=5, **given_)
    refused([one, two], "'one' and 'two' of task 'toy' cannot be compared", said)


def test_checksums_are_named_where_texts_differ(plant: Plant) -> None:
    def files(sha: str) -> dict[str, Any]:
        source = {"split": "test", "file": "test.json", "sha256": sha * 64, "rows": 120, "licence": None}
        return {"gold": {"files": [source], "split": None, "groups": None}}

    systems = {"japagen/linear": [right(90)]}
    for rows in ("texts", None):  # with digests of the rows, and where only the files' are known
        runs = [
            plant(f"{sha}-{rows}", systems=systems, gold=GOLD, scores=files(sha), rows=rows and f"{rows} {sha}")
            for sha in ("a", "b")
        ]
        refused(runs, "test.json aaaaaaaaaaaa", "test.json bbbbbbbbbbbb")
    same = [plant(f"same-{sha}", systems=systems, gold=GOLD, scores=files(sha), shots=n) for n, sha in enumerate("ab")]
    assert len(compare(same).rows) == 2  # the same rows in another file


def test_unfinished_absent_and_empty_runs(plant: Plant, tmp_path: Path) -> None:
    run = plant("one", systems={"japagen/linear": [right(90)]}, gold=GOLD)
    refused([tmp_path / "nowhere"], "there is no run in this folder")
    with pytest.raises(ConfigError, match="the same run is given twice"):
        compare([run, run / ".." / "one"])
    with pytest.raises(ConfigError, match="nothing to compare"):
        compare([])
    empty = plant("empty", systems={"japagen/linear": [right(90)]}, gold=GOLD, scores={"systems": []})
    refused([empty], "nothing was measured in this run")
    (run / "4-evaluate" / "done.json").unlink()
    refused([run], "is not finished", "japagen run one.yaml")


def test_damaged_and_changed_files(plant: Plant) -> None:
    systems = {"japagen/linear": [right(90)], "zero-shot": [right(60)]}
    run = plant("one", systems=systems, gold=GOLD)
    file = run / "4-evaluate" / "predictions.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(lines[:-1]), encoding="utf-8")
    refused([run], "is gone or was changed since the stage was done", "--redo evaluate")
    redigested(run)
    refused([run], "damaged", "seed 0 of 'zero-shot' is about other rows")
    file.write_text("".join(lines[:120]), encoding="utf-8")
    redigested(run)
    refused([run], "damaged", "'zero-shot' has scores and no predictions")
    file.write_text("no JSON\n", encoding="utf-8")
    redigested(run)
    refused([run], "damaged")
    file.write_text("", encoding="utf-8")
    redigested(run)
    refused([run], "damaged")


def test_runs_of_earlier_versions(plant: Plant) -> None:
    """Labels are enough for a run; what its scores were computed with must be there, or it is to be measured anew."""
    systems = {"japagen/linear": [right(90)], "zero-shot": [right(60)]}
    found = compare([plant("labels", systems=systems, gold=GOLD, old=True)])
    assert cell(found, "zero-shot PROMPTING").p is not None
    grouped = plant("groups", systems=systems, gold=GOLD, groups=[str(n // 4) for n in range(120)], old=True)
    refused([grouped], "lack 'group'", "japagen run groups.yaml --redo evaluate")
    numbers = [float(n % 6) for n in range(60)]
    valued = plant("numbers", systems={"zero-shot": [numbers]}, gold=numbers, metric="spearman", old=True)
    refused([valued], "lack 'gold_value'", "--redo evaluate")


def test_a_system_is_measured_once(plant: Plant) -> None:
    run = read_run(plant("one", systems={"japagen/linear": [right(90)], "zero-shot": [right(90)]}, gold=GOLD))
    rows = GoldRows(run)
    first, second = (rows.measure(run.systems[name], "accuracy") for name in ("japagen/linear", "zero-shot"))
    assert first is second
