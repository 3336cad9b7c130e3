"""Arms of a sweep side by side: each against the first, what analysis says of their texts, ranks, and the figure."""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from japagen.compare import compare
from japagen.compare.armfacts import Arm, Value
from japagen.compare.latex import to_latex
from japagen.compare.markdown import to_markdown
from japagen.compare.measures import MEASURES, unknown, values_of
from japagen.compare.page import to_html
from japagen.compare.ranks import agreements, kendall, of_like_size, rankings, ranks
from japagen.compare.scatter import HEIGHT, WIDTH, scatter
from japagen.compare.screen import print_tables
from japagen.compare.sidetables import printed_tables
from japagen.errors import ConfigError, RunError
from japagen.rundir import Run
from japagen.sweepdir import Sweep
from japagen.tables import write_json, write_text

Plant = Callable[..., Path]
GOLD = ["a", "b"] * 60
FLIP = {"a": "b", "b": "a"}


def right(count: int, *, start: int = 0) -> list[str]:
    wrong = {(start + count + place) % len(GOLD) for place in range(len(GOLD) - count)}
    return [FLIP[g] if place in wrong else g for place, g in enumerate(GOLD)]


def analysis(correct: float, vendi: float, bleu: float = 0.0, mauve: float = 0.5) -> dict[str, Any]:
    """An analysis with the numbers that a comparison reads."""
    return {
        "correctness": {"oracle": {"overall": {"corrected": correct, "low": correct - 0.05, "high": correct + 0.05}}},
        "embedding": {
            "overall": {
                "n": 100,
                "mauve": {"value": mauve, "low": mauve - 0.1, "high": mauve + 0.1},
                "vendi": {"ratio": {"value": vendi, "low": vendi - 0.1, "high": vendi + 0.1}},
            }
        },
        "diversity": {"measures": {"self_bleu_4": {"difference": bleu, "low": -0.01, "high": 0.01}}},
    }


@pytest.fixture
def sweep(plant: Plant, tmp_path: Path) -> Callable[..., Path]:
    """Makes a sweep whose arms say what a test wants."""

    def make(arms: Mapping[str, Mapping[str, Any]], name: str = "sw") -> Path:
        folder = tmp_path / "runs" / name
        Sweep.create(folder, name, {arm: told.get("differs", {}) for arm, told in arms.items()})
        for arm, told in arms.items():
            if told.get("answers") is None:
                continue
            systems = {"japagen/linear": told["answers"], "zero-shot": [right(60)]}
            place = plant(arm, folder / arm, systems=systems, gold=GOLD)
            about = json.loads((place / "run.json").read_text(encoding="utf-8"))
            write_json(place / "run.json", about | {"sweep": name})
            settings = json.loads((place / "experiment.json").read_text(encoding="utf-8"))
            tokeniser = told.get("tokeniser", "unidic-lite")
            write_json(place / "experiment.json", settings | {"analyze": {"tokeniser": tokeniser}})
            run = Run(place)
            write_text(run.begin("curate") / "examples.jsonl", told.get("texts", arm))
            account = {"requested": 40, "kept": 30, "dropped": {"empty": 10}, "failed": {}}
            run.finish("curate", {}, accounting=account, seconds=1.0)
            if "analysis" in told:
                write_json(run.begin("analyze") / "analysis.json", told["analysis"])
                run.finish("analyze", {}, seconds=1.0)
        return folder

    return make


@pytest.fixture
def three(sweep: Callable[..., Path]) -> Path:
    return sweep(
        {
            "kadg": {"answers": [right(90), right(92)], "analysis": analysis(0.8, 0.6, 0.02)},
            "no-kadg": {
                "answers": [right(60), right(60)],
                "differs": {"generate.kadg": False},
                "analysis": analysis(0.9, 0.4, 0.05),
            },
            "hot": {
                "answers": [right(90, start=9), right(92, start=9)],
                "differs": {"llm.temperature": 1.3},
                "analysis": analysis(0.7, 0.5, 0.01),
            },
        }
    )


def test_arms_are_rows_by_their_own_names_against_the_first(three: Path) -> None:
    found = compare([three])
    assert [row.method.name for row in found.rows] == ["kadg", "no-kadg", "hot", "zero-shot PROMPTING"]
    assert found.arms is not None
    assert found.arms.base == {"toy": "kadg"}
    worse, alike = found.arms.against
    assert (worse.arm, worse.base, worse.student) == ("no-kadg", "kadg", "linear")
    assert worse.value == pytest.approx((60 - 91) / 120)
    assert worse.p is not None
    assert worse.p_holm is not None
    assert worse.p_holm < 0.05
    assert alike.value == pytest.approx(0)
    assert alike.p_holm is not None
    assert alike.p_holm > 0.5
    assert [arm.differs for arm in found.arms.arms] == ["as it is", "generate.kadg: false", "llm.temperature: 1.3"]
    assert found.arms.arms[0].values["right labels"] == Value(0.8, pytest.approx(0.75), pytest.approx(0.85))
    assert found.runs == ("kadg", "no-kadg", "hot")


def test_another_arm_may_be_the_one_that_others_are_compared_with(three: Path) -> None:
    found = compare([three], base="hot")
    assert found.arms is not None
    assert {each.base for each in found.arms.against} == {"hot"}
    with pytest.raises(ConfigError, match="no arm is called 'cold'") as refused:
        compare([three], base="cold")
    assert refused.value.where == "--against"


def test_an_arm_without_differences_is_the_first_wherever_it_stands(sweep: Callable[..., Path]) -> None:
    folder = sweep({"b": {"answers": [right(80)], "differs": {"seed": 1}}, "a": {"answers": [right(80)]}})
    found = compare([folder])
    assert found.arms is not None
    assert found.arms.base == {"toy": "a"}


def test_arms_of_two_sweeps_keep_their_sweep_s_name(sweep: Callable[..., Path]) -> None:
    folders = [sweep({"a": {"answers": [right(n)]}, "b": {"answers": [right(n + 1)], "differs": {"seed": 1}}}, name)
               for name, n in (("one", 70), ("two", 80))]  # fmt: skip
    found = compare(folders)
    assert [row.method.name for row in found.rows][:4] == ["one/a", "one/b", "two/a", "two/b"]


def test_unfinished_arms_are_named_and_left_out(sweep: Callable[..., Path]) -> None:
    folder = sweep({"a": {"answers": [right(80)]}, "b": {"answers": None}})
    found = compare([folder])
    assert found.arms is not None
    assert (found.runs, list(found.arms.unfinished)) == (("a",), ["b"])
    with pytest.raises(RunError, match="none of its arms is finished") as refused:
        compare([sweep({"a": {"answers": None}}, "none")])
    assert refused.value.remedy == "finish them with: japagen run none.yaml"


def test_answers_that_were_taken_over_are_one_row_and_one_test(sweep: Callable[..., Path]) -> None:
    arms = {f"{name}.{cut}": {"answers": [right(n)], "texts": name, "tokeniser": cut, "differs": {"x": name + cut}}
            for cut in ("unidic-lite", "character") for name, n in (("a", 70), ("b", 80), ("c", 90))}  # fmt: skip
    found = compare([sweep(arms)])
    assert [row.method.name for row in found.rows if row.method.kind == "japagen"] == [
        "a.unidic-lite", "b.unidic-lite", "c.unidic-lite"
    ]  # fmt: skip
    assert found.arms is not None
    assert [arm.same for arm in found.arms.arms[3:]] == ["a.unidic-lite", "b.unidic-lite", "c.unidic-lite"]
    assert len(found.arms.against) == 2


def test_the_same_answers_are_one_difference_for_holm(sweep: Callable[..., Path]) -> None:
    first, hot, cold = [right(90), right(92)], [right(84), right(86)], [right(60), right(60)]
    answers = {"first": first, "as-first": first, "hot": hot, "as-hot": hot, "cold": cold}
    arms = {
        name: {"answers": said, "differs": {"x": name} if name != "first" else {}} for name, said in answers.items()
    }
    found = compare([sweep(arms)])
    assert found.arms is not None
    told = {each.arm: each for each in found.arms.against}
    assert {name: each.same for name, each in told.items()} == {
        "as-first": "first",
        "hot": "",
        "as-hot": "hot",
        "cold": "",
    }
    assert (told["as-first"].p, told["as-first"].p_holm) == (None, None)
    assert (told["as-hot"].p, told["as-hot"].p_holm) == (told["hot"].p, told["hot"].p_holm)
    assert told["cold"].p is not None
    assert told["cold"].p_holm == pytest.approx(2 * told["cold"].p)  # of two, not of four
    table = next(table for table in printed_tables(found) if table.name == "against")
    assert "Holm's correction over the 2 differences" in table.caption[0]
    assert "not counted again" in table.caption[1]
    assert table.parts[0].rows[2][0].note == "x: as-hot; the same answers as hot"
    assert [text.main for text in table.parts[0].rows[0][2:]] == [".000", "–"]


def test_an_analysis_that_is_missing_or_was_changed_is_not_read(three: Path) -> None:
    file = three / "hot" / "5-analyze" / "analysis.json"
    file.write_text(file.read_text(encoding="utf-8").replace("0.7", "0.9"), encoding="utf-8")
    found = compare([three])
    assert found.arms is not None
    assert found.arms.arms[2].values == {}
    assert len(found.arms.arms[0].values) == 4


@pytest.mark.parametrize("broken", [{}, {"correctness": []}, {"correctness": {"oracle": {"overall": {"corrected": True}}}},
                                    {"embedding": {"overall": {"mauve": {"value": float("nan")}}}}, {"vocabulary": None},
                                    {"correctness": {"oracle": {"overall": {"corrected": "x"}}}}])  # fmt: skip
def test_measures_of_what_is_not_as_expected(broken: dict[str, Any]) -> None:
    assert values_of(broken) == {}


def arm(
    name: str, values: Mapping[str, float], score: float | None = 0.5, tokeniser: str = "u", n: int | None = None
) -> Arm:
    told = {key: Value(value, value - 0.1, value + 0.1, n=n) for key, value in values.items()}
    texts = name.partition(".")[0]
    return Arm(name, "", "toy", "", texts, tokeniser, 40, 30, None if score is None else Value(score), "linear", told)


def test_ranks_by_hand() -> None:
    assert ranks({"a": 3.0, "b": 1.0, "c": 2.0}) == {"a": 1, "b": 3, "c": 2}
    assert ranks({"a": 3.0, "b": 1.0, "c": 3.0}, lower=True) == {"a": 2.5, "b": 1, "c": 2.5}


@given(st.dictionaries(st.text(max_size=3), st.floats(-5, 5), min_size=1, max_size=8))
def test_ranks_sum_as_the_numbers_from_one(values: dict[str, float]) -> None:
    n = len(values)
    found = ranks(values)
    assert sum(found.values()) == pytest.approx(n * (n + 1) / 2)
    assert all(found[a] < found[b] for a in values for b in values if values[a] > values[b])
    turned = ranks(values, lower=True)
    assert all(found[name] + turned[name] == pytest.approx(n + 1) for name in values)


def test_kendall_by_hand() -> None:
    """1 2 3 4 and 1 3 2 4: of six pairs five agree and one does not."""
    tau, p = kendall([1, 2, 3, 4], [1, 3, 2, 4])
    assert tau == pytest.approx(4 / 6)
    assert p == pytest.approx(8 / 24)  # of 24 orders 4 are as near to the same, and 4 to the reverse
    tau, p = kendall([1, 2.5, 2.5], [1, 2.5, 2.5])  # of the three places of the 1 one is as it is
    assert (tau, p) == (pytest.approx(1), pytest.approx(1 / 3))
    many = list(range(10))
    assert kendall(many, many)[1] == pytest.approx(2 / math.factorial(10))
    assert kendall([1, 2], [1, 2]) == (None, None)
    assert kendall([1, 1, 1], [1, 2, 3]) == (None, None)
    with pytest.raises(ValueError, match="3 and 2"):
        kendall([1, 2, 3], [1, 2])


def test_rankings_and_their_tau_with_the_score() -> None:
    arms = [arm(name, {"right labels": x, "Self-BLEU-4 − gold's": y}, score)
            for name, x, y, score in (("a", 0.9, 0.3, 0.8), ("b", 0.8, 0.2, 0.7), ("c", 0.7, 0.1, 0.6))]  # fmt: skip
    labels, bleu = rankings(arms)
    assert (labels.measure, dict(labels.ranks), labels.tau) == (
        "right labels",
        {"a": 1, "b": 2, "c": 3},
        pytest.approx(1),
    )
    assert (dict(bleu.ranks), bleu.tau) == ({"a": 3, "b": 2, "c": 1}, pytest.approx(-1))
    assert rankings(arms[:2]) == []


def test_sizes_that_do_not_compare_are_not_ranked() -> None:
    arms = [arm(name, {"MAUVE": x}, n=n) for name, x, n in (("a", 0.1, 150), ("b", 0.2, 150), ("c", 0.9, 60))]
    assert [each.name for each in of_like_size(arms, "MAUVE")] == ["a", "b"]
    assert rankings(arms) == []


def test_tokenisers_agree_or_not() -> None:
    values = {"u": (0.1, 0.2, 0.3, 0.4), "v": (0.2, 0.4, 0.6, 0.8), "w": (0.4, 0.3, 0.2, 0.1)}
    arms = [
        arm(f"{name}.{cut}", {"distinct-2 − gold's": x, "MAUVE": 0.5}, tokeniser=cut)
        for cut, found in values.items()
        for name, x in zip("abcd", found, strict=True)
    ]
    told = {(each.first, each.second): (each.sets, each.tau) for each in agreements(arms)}
    assert told == {
        ("u", "v"): (4, pytest.approx(1)),
        ("u", "w"): (4, pytest.approx(-1)),
        ("v", "w"): (4, pytest.approx(-1)),
    }


def test_the_figure_has_a_frontier(three: Path) -> None:
    """kadg (.8, .6) and no-kadg (.9, .4) beat each other in one; hot (.7, .5) is beaten by kadg in both."""
    found = compare([three])
    assert found.arms is not None
    figure = scatter(found.arms.arms)
    assert figure is not None
    assert (figure.across, figure.up) == ("right labels", "Vendi, of gold's")
    assert set(figure.best) == {"kadg", "no-kadg"}
    places = {point.name: point for point in figure.points}
    assert places["hot"].x < places["kadg"].x < places["no-kadg"].x
    assert places["kadg"].y < places["hot"].y < places["no-kadg"].y  # up is small
    assert places["no-kadg"].shade == 0.25
    page = to_html(found)
    assert page.count("<circle") == 3
    assert "<script" not in page
    assert 'class="frontier"' in page


def test_without_right_labels_the_score_takes_their_place() -> None:
    arms = [arm("a", {"Vendi, of gold's": 0.4}, 0.7), arm("b", {"Vendi, of gold's": 0.6}, 0.6), arm("c", {}, 0.9)]
    figure = scatter(arms)
    assert figure is not None
    assert (figure.across, figure.scores, len(figure.points)) == ("score of the first student", (), 2)
    assert figure.left_out == ("c (its analysis does not give Vendi, of gold's)",)
    assert scatter(arms[:1]) is None
    assert scatter([arm("a", {"right labels": 0.4}), arm("b", {"right labels": 0.4})]) is None


def test_who_is_not_drawn_is_named_with_the_reason(three: Path) -> None:
    both = ("right labels", "Vendi, of gold's")
    arms = [arm(name, dict.fromkeys(both, x), n=n)
            for name, x, n in (("a", 0.4, 100), ("b", 0.5, 100), ("a.cut", 0.4, 100), ("d", 0.5, 20))]  # fmt: skip
    figure = scatter([*arms, arm("e", {"right labels": 0.4})])
    assert figure is not None
    assert {point.name for point in figure.points} == {"a", "b"}
    assert figure.left_out == (
        "a.cut (its texts are those of a)",
        "d (measured at 20 texts, which do not compare)",
        "e (its analysis does not give Vendi, of gold's)",
    )
    found = compare([three])
    assert "Not drawn" not in to_html(found)
    assert found.arms is not None
    other = replace(found.arms.arms[0], name="other", same="kadg")
    page = to_html(replace(found, arms=replace(found.arms, arms=[*found.arms.arms, other])))
    assert " Not drawn: other (its texts are those of kadg).</figcaption>" in page


def test_ticks_have_the_digits_that_tell_them_apart() -> None:
    none = {"low": None, "high": None}
    arms = [
        replace(each, values={name: replace(value, **none) for name, value in each.values.items()})
        for each in (
            arm(name, {"right labels": x, "Vendi, of gold's": y}) for name, x, y in (("a", 0.2, 0.2), ("b", 0.9, 0.225))
        )
    ]
    figure = scatter(arms)
    assert figure is not None
    assert [text for _, text in figure.y_ticks] == [".200", ".205", ".210", ".215", ".220", ".225"]
    assert [text for _, text in figure.x_ticks] == [".20", ".40", ".60", ".80"]


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 2)), min_size=2, max_size=12),
)
def test_points_and_names_stand_within_the_figure(places: Sequence[tuple[float, float]]) -> None:
    arms = [arm(f"arm-{n}", {"right labels": x, "Vendi, of gold's": y}) for n, (x, y) in enumerate(places)]
    figure = scatter(arms)
    assert figure is not None
    for point in figure.points:
        assert 0 < point.x < WIDTH
        assert 0 < point.y < HEIGHT
        assert point.low_x <= point.x <= point.high_x
    assert figure.frontier
    for ticks in (figure.x_ticks, figure.y_ticks):
        assert len({text for _, text in ticks}) == len(ticks)
    best = [arms[int(name.removeprefix("arm-"))].values for name in figure.best]
    for values in best:
        assert not any(
            other.values["right labels"].value > values["right labels"].value
            and other.values["Vendi, of gold's"].value > values["Vendi, of gold's"].value
            for other in arms
        )


def test_tables_and_captions(three: Path) -> None:
    tables = {table.name: table for table in printed_tables(compare([three]))}
    assert list(tables)[:4] == ["scores", "against", "measures", "ranks"]
    against = tables["against"]
    assert "Each arm minus kadg" in against.caption[0]
    assert [row[0].main for row in against.parts[0].rows] == ["no-kadg", "hot"]
    measures = tables["measures"]
    assert [text.main for text in measures.head] == [
        "arm", "texts", "score", "right labels", "Vendi, of gold's", "Self-BLEU-4 − gold's", "MAUVE"
    ]  # fmt: skip
    assert [text.main for text in measures.parts[0].rows[0]] == ["kadg", "30", ".758", ".80", ".60", "+.020", ".50"]
    told = (
        "On the frontier of right labels and Vendi, of gold's stand kadg and no-kadg: no other arm is better in both."
    )
    assert told in measures.caption[-1]
    told = tables["ranks"].parts[0].rows[0]
    assert [text.main for text in told[:4]] == ["right labels", "2", "1", "3"]


def test_what_was_found_stands_before_everything_else(three: Path) -> None:
    found = compare([three])
    tables = printed_tables(found)
    [lead] = tables[0].lead
    assert lead.startswith("By its score no-kadg (linear, ")
    assert lead.endswith(" can be told from the first arm; the others cannot be told from it.")
    assert not any(table.lead for table in tables[1:])
    assert to_markdown(tables).startswith("By its score no-kadg (linear, ")
    assert to_markdown(tables).count("can be told from the first arm") == 1
    assert "Scores. By its score no-kadg" in to_latex(tables)
    console = Console(width=300, file=io.StringIO(), force_terminal=False, color_system=None)
    print_tables(tables, console)
    assert console.file.getvalue().startswith(lead)  # type: ignore[attr-defined]
    page = to_html(found)
    assert page.index("By its score no-kadg") < page.index("<nav")
    assert "<title>sw · toy · japagen compare</title>" in page
    assert "<h1><span>sw · toy</span></h1>" in page
    alike = replace(found, arms=replace(found.arms, against=[found.arms.against[1]]))  # type: ignore[union-attr,type-var]
    assert printed_tables(alike)[0].lead[0].startswith("No arm can be told from kadg by its score")


def test_names_are_escaped_in_the_figure(three: Path) -> None:
    file = three / "sweep.json"
    about = json.loads(file.read_text(encoding="utf-8"))
    about["arms"]["no-kadg"] = {"task": "<script>alert(1)</script>"}
    file.write_text(json.dumps(about), encoding="utf-8")
    page = to_html(compare([three]))
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_every_measure_is_explained_once() -> None:
    names = [measure.name for measure in MEASURES]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z_0-9.]+", measure.path) for measure in MEASURES)


def test_a_weak_oracle_is_said_to_be_one() -> None:
    assert unknown({"correctness": {"oracle": {"weak": False}}}) == ""
    assert "not to be relied on" in unknown({"correctness": {"oracle": {"weak": True}}})
