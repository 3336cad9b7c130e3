"""Writing that stops by itself: in doublings, by gold dev rows, to the same end after kill -9."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import japagen
from japagen.errors import ConfigError, ModelError, RunError
from japagen.estimate import estimate
from japagen.experiment import Experiment
from japagen.llm.scripted import ScriptedLLM
from japagen.pipeline import stopping
from japagen.progress import Progress
from japagen.rundir import Run
from japagen.sections import StopSection


def ruled(experiment: Experiment, rule: dict[str, Any] | None = None, **sections: dict[str, Any]) -> Experiment:
    """The experiment with a stop rule and at most 100 texts per label."""
    data = experiment.model_dump(mode="json")
    data["generate"] |= {"per_label": 100, "stop_rule": {"start": 10, **(rule or {})}}
    for name, values in sections.items():
        data[name] = {**data[name], **values} if isinstance(data[name], dict) else values
    return Experiment.model_validate(data).model_copy(update={"folder": experiment.folder})


def told(run: Run) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run.folder("generate") / "stopping.json").read_text(encoding="utf-8"))
    return found


def written(run: Run) -> bytes:
    return (run.folder("generate") / "examples.jsonl").read_bytes()


def generated(experiment: Experiment, runs: Path, **more: Any) -> Run:
    return japagen.run(experiment, runs=runs, until="generate", **more)


def test_writing_stops_where_more_would_not_pay(experiment: Experiment, tmp_path: Path) -> None:
    said: list[str] = []
    llm = ScriptedLLM()
    run = generated(ruled(experiment, {"epsilon": 0.9}), tmp_path / "runs", llm=llm, say=said.append)
    found = told(run)
    steps = [(step["asked"], step["written"], step["kept"]) for step in found["steps"]]
    assert steps == [(10, 20, 20), (20, 40, 40), (40, 80, 80)]
    assert [step["expected_gain"] is None for step in found["steps"]] == [True, True, False]
    assert (found["per_label"], found["limit"], found["stopped"]) == (40, 100, True)
    assert (found["student"], found["seeds"], found["gold_rows"]) == ("linear", 3, 8)  # of two seeds the run has
    assert len(found["steps"][0]["score"]["by_seed"]) == 3
    assert found["sentence"].startswith("Stopped at 40 texts per label (80 kept in all)")
    assert said == [f"stop rule: {found['sentence']}"]
    done = run.done("generate")
    assert done is not None
    assert done["accounting"]["requested"] == 80 == llm.calls
    assert {label: one["requested"] for label, one in done["by_label"].items()} == {"glad": 40, "angry": 40}


def test_the_rows_are_those_of_a_run_of_that_size(experiment: Experiment, tmp_path: Path) -> None:
    stopped = generated(ruled(experiment, {"epsilon": 0.9}), tmp_path / "stopped", llm=ScriptedLLM())
    data = experiment.model_dump(mode="json")
    data["generate"]["per_label"] = 40
    plain = Experiment.model_validate(data).model_copy(update={"folder": experiment.folder})
    assert written(stopped) == written(generated(plain, tmp_path / "plain", llm=ScriptedLLM()))


def test_writing_goes_on_to_per_label_where_more_would_pay(
    experiment: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "expected_gain", lambda points: 0.01)
    run = generated(ruled(experiment), tmp_path / "runs", llm=(llm := ScriptedLLM()))
    found = told(run)
    assert [step["asked"] for step in found["steps"]] == [10, 20, 40, 80, 100]
    assert (found["per_label"], found["stopped"], llm.calls) == (100, False, 200)
    assert "all that generate.per_label allows; twice as many are expected to gain 0.0100 accuracy" in found["sentence"]


def test_too_few_sizes_are_told(experiment: Experiment, tmp_path: Path) -> None:
    found = told(generated(ruled(experiment, {"start": 60}), tmp_path / "runs", llm=ScriptedLLM()))
    assert [step["asked"] for step in found["steps"]] == [60, 100]
    assert not found["stopped"]
    assert found["sentence"].endswith("a curve needs 3 measured sizes.")


def test_it_goes_by_gold_dev_rows_and_never_by_test_rows(experiment: Experiment, tmp_path: Path) -> None:
    """Every gold label of test rows turned round changes nothing that it says; of dev rows it does."""
    assert experiment.folder is not None
    given = ruled(experiment, {"epsilon": 0.9})

    def stopping_with(turned: str) -> bytes:
        if turned:
            file = given.folder / f"gold-{turned}.jsonl"  # type: ignore[operator]
            swap = {"glad": "angry", "angry": "glad"}
            rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
            rows = [row | {"label": swap[row["label"]]} for row in rows]
            file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        run = generated(given, tmp_path / (turned or "as-it-is"), llm=ScriptedLLM())
        return (run.folder("generate") / "stopping.json").read_bytes()

    as_it_is = stopping_with("")
    assert stopping_with("test") == as_it_is
    scores = [step["score"]["value"] for step in json.loads(as_it_is)["steps"]]
    turned = [step["score"]["value"] for step in json.loads(stopping_with("dev"))["steps"]]
    assert turned == pytest.approx([1 - score for score in scores])
    assert turned != scores


def test_a_step_without_a_score_does_not_stop_it(experiment: Experiment, tmp_path: Path) -> None:
    refused = {f"angry/{i:06d}": "refuse" for i in range(20)}
    run = generated(ruled(experiment, {"epsilon": 0.9}), tmp_path / "runs", llm=ScriptedLLM(misbehave=refused))
    steps = told(run)["steps"]
    assert [step["score"]["value"] is None for step in steps] == [True, True, False, False, False]
    assert "no row of label 'angry'" in steps[0]["score"]["undefined"]
    assert [step["asked"] for step in steps] == [10, 20, 40, 80, 100]  # the third score is that of 100
    assert run.done("generate")["accounting"]["dropped"] == {"refused": 20}  # type: ignore[index]


def test_a_model_that_always_fails_ends_it_at_once(experiment: Experiment, tmp_path: Path) -> None:
    ids = [f"{label}/{i:06d}" for label in ("glad", "angry") for i in range(100)]
    with pytest.raises(ModelError, match="not one text came of 20 rows"):
        generated(ruled(experiment), tmp_path / "runs", llm=ScriptedLLM(misbehave=dict.fromkeys(ids, "fail")))


def test_all_progress_is_that_of_the_stage(experiment: Experiment, tmp_path: Path) -> None:
    seen: list[Progress] = []
    generated(ruled(experiment, {"epsilon": 0.9}), tmp_path / "runs", llm=ScriptedLLM(), on_progress=seen.append)
    assert {one.stage for one in seen} == {"generate"}
    assert "texts-40/linear" in {one.item for one in seen}


def test_what_it_goes_by_makes_the_stage_stale(experiment: Experiment, tmp_path: Path) -> None:
    runs, rule = tmp_path / "runs", {"epsilon": 0.9}
    run = generated(ruled(experiment, rule), runs, llm=ScriptedLLM())
    mark = (run.folder("generate") / "done.json").stat().st_mtime_ns
    generated(ruled(experiment, rule, evaluate={"resamples": 300}), runs, llm=ScriptedLLM())
    assert (run.folder("generate") / "done.json").stat().st_mtime_ns == mark
    with pytest.raises(RunError, match=r"generate\.stop_rule\.epsilon was 0\.9, is 0\.8"):
        generated(ruled(experiment, {"epsilon": 0.8}), runs, llm=ScriptedLLM())
    with pytest.raises(RunError, match=r"curate\.min_chars was 3, is 5"):
        generated(ruled(experiment, rule, curate={"min_chars": 5}), runs, llm=ScriptedLLM())
    assert experiment.folder is not None
    with (experiment.folder / "gold-dev.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"id": "more", "text": "dev：ありがとう。", "label": "glad"}\n')
    with pytest.raises(RunError, match=r"gold\.dev"):
        generated(ruled(experiment, rule), runs, llm=ScriptedLLM())


def test_without_a_rule_the_stage_goes_by_no_gold(experiment: Experiment, tmp_path: Path) -> None:
    done = generated(experiment, tmp_path / "runs", llm=ScriptedLLM()).done("generate")
    assert done is not None
    assert not {"curate", "gold.dev", "train.students"} & set(done["inputs"])


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"rule": {"start": 101}}, "start is 101, but generate.per_label allows 100"),
        ({"rounds": 2}, "rounds: 2 writes more"),
        ({"curate": {"top_up": True}}, "curate.top_up asks for"),
        ({"curate": {"sample": {"per_label": 20}}}, "curate.sample leaves out"),
        ({"gold": {"test": {"file": "gold-test.jsonl", "text": "text", "label": "label"}}}, "the task has no gold.dev"),
        ({"rule": {"student": "lineal"}}, "no student is called 'lineal'"),
    ],
)
def test_what_makes_no_sense_is_refused(experiment: Experiment, tmp_path: Path, changes: Any, error: str) -> None:
    given = ruled(experiment, **changes)
    with pytest.raises(ConfigError, match=error.replace(".", r"\.")) as caught:
        generated(given, tmp_path / "runs", llm=(llm := ScriptedLLM()))
    assert caught.value.remedy
    assert llm.calls == 0
    assert not (tmp_path / "runs").exists()


def test_the_student_learns_nothing_from_the_rows_it_is_measured_on(experiment: Experiment) -> None:
    train = {"dev": "gold", "anchor": {"rows": 4}, "decision": {}, "seeds": 5, "students": ["linear", "embedding"]}
    given = ruled(experiment, {"student": "embedding"}, train=train)
    own = stopping.measuring(given, given.generate.stop_rule or StopSection()).train
    assert (own.students, own.seeds, own.dev) == (("embedding",), 5, "synthetic")
    assert (own.anchor, own.decision) == (None, None)


def test_an_estimate_says_at_most(experiment: Experiment, tmp_path: Path) -> None:
    found = estimate(ruled(experiment), runs=tmp_path / "runs", until="generate")
    assert sum(item.requests for item in found.items) == 200
    [note] = [note for note in found.notes if "stop_rule" in note]
    assert "at most 100 texts per label, which are counted here; 40 at least" in note


def test_pairs_stop_too(tmp_path: Path) -> None:
    rows = {"entailment": "人が座っている。", "contradiction": "誰もいない。", "neutral": "犬を待っている。"}
    for split, who in (("dev", "男性"), ("test", "少女")):
        lines = [
            json.dumps(
                {"a": f"{who}{i}人が椅子に座っている。", "b": f"{who}と{text}", "label": label}, ensure_ascii=False
            )
            for label, text in rows.items()
            for i in range(4)
        ]
        (tmp_path / f"{split}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    columns = {"text": "a", "text_pair": "b", "label": "label"}
    (tmp_path / "pairs.yaml").write_text(
        json.dumps(
            {
                "name": "pairs",
                "task": "jnli",
                "llm": {"name": "scripted"},
                "generate": {
                    "per_label": 80, "shots": 1, "first_sentence": "shared", "stop_rule": {"start": 10, "epsilon": 0.9}
                },
                "train": {"students": ["linear"]},
                "curate": {"contamination": False},
                "gold": {split: {"file": f"{split}.jsonl", **columns} for split in ("dev", "test")},
            }
        ),
        encoding="utf-8",
    )  # fmt: skip
    run = generated(Experiment.load(tmp_path / "pairs.yaml"), tmp_path / "runs", llm=(llm := ScriptedLLM()))
    assert told(run)["per_label"] == 40
    assert llm.calls == 40 + 3 * 40  # first sentences serve all labels
    assert run.done("generate")["accounting"]["requested"] == 120  # type: ignore[index]


def test_several_texts_of_a_call_are_asked_for_once(experiment: Experiment, tmp_path: Path) -> None:
    """Blocks that begin within a call: 10 texts in calls of 4 are 3 calls, which bring the first two of the next block."""
    given = ruled(experiment, {"epsilon": 0.9}, generate={"samples_per_call": 4})
    run = generated(given, tmp_path / "runs", llm=(llm := ScriptedLLM()))
    assert told(run)["per_label"] == 40
    assert llm.calls == 2 * 10


# ---- killed ---------------------------------------------------------------------------------------------------------------


def test_a_step_that_was_measured_is_not_measured_again(
    experiment: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = ruled(experiment, {"epsilon": 0.9})
    with pytest.raises(RuntimeError, match="scripted crash"):
        generated(given, tmp_path / "runs", llm=ScriptedLLM(misbehave={"angry/000030": "crash"}))
    measured: list[int] = []
    measure = stopping.Stopping._measure

    def counting(self: stopping.Stopping, *rest: Any) -> dict[str, Any]:
        measured.append(self.asked)
        return measure(self, *rest)

    monkeypatch.setattr(stopping.Stopping, "_measure", counting)
    run = generated(given, tmp_path / "runs", llm=ScriptedLLM())
    assert measured == [40]
    assert told(run) == told(generated(given, tmp_path / "others", llm=ScriptedLLM()))


KILLED = """
import sys
from pathlib import Path
import japagen
from japagen.llm.scripted import ScriptedLLM
japagen.run(Path(sys.argv[1]), runs=sys.argv[2], until="generate", llm=ScriptedLLM(delay=0.002))
"""


def test_kill_9_at_any_moment_leads_to_the_same_end(experiment: Experiment, workplace: Path, tmp_path: Path) -> None:
    text = (workplace / "small.yaml").read_text(encoding="utf-8")
    rule = "generate: {per_label: 100, shots: 2, stop_rule: {start: 10, epsilon: 0.9}}"
    (workplace / "small.yaml").write_text(text.replace("generate: {per_label: 30, shots: 2}", rule), encoding="utf-8")
    given = Experiment.load(workplace / "small.yaml")
    unbroken = generated(given, tmp_path / "unbroken", llm=ScriptedLLM())
    moments = random.Random(4)
    unfinished = 0
    for attempt in range(4):
        runs = tmp_path / f"killed-{attempt}"
        command = [sys.executable, "-c", KILLED, str(workplace / "small.yaml"), str(runs)]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            deadline = time.monotonic() + 60
            while not (runs / "small" / "1-generate").exists() and time.monotonic() < deadline:
                time.sleep(0.005)
            time.sleep(moments.uniform(0, 0.9))
            process.kill()
        unfinished += not (runs / "small" / "1-generate" / "done.json").exists()
        run = generated(given, runs, llm=(llm := ScriptedLLM()))
        assert written(run) == written(unbroken)
        assert told(run) == told(unbroken)
        assert llm.calls <= 80
    assert unfinished >= 1
