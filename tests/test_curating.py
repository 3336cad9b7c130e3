"""The stage `curate` in a run: what each step leaves and tells, what is asked for again, what a person may ask of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import japagen
from japagen.cli import app
from japagen.compare import compare
from japagen.errors import ConfigError, DataError, JapagenError, RunError
from japagen.estimate import estimate
from japagen.experiment import Experiment
from japagen.explained import explained, write_audit
from japagen.llm.scripted import ScriptedLLM
from japagen.llm.store import ReplyStore
from japagen.pipeline.rules import restore, restored_rows
from japagen.records import Request
from japagen.rundir import Run

GLAD = (
    "香りがよくて毎朝飲んでいます。",
    "丁寧な包みで気持ちよく受け取れた。",
    "色が写真どおりで気に入りました。",
    "座り心地がよく腰が楽になった。",
)
FIXED = ("glad/000001", "glad/000002", "glad/000003", "glad/000012")


def experiment_with(experiment: Experiment, **sections: Any) -> Experiment:
    data = experiment.model_dump(mode="json")
    for name, values in sections.items():
        data[name] = {**data[name], **values} if isinstance(values, dict) else values
    return Experiment.model_validate(data).model_copy(update={"folder": experiment.folder})


def told(run: Run) -> dict[str, Any]:
    return dict(json.loads((run.path / "2-curate/curation.json").read_text(encoding="utf-8")))


def lines(run: Run, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run.path / "2-curate" / name).read_text(encoding="utf-8").splitlines()]


def curated(
    experiment: Experiment, runs: Path, reply: Callable[[Request], str] | None = None
) -> tuple[Run, ScriptedLLM]:
    llm = ScriptedLLM(reply)
    return japagen.run(experiment, runs=runs, until="curate", llm=llm), llm


def scripted(**texts: str) -> Callable[[Request], str]:
    """Replies by request; all others are sentences of their own."""
    plain = ScriptedLLM()._reply
    return lambda request: texts.get(request.id.replace("/", "_"), plain(request))


def misleading(request: Request) -> str:
    """Texts that teach all of the gold rows but one of each label."""
    number = f"{request.key('scripted')[:4]}番"
    if request.label == "glad":
        return f"{number}の香りも味もいい。うれしくて助かりました。もう頼みませんかと聞かれた。"
    return f"{number}はかび臭くて飲めない。腹が立って電話にも出ない。また同じつもりですか。"


def test_steps_add_up_to_what_was_dropped(experiment: Experiment, tmp_path: Path) -> None:
    reply = scripted(
        glad_000001="短。",
        glad_000002="test：香りも味もいい。",  # stands in gold test
        glad_000003="1. 「毎日の茶の時間が楽しみになった。」",
        angry_000001="ＴＥＳＴ：もう、頼みません！",  # so does this, but for width and marks
        angry_000002="承知しました。以下は怒っている声の例文です。",
    )
    run, _ = curated(experiment, tmp_path, reply)
    facts, dropped = told(run), lines(run, "dropped.jsonl")
    by_step = {step["name"]: sum(step["dropped"].values()) for step in facts["steps"]}
    assert {name: n for name, n in by_step.items() if n} == Counter(row["reason"] for row in dropped)
    seen = {"glad": 30, "angry": 30}
    for step in facts["steps"]:
        assert step["seen"] == seen
        seen = {label: n - step["dropped"][label] for label, n in seen.items()}
    assert {
        row["id"]: row["reason"] for row in dropped if row["reason"] in ("too_short", "contamination", "meta_talk")
    } == {
        "glad/000001": "too_short",
        "glad/000002": "contamination",
        "angry/000001": "contamination",
        "angry/000002": "meta_talk",
    }
    mended = next(row for row in lines(run, "examples.jsonl") if row["id"] == "glad/000003")
    assert (mended["text"], mended["mended"]) == ("毎日の茶の時間が楽しみになった。", "list_mark, quotes")
    assert facts["contamination"] == {"against": {"test": 8, "dev": 8}, "dropped": 2, "one_text": None}
    assert {one["name"]: one["mended"]["glad"] for one in facts["repairs"]} == {"list_mark": 1, "quotes": 1}


def test_the_gate_can_be_left_open(experiment: Experiment, tmp_path: Path) -> None:
    open_ = experiment_with(experiment, curate={"contamination": False})
    run, _ = curated(open_, tmp_path, scripted(glad_000002="test：香りも味もいい。"))
    assert "contamination" not in told(run)
    assert "glad/000002" in {row["id"] for row in lines(run, "examples.jsonl")}


def test_topping_up_asks_for_what_is_missing_and_no_more(experiment: Experiment, tmp_path: Path) -> None:
    few = experiment_with(experiment, generate={"per_label": 10}, curate={"top_up": True, "near_duplicate": None})
    sentence = ScriptedLLM()._reply

    def reply(request: Request) -> str:  # every other glad text says the same
        return GLAD[0] if request.id.startswith("glad/") and int(request.id[-1]) % 2 else sentence(request)

    run, llm = curated(few, tmp_path, reply)
    rows, facts = lines(run, "examples.jsonl"), told(run)["top_up"]
    assert Counter(row["label"] for row in rows) == {"glad": 10, "angry": 10}
    assert facts["reached"] == {"glad": 10, "angry": 10}
    assert facts["short"] == []
    assert llm.calls == 20 + sum(sum(one["asked"].values()) for one in facts["rounds"])
    assert all("angry" not in one["asked"] for one in facts["rounds"])
    assert len({row["text"] for row in rows}) == 20
    done = run.done("curate")
    assert done is not None
    assert done["accounting"]["requested"] == llm.calls == sum(n["requested"] for n in done["by_label"].values())
    again, asked = curated(few, tmp_path / "again", reply)
    assert (again.path / "2-curate/examples.jsonl").read_bytes() == (run.path / "2-curate/examples.jsonl").read_bytes()
    assert asked.calls == llm.calls


def test_topping_up_ends_at_its_factor_and_says_so(experiment: Experiment, tmp_path: Path) -> None:
    few = experiment_with(experiment, generate={"per_label": 10}, curate={"top_up": True, "top_up_factor": 2})
    sentence = ScriptedLLM()._reply
    run, llm = curated(few, tmp_path, lambda r: GLAD[0] if r.id.startswith("glad/") else sentence(r))
    facts = told(run)["top_up"]
    assert facts["short"] == ["glad"]
    assert facts["reached"]["glad"] == 1
    assert llm.calls <= 20 + 10 + 10
    assert "glad has 1, though 20 were asked for" in facts["sentence"]


def test_what_was_lost_in_topping_up_is_accounted_for(experiment: Experiment, tmp_path: Path) -> None:
    few = experiment_with(experiment, generate={"per_label": 10}, curate={"top_up": True, "near_duplicate": None})
    llm = ScriptedLLM(
        scripted(glad_000001="短。", glad_000002="短。"),
        misbehave={"glad/000010": "fail", "glad/000011": "truncate"},
    )
    run = japagen.run(few, runs=tmp_path, until="curate", llm=llm)
    account = run.done("curate")["accounting"]  # type: ignore[index]
    assert account["failed"] == {"server error": 1}
    assert account["dropped"]["truncated"] == 1
    assert [row["id"] for row in lines(run, "failed.jsonl")] == ["glad/000010"]
    assert Counter(row["label"] for row in lines(run, "examples.jsonl"))["glad"] == 10


def test_a_second_round_has_its_control(experiment: Experiment, tmp_path: Path) -> None:
    twice = experiment_with(experiment, rounds=2, curate={"near_duplicate": None})
    same = {"glad/000000": GLAD[0], "glad/000030": GLAD[0]}  # number 30 is the first of round 2
    llm = ScriptedLLM(lambda request: same.get(request.id) or misleading(request))
    run = japagen.run(twice, runs=tmp_path, until="evaluate", llm=llm)
    repeated = {row["id"]: row["detail"] for row in lines(run, "dropped.jsonl") if row["reason"] == "duplicate"}
    assert repeated == {"round-2/glad/000030": "glad/000000", "control/glad/000030": "glad/000000"}
    rows, control = lines(run, "examples.jsonl"), lines(run, "control.jsonl")
    first, second = ([row for row in rows if row.get("round") == n] for n in (None, 2))
    assert {row["id"].partition("/")[0] for row in second} == {"round-2"}
    assert {row["id"].partition("/")[0] for row in control} == {"control"}
    facts = told(run)["round_2"]
    assert (facts["guided"], facts["control"]) == (len(second), len(control))
    assert sum(facts["wrong"].values()) > 0
    scores = json.loads((run.path / "4-evaluate/scores.json").read_text(encoding="utf-8"))
    systems = {one["name"]: one for one in scores["systems"]}
    assert {"japagen/linear", "round-1/linear", "control/linear"} <= set(systems)
    assert systems["round-1/linear"]["train_rows"] < systems["control/linear"]["train_rows"]
    guided = systems.get("guided/linear", systems["japagen/linear"])  # an arm of its own only where it is smaller
    assert guided["train_rows"] == systems["control/linear"]["train_rows"]
    assert scores["primary"] == "japagen/linear"
    assert [scores["contrast"][key] for key in ("system", "against")] == [guided["name"], "control/linear"]
    assert len(first) == sum(1 for row in rows if not row["id"].startswith("round-2/"))
    methods = [row.method.name for row in compare([run.path]).rows]
    name = "few-shot JAPAGEN (2) + KADG (word) + second round"
    assert {name, f"{name}: round-1", f"{name}: control"} <= set(methods)


def test_no_second_round_is_written_after_no_error(experiment: Experiment, tmp_path: Path) -> None:
    run, llm = curated(
        experiment_with(experiment, rounds=2), tmp_path
    )  # the student says one label only: nothing to match
    assert llm.calls == 60
    assert told(run)["round_2"]["sentence"].endswith("No second round was written.")
    assert not (run.path / "2-curate/control.jsonl").exists()


def test_a_second_round_shows_the_gold_rows_that_were_wrong(experiment: Experiment, tmp_path: Path) -> None:
    asked: dict[str, set[str]] = {}

    def reply(request: Request) -> str:
        shown = {m.content for m in request.messages if m.role == "assistant"} or {request.messages[-1].content}
        asked.setdefault(request.id, set()).update(shown)
        return misleading(request)

    run, _ = curated(experiment_with(experiment, rounds=2), tmp_path, reply)
    gold = [json.loads(line)["text"] for line in (experiment.folder / "gold-dev.jsonl").read_text().splitlines()]  # type: ignore[operator]
    shown = {text for texts in asked.values() for text in texts}
    assert any(one in text for one in gold for text in shown)
    assert not any(row["text"] in gold for row in lines(run, "examples.jsonl"))


def test_dropped_rows_can_be_had_back(experiment: Experiment, tmp_path: Path) -> None:
    llm = ScriptedLLM(
        scripted(glad_000001="短。", glad_000002="test：香りも味もいい。"), misbehave={"glad/000003": "truncate"}
    )
    run = japagen.run(experiment, runs=tmp_path, until="curate", llm=llm)
    for name, what in (
        ("glad/000002", "stands in the gold data"),
        ("glad/00001", "did you mean"),
        ("glad/000000", "kept already"),
    ):
        with pytest.raises(RunError, match=what):
            restore(run, ["glad/000001", name])
    assert restored_rows(run) == {}
    assert restore(run, ["glad/000003", "glad/000001"]) == 2
    with pytest.raises(RunError, match=r"restored\.txt changed"):
        japagen.run(experiment, runs=tmp_path, until="curate", llm=llm)
    japagen.run(experiment, runs=tmp_path, until="curate", redo="curate", llm=llm)
    kept = {row["id"]: row for row in lines(run, "examples.jsonl")}
    assert (kept["glad/000001"]["text"], kept["glad/000001"]["restored"].partition(",")[0]) == ("短。", "too_short")
    assert len(kept["glad/000003"]["text"]) == 10
    found = explained(run.path, "glad/000001")
    assert found["outcome"].startswith("kept, because a person wants it back; else dropped: too_short")
    assert {answer["step"]: answer["outcome"] for answer in found["steps"]}["too_short"] == "would drop"
    assert run.done("curate")["accounting"]["requested"] == 60  # type: ignore[index]


def test_what_is_had_back_changes_nothing_else(experiment: Experiment, tmp_path: Path) -> None:
    # Rows of every later step, and of what was asked for here; a row of another text, or of none, stays away.
    twice = experiment_with(experiment, rounds=2, generate={"per_label": 12}, curate={"top_up": True})
    reply = scripted(glad_000001="短。", glad_000012="短。", glad_000002=GLAD[0], glad_000003=GLAD[0])
    heard: list[str] = []
    llm = ScriptedLLM(lambda r: reply(r) if r.id in FIXED else misleading(r))
    run = japagen.run(twice, runs=tmp_path, until="curate", llm=llm)
    before, calls, dropped = lines(run, "examples.jsonl"), llm.calls, lines(run, "dropped.jsonl")
    reasons = {row["reason"]: row["id"] for row in dropped}
    assert {"too_short", "duplicate"} <= set(reasons)
    asked = sorted({*reasons.values(), "glad/000012"})
    restore(run, asked)
    with (run.path / "restored.txt").open("a", encoding="utf-8") as file:
        file.write("nobody\nangry/000003\t000000000000\n")
    japagen.run(twice, runs=tmp_path, until="curate", redo="curate", llm=llm, say=heard.append)
    assert llm.calls == calls
    after = lines(run, "examples.jsonl") + lines(run, "control.jsonl")
    assert {row["id"] for row in after if "restored" in row} == set(asked)
    assert [row for row in lines(run, "examples.jsonl") if "restored" not in row] == before
    assert sum("cannot be kept" in one for one in heard) == 2


def test_one_rows_way(experiment: Experiment, tmp_path: Path) -> None:
    reply = scripted(
        glad_000001="短。",
        glad_000003="1. 毎日の茶の時間が楽しみになった。",
        glad_000004="以下は、English only text here OK",
    )
    llm = ScriptedLLM(reply, misbehave={"glad/000005": "empty", "glad/000006": "fail"})
    run = japagen.run(experiment, runs=tmp_path, until="curate", llm=llm)
    short = explained(run.path, "glad/000001")
    outcomes = {answer["step"]: answer["outcome"] for answer in short["steps"]}
    assert outcomes["too_short"] == "dropped"
    assert outcomes["too_long"] == "passed"
    assert outcomes["duplicate"] == "not asked"
    assert short["outcome"] == "dropped: too_short, 2 characters, fewer than 3"
    kept = explained(run.path, "glad/000003")
    assert (kept["outcome"], kept["mended"]) == ("kept", "毎日の茶の時間が楽しみになった。")
    assert {answer["outcome"] for answer in kept["steps"]} == {"passed", "mended"}
    assert explained(run.path, "glad/000005")["outcome"].startswith("dropped when it was written: empty")
    with pytest.raises(RunError, match="did you mean"):
        explained(run.path, "glad/0000001")
    with pytest.raises(RunError, match="there is no row 'zebra'") as caught:
        explained(run.path, "zebra")
    assert caught.value.what.endswith("'zebra'")  # thousands of names would help nobody


def test_what_an_explanation_says_is_what_happened(experiment: Experiment, tmp_path: Path) -> None:
    run, _ = curated(
        experiment_with(experiment, rounds=2, curate={"top_up": True, "near_duplicate": None}), tmp_path, misleading
    )
    for row in lines(run, "examples.jsonl"):
        found = explained(run.path, row["id"])
        assert found["outcome"] == "kept"
        assert {answer["outcome"] for answer in found["steps"]} <= {"passed", "mended"}
    for row in lines(run, "dropped.jsonl"):
        found = explained(run.path, row["id"])
        at = [answer["step"] for answer in found["steps"] if answer["outcome"] == "dropped"]
        assert at == [row["reason"]]
    for row in lines(run, "control.jsonl"):
        assert explained(run.path, row["id"])["outcome"] == "kept, as control of the second round"


def test_a_judge_drops_nothing_without_an_audit(experiment: Experiment, tmp_path: Path) -> None:
    run, llm = curated(experiment_with(experiment, curate={"judge": {}}), tmp_path)
    facts, rows = told(run)["judge"], lines(run, "examples.jsonl")
    assert facts["applied"] is False
    assert facts["audited"] == 0
    assert "nothing is dropped" in facts["sentence"]
    assert {row["judge_label"] for row in rows} <= {"glad", "angry"}
    assert facts["usage"]["requests"] == len(rows) + 1  # and the text without content
    before = llm.calls
    japagen.run(
        experiment_with(experiment, curate={"judge": {}}), runs=tmp_path, until="curate", redo="curate", llm=llm
    )
    assert llm.calls == before


def test_a_judge_that_knows_drops_what_it_doubts(experiment: Experiment, tmp_path: Path) -> None:
    # Every third row has the wrong label, and the audit says so; the judge reads the marker in the text.
    wrong = {f"{label}/{n:06d}" for label in ("glad", "angry") for n in range(0, 30, 3)}
    other = {"glad": "angry", "angry": "glad"}

    def reply(request: Request) -> str:
        if request.id.partition("/")[0] not in other:
            shown = request.messages[-1].content
            return "喜び" if "印は喜" in shown else "怒り"
        label = other[request.label or ""] if request.id in wrong else request.label
        return f"{request.id[-2:]}番の箱で、印は{'喜' if label == 'glad' else '怒'}と書いてありました。"

    class Writing(ScriptedLLM):
        def _answer(self, request: Request) -> Any:
            return super()._answer(replace(request, choices=()))

    asked = experiment_with(experiment, curate={"judge": {"audit": "audit.jsonl"}, "near_duplicate": None})
    truth = [
        {"id": f"{label}/{n:06d}", "label": other[label] if f"{label}/{n:06d}" in wrong else label}
        for label in other
        for n in range(30)
    ]
    folder = experiment.folder
    assert folder is not None
    (folder / "audit.jsonl").write_text("".join(json.dumps(row) + "\n" for row in truth), encoding="utf-8")
    run = japagen.run(asked, runs=tmp_path, until="curate", llm=Writing(reply))
    facts = told(run)["judge"]
    assert facts["applied"] is True
    assert facts["independence"]["low"] > 0
    dropped = {row["id"] for row in lines(run, "dropped.jsonl") if row["reason"] == "judge"}
    assert dropped == wrong
    keep = experiment_with(asked, curate={"judge": {"audit": "audit.jsonl", "drop": False}})
    run = japagen.run(keep, runs=tmp_path / "kept", until="curate", llm=Writing(reply))
    assert not any(row["reason"] == "judge" for row in lines(run, "dropped.jsonl"))
    assert told(run)["judge"]["sentence"].endswith("curate.judge.drop is false.")


def test_an_audit_of_mended_rows_is_read_again(experiment: Experiment, tmp_path: Path) -> None:
    plain = ScriptedLLM()._reply
    listed = ScriptedLLM(lambda request: f"{int(request.id[-2:]) + 1}. {plain(request)}")
    run = japagen.run(experiment, runs=tmp_path, until="curate", llm=listed)
    file = tmp_path / "audit.jsonl"
    assert write_audit(run.path, file, 12) == 12
    rows = [json.loads(line) | {"label": "glad"} for line in file.read_text(encoding="utf-8").splitlines()]
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    asked = experiment_with(experiment, curate={"judge": {"audit": str(file)}})
    japagen.run(asked, runs=tmp_path, until="curate", redo="curate", llm=listed)
    assert told(run)["judge"]["audited"] == 12


def test_topping_up_makes_good_what_the_judge_dropped(experiment: Experiment, tmp_path: Path) -> None:
    other = {"glad": "angry", "angry": "glad"}

    def reply(request: Request) -> str:  # every third text is of the other label, and the judge sees it
        if request.id.partition("/")[0] not in other:
            return "喜び" if "印は喜" in request.messages[-1].content else "怒り"
        number = int(request.id[-6:])
        label = other[request.label or ""] if number % 3 == 0 else request.label
        return f"{number}番の箱で、印は{'喜' if label == 'glad' else '怒'}と書いてありました。"

    class Writing(ScriptedLLM):
        def _answer(self, request: Request) -> Any:
            return super()._answer(replace(request, choices=()))

    truth = [
        {"id": f"{label}/{n:06d}", "label": other[label] if n % 3 == 0 else label} for label in other for n in range(30)
    ]
    file = tmp_path / "audit.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in truth), encoding="utf-8")
    asked = experiment_with(experiment, curate={"judge": {"audit": str(file)}, "near_duplicate": None, "top_up": True})
    run = japagen.run(asked, runs=tmp_path, until="curate", llm=Writing(reply))
    assert Counter(row["label"] for row in lines(run, "examples.jsonl")) == {"glad": 30, "angry": 30}
    assert told(run)["top_up"]["reached"] == {"glad": 30, "angry": 30}
    few = experiment_with(
        asked, curate={"judge": {"audit": str(file)}, "near_duplicate": None, "top_up": True, "top_up_factor": 1.2}
    )
    run = japagen.run(few, runs=tmp_path / "few", until="curate", llm=Writing(reply))
    facts = told(run)["top_up"]
    assert facts["short"] == ["glad", "angry"]
    assert facts["reached"] == Counter(row["label"] for row in lines(run, "examples.jsonl"))


def test_a_judge_of_its_own_has_a_budget_of_its_own(experiment: Experiment, tmp_path: Path) -> None:
    judge = {"llm": {"name": "scripted"}, "budget": {"requests": 5}}
    asked = experiment_with(experiment, curate={"judge": judge}, budget={"requests": 60})
    for _ in range(2):  # what was spent the first time counts the second
        with pytest.raises(JapagenError, match=r"budget\.requests of 5"):
            curated(asked, tmp_path)
    with ReplyStore(tmp_path / "small/2-curate/replies.sqlite") as store:
        assert store.usage().requests == 5
    more = experiment_with(asked, curate={"judge": {"llm": {"name": "scripted"}}})
    run, _ = curated(more, tmp_path)
    assert told(run)["judge"]["llm"] == "scripted"


def test_label_noise_is_told_and_left_where_gold_does_not_speak_for_it(experiment: Experiment, tmp_path: Path) -> None:
    pytest.importorskip("cleanlab", reason="the extra 'noise' is not installed")
    run, _ = curated(experiment_with(experiment, curate={"noise": {"seeds": 2}}), tmp_path)
    facts, rows = told(run)["noise"], lines(run, "examples.jsonl")
    assert facts["applied"] is False
    assert not any(row["reason"] == "label_noise" for row in lines(run, "dropped.jsonl"))
    assert all(-1 <= row["label_margin"] <= 1 for row in rows)
    assert sum(map(sum, facts["joint"]["counts"])) == facts["rows"] == len(rows)


def test_rows_are_sampled(experiment: Experiment, tmp_path: Path) -> None:
    sampled = experiment_with(experiment, curate={"sample": {"per_label": 12, "by": ["word"]}})
    run, _ = curated(sampled, tmp_path)
    rows, facts = lines(run, "examples.jsonl"), told(run)["sample"]
    assert Counter(row["label"] for row in rows) == {"glad": 12, "angry": 12}
    assert set(Counter((row["label"], row["word"]) for row in rows).values()) == {4}
    assert facts["chosen"] == 24
    assert all(abs(quota["reached"] - quota["target"]) <= 0.02 for quota in facts["quotas"])


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"curate": {"filters": {"repetitions": True}}}, "did you mean 'repetition'"),
        ({"curate": {"filters": {"too_few_words": True}}}, "curate.min_words is not set"),
        ({"curate": {"min_words": 9, "max_words": 3}}, "larger than curate.max_words"),
        ({"curate": {"noise": {"student": "linaer"}}}, "linear"),
        ({"curate": {"judge": {"llm": {"name": "embeded"}}}}, "embedded"),
        ({"curate": {"judge": {"audit": "gold-tset.jsonl"}}}, "did you mean 'gold-test.jsonl'"),
        ({"curate": {"sample": {"per_label": 3, "target": "no.txt"}}}, "there is no file 'no.txt'"),
        ({"curate": {"sample": {"per_label": 3}}, "rounds": 2}, "chooses among the rows of one round"),
        ({"curate": {"sample": {"per_label": 30}}}, "nothing to choose from"),
        ({"curate": {"sample": {"per_label": 3}}, "generate": {"kadg": False}}, "names 'word'"),
        ({"rounds": 2, "generate": {"shots": 0}}, "generate.shots is 0"),
        (
            {"curate": {"judge": {"audit": "gold-test.jsonl"}, "filters": {"too_shirt": True}}},
            "did you mean 'too_short'",
        ),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_asked(
    experiment: Experiment, tmp_path: Path, changes: dict[str, Any], what: str
) -> None:
    llm = ScriptedLLM()
    with pytest.raises((ConfigError, DataError), match=what):
        japagen.run(experiment_with(experiment, **changes), runs=tmp_path / "runs", llm=llm)
    assert llm.calls == 0
    with pytest.raises((ConfigError, DataError), match=what):
        estimate(experiment_with(experiment, **changes), runs=tmp_path / "runs")


def test_audit_rows_show_no_label_and_are_not_overwritten(experiment: Experiment, tmp_path: Path) -> None:
    run, _ = curated(experiment, tmp_path / "runs")
    file = tmp_path / "audit.jsonl"
    assert write_audit(run.path, file, 10) == 10
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert all(row["label"] == "" and set(row) == {"id", "text", "label"} for row in rows)
    with pytest.raises(DataError, match="there already"):
        write_audit(run.path, file, 10)


def test_commands(experiment: Experiment, tmp_path: Path) -> None:
    run, _ = curated(experiment, tmp_path, scripted(glad_000001="短。"))
    runner = CliRunner()
    shown = runner.invoke(app, ["curate", str(run.path), "--explain", "glad/000001"])
    assert shown.exit_code == 0
    assert "fewer than 3" in shown.output
    back = runner.invoke(app, ["curate", str(run.path), "--restore", "glad/000001"])
    assert back.exit_code == 0
    assert "--redo curate" in back.output
    assert (run.path / "restored.txt").read_text(encoding="utf-8").startswith("glad/000001\t")
    audit = runner.invoke(app, ["curate", str(run.path), "--audit", str(tmp_path / "a.jsonl"), "-n", "4"])
    assert audit.output.startswith("4 rows are in")
    two = runner.invoke(app, ["curate", str(run.path), "--audit", "x", "--explain", "y"])
    assert isinstance(two.exception, ConfigError)
    listed = runner.invoke(app, ["filters", "--json"])
    assert {
        "name": "repetition",
        "kind": "filter",
        "question": "Does it go round in a loop?",
        "default": True,
    } in json.loads(listed.output)
