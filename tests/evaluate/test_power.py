"""What a test set can show: by hand, the figures of the built-in tasks, and against simulated systems."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from japagen.cli import app
from japagen.errors import ConfigError
from japagen.evaluate.power import Design, Floats, TestSet, _confusion
from japagen.evaluate.testsets import PUBLISHED, find_test_set, plan
from japagen.metrics import METRICS, Undefined, pearson, spearman
from japagen.task import Task

JCOLA = (139 / 865, 726 / 865)
JNLI = (0.14, 0.30, 0.56)


@pytest.mark.parametrize(("name", "points"), [("jnli", 1.9), ("jcola", 3.2), ("marc-ja", 1.2)])
def test_figures_of_the_tasks_in_accuracy(name: str, points: float) -> None:
    """Those that were planned with, of McNemar's exact test, which needs a little more than Connor's formula."""
    found = 100 * Design("accuracy").smallest_difference(PUBLISHED[name].rows)
    assert points - 0.25 < found < points + 0.05


def test_figures_of_single_scores() -> None:
    assert Design("mcc", JCOLA).half_width(865) == pytest.approx(0.085, abs=0.004)
    assert Design("spearman").half_width(PUBLISHED["jsts"].effective_rows()) == pytest.approx(0.022, abs=0.0005)
    assert Design("accuracy", score=0.9).half_width(100) == pytest.approx(1.959964 * 0.03)


def test_groups_by_hand() -> None:
    # Groups of 3, 1 and 1: a row's group has (9 + 1 + 1) / 5 rows on average.
    found = TestSet.of(["a", "a", "b", "a", "b"], [1, 1, 1, 2, 3], ["a", "b"])
    assert (found.rows, found.groups, found.group_size, found.shares) == (5, 3, 2.2, (0.6, 0.4))
    assert found.effective_rows(0.5) == pytest.approx(5 / 1.6)
    assert found.effective_rows(0.0) == 5
    assert TestSet.of(["1"], None, ()).effective_rows() == 1


@given(st.sampled_from(["accuracy", "macro_f1", "mcc"]), st.floats(0.6, 0.9), st.floats(0.02, 0.3))
def test_rows_needed_show_the_difference(metric: str, score: float, discordance: float) -> None:
    design = Design(metric, (0.3, 0.3, 0.4), score, discordance)
    smallest = design.smallest_difference(2000)
    assert design.rows_needed(smallest) == pytest.approx(2000, rel=1e-6)
    assert design.smallest_difference(4000) < smallest


@given(st.sampled_from(["spearman", "pearson"]), st.floats(-0.9, 0.9), st.floats(0.001, 0.3))
def test_rows_needed_of_correlations(metric: str, score: float, discordance: float) -> None:
    design = Design(metric, (), score, discordance)
    if 1 - discordance < 2 * score**2 - 1:
        with pytest.raises(Undefined, match="at least"):
            design.smallest_difference(2000)
        return
    assert design.rows_needed(design.smallest_difference(2000)) == pytest.approx(2000, rel=1e-6)


@pytest.mark.parametrize(("metric", "score"), [("accuracy", 0.7), ("macro_f1", 0.6), ("mcc", 0.4)])
def test_assumed_confusions_have_the_score(metric: str, score: float) -> None:
    cells = _confusion(metric, JNLI, score)
    assert float(METRICS[metric](cells)) == pytest.approx(score)
    np.testing.assert_allclose(cells.sum(0), JNLI)
    np.testing.assert_allclose(cells.sum(1), JNLI)


def two_systems(rng: np.random.Generator, cells: Floats, metric: str, n: int, discordance: float) -> tuple[float, ...]:
    """Scores of two systems as `Design` assumes them, on the same rows: equally good, one alone right on some rows."""
    labels = len(cells)
    wrong = 1 - np.trace(cells)
    drawn = rng.choice(labels * labels, size=n, p=cells.ravel() / cells.sum())
    gold, a = np.divmod(drawn, labels)
    b = a.copy()
    # Rows on which the first errs, that the second gets right; and as many, of the same kind, the other way round.
    kind = rng.random(n)
    mended = (a != gold) & (kind < discordance / 2 / wrong)
    b[mended] = gold[mended]
    errors = cells * (1 - np.eye(labels))
    right = np.diagonal(cells)[gold]
    chance = (discordance / 2) * errors.sum(1)[gold] / errors.sum() / right
    spoilt = (a == gold) & (kind < chance)
    b[spoilt] = 1 - gold[spoilt]
    counts = [np.bincount(gold * labels + said, minlength=labels**2).reshape(labels, labels) for said in (a, b)]
    return tuple(float(METRICS[metric](each)) for each in counts)


@pytest.mark.parametrize(("metric", "score"), [("accuracy", 0.8), ("macro_f1", 0.7), ("mcc", 0.35)])
def test_scatter_of_labels_by_simulation(metric: str, score: float) -> None:
    rng = np.random.default_rng(0)
    cells = _confusion(metric, JCOLA, score)
    pairs = np.array([two_systems(rng, cells, metric, 865, 0.1) for _ in range(1200)])
    design = Design(metric, JCOLA, score, 0.1)
    assert 1.959964 * pairs[:, 0].std() == pytest.approx(design.half_width(865), rel=0.08)
    scatter = (pairs[:, 0] - pairs[:, 1]).std()
    expected = design.smallest_difference(865) / (1.959964 + 0.841621)
    assert scatter == pytest.approx(expected, rel=0.08)


@pytest.mark.parametrize("metric", ["spearman", "pearson"])
def test_scatter_of_correlations_by_simulation(metric: str) -> None:
    r, between, n = 0.8, 0.9, 400
    root = np.linalg.cholesky(np.array([[1, r, r], [r, 1, between], [r, between, 1]]))
    rng = np.random.default_rng(0)
    of = spearman if metric == "spearman" else pearson
    found = []
    for _ in range(1000):
        gold, a, b = root @ rng.normal(size=(3, n))
        found.append((of(gold, a), of(gold, b)))
    pairs = np.array(found)
    design = Design(metric, (), r, 1 - between)
    assert 1.959964 * pairs[:, 0].std() == pytest.approx(design.half_width(n), rel=0.08)
    expected = design.smallest_difference(n) / (1.959964 + 0.841621)
    assert (pairs[:, 0] - pairs[:, 1]).std() == pytest.approx(expected, rel=0.08)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Design("accuracy", discordance=0).smallest_difference(100), "no such test"),
        (lambda: Design("accuracy", power=1.0).smallest_difference(100), "no such test"),
        (lambda: Design("accuracy").smallest_difference(10), "too few"),
        (lambda: Design("accuracy").rows_needed(0.2), "at most 0.100"),
        (lambda: Design("accuracy").half_width(0), "no rows"),
        (lambda: Design("mcc", (1.0, 0.0)).half_width(10), "labels' shares"),
        (lambda: Design("mcc", (0.5, 0.5), 1.0).half_width(10), "is not between"),
        (lambda: Design("macro_f1", (0.5, 0.5), 0.3).half_width(10), "of guessing"),
        (lambda: Design("spearman", (), 1.0).half_width(10), "not within"),
        (lambda: Design("spearman", (), 0.95, 0.5).half_width(10), "at least"),
        (lambda: Design("bleu").half_width(10), "no metric is called 'bleu'"),
        (lambda: TestSet.of([], None, ()), "no rows"),
    ],
)
def test_refusals(call: Callable[[], object], words: str) -> None:
    with pytest.raises(Undefined, match=words):
        call()


def test_test_sets_of_tasks(workplace: Path) -> None:
    found, source = find_test_set(Task.load(workplace / "mood.yaml"))
    assert (found, source) == (TestSet(8, shares=(0.5, 0.5)), "the test rows of its gold data")
    assert find_test_set(Task.load("news"))[0].shares == (1 / 9,) * 9
    assert find_test_set(Task.load("jcola"), 100)[0] == TestSet(100, shares=JCOLA)
    with pytest.raises(ConfigError, match="names no gold data"):
        find_test_set(Task.load("covid-19"))


def test_plan_with_holm_and_rows() -> None:
    found = plan(Task.load("jnli"), comparisons=10, difference=0.03, icc=0.0)
    one = found["by_discordance"][1]
    assert one["smallest_difference"] == pytest.approx(0.01795, abs=1e-5)
    assert one["smallest_difference_holm"] > one["smallest_difference"]
    assert one["rows_needed"] == math.ceil(Design("accuracy").rows_needed(0.03))
    grouped = plan(Task.load("jnli"), difference=0.03, icc=0.34)["by_discordance"][1]
    assert grouped["rows_needed"] == pytest.approx(one["rows_needed"] * (1 + 2.141 * 0.34), rel=0.001)
    few = plan(Task.load("jnli"), n=10)["by_discordance"][1]
    assert few["smallest_difference"] is None
    assert "too few" in few["undefined"]
    with pytest.raises(ConfigError, match="no such test"):
        plan(Task.load("jnli"), power=2.0)


def test_command(workplace: Path) -> None:
    run = CliRunner().invoke
    told = run(app, ["power", str(workplace / "small.yaml"), "--json"])
    assert json.loads(told.output)["rows"] == 8
    told = run(app, ["power", "jnli", "--comparisons", "12", "--difference", "0.03", "--icc", "0"])
    assert told.exit_code == 0
    for words in ("2,434 rows in 1,089 groups", "±.016", "10 %", ".018", "12 tests (Holm)", "rows for .030", "870"):
        assert words in told.output
    assert "none:" not in told.output
    told = run(app, ["power", "jnli", "--n", "10", "--discordance", "0.05"])
    assert "none: too few rows to notice any difference between systems that differ in so few" in told.output
    told = run(app, ["power", "jsts", "--n", "100", "--discordance", "0.2"])
    assert "spearman" in told.output


@pytest.mark.parametrize("option", ["--difference", "--power", "--alpha"])
@pytest.mark.parametrize("value", ["0", "1", "-1", "nan", "2"])
def test_shares_of_the_command_are_shares(option: str, value: str) -> None:
    error = CliRunner().invoke(app, ["power", "jnli", option, value]).exception
    assert isinstance(error, ConfigError)
    assert error.where == option
    assert "no share between 0 and 1" in error.what
