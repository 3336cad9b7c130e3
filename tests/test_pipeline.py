"""A run as a whole: rows add up, stages are skipped, refused or redone, and kill -9 changes nothing."""

from __future__ import annotations

import io
import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

import japagen
from japagen.errors import ConfigError, DataError, Interrupted, ModelError, RunError
from japagen.experiment import Experiment
from japagen.llm.scripted import ScriptedLLM
from japagen.progress import Progress
from japagen.records import Example
from japagen.rundir import STAGES, Run
from japagen.terminal import print_run, run_state

DATA = ("1-generate/examples.jsonl", "2-curate/examples.jsonl", "2-curate/dropped.jsonl", "4-evaluate/scores.json")


def contents(run: Run) -> dict[str, bytes]:
    return {name: (run.path / name).read_bytes() for name in DATA}


def changed(experiment: Experiment, **sections: dict[str, object]) -> Experiment:
    data = experiment.model_dump(mode="json")
    for name, values in sections.items():
        data[name] = {**data[name], **values}
    return Experiment.model_validate(data).model_copy(update={"folder": experiment.folder})


def test_all_stages_and_rows_add_up(experiment: Experiment, tmp_path: Path) -> None:
    llm = ScriptedLLM(misbehave={"glad/000001": "fail", "angry/000002": "truncate"})
    run = japagen.run(experiment, runs=tmp_path / "runs", llm=llm)
    before = 60
    for stage in STAGES[:2]:
        done = run.done(stage)
        assert done is not None
        account = done["accounting"]
        assert account["requested"] == before
        assert account["kept"] + sum(account["dropped"].values()) + sum(account["failed"].values()) == before
        for part in ("requested", "kept"):
            assert sum(label[part] for label in done["by_label"].values()) == account[part]
        rows = (run.folder(stage) / "examples.jsonl").read_text(encoding="utf-8").count("\n")
        dropped = (run.folder(stage) / "dropped.jsonl").read_text(encoding="utf-8").count("\n")
        assert (rows, dropped) == (account["kept"], sum(account["dropped"].values()))
        before = account["kept"]
    assert run.done("generate")["accounting"]["failed"] == {"server error": 1}  # type: ignore[index]
    assert run.done("train")["accounting"]["kept"] == before  # type: ignore[index]
    assert run.done("evaluate")["accounting"]["requested"] == 8  # type: ignore[index]
    systems = json.loads((run.path / "4-evaluate/scores.json").read_text())["systems"]
    assert [s["name"] for s in systems] == [
        "japagen/linear", "gold-1/linear", "gold-3/linear", "zero-shot", "zero-shot calibrated", "majority",
    ]  # fmt: skip
    predictions = (run.path / "4-evaluate/predictions.jsonl").read_text(encoding="utf-8").count("\n")
    assert predictions == 8 * (2 + 2 + 2 + 1 + 1 + 1)
    assert (run.path / "6-report/report.html").stat().st_size > 1000
    yields = json.loads((run.path / "5-analyze/analysis.json").read_text())["yield"]
    assert {label: found["requested"] for label, found in yields.items()} == {"glad": 30, "angry": 30}
    assert sum(found["kept"] for found in yields.values()) == before
    assert yields["glad"]["value"] == yields["glad"]["kept"] / 30


def test_a_second_run_does_nothing(experiment: Experiment, tmp_path: Path) -> None:
    run = japagen.run(experiment, runs=tmp_path / "runs", llm=ScriptedLLM())
    marks = {stage: (run.folder(stage) / "done.json").stat().st_mtime_ns for stage in STAGES}
    again = ScriptedLLM()
    japagen.run(experiment, runs=tmp_path / "runs", llm=again)
    assert again.calls == 0
    assert {stage: (run.folder(stage) / "done.json").stat().st_mtime_ns for stage in STAGES} == marks


def test_two_runs_give_the_same_bytes(experiment: Experiment, tmp_path: Path) -> None:
    one = japagen.run(experiment, runs=tmp_path / "one", llm=ScriptedLLM())
    two = japagen.run(experiment, runs=tmp_path / "two", llm=ScriptedLLM())
    assert contents(one) == contents(two)


def test_what_changed_is_named_and_redo_goes_on(experiment: Experiment, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    run = japagen.run(experiment, runs=runs, llm=ScriptedLLM())
    stricter = changed(experiment, curate={"min_chars": 18})
    with pytest.raises(RunError, match=r"curate\.min_chars was 3, is 18") as caught:
        japagen.run(stricter, runs=runs, llm=ScriptedLLM())
    assert "--redo curate" in caught.value.remedy
    saved = json.loads((run.path / "experiment.json").read_text(encoding="utf-8"))
    assert saved["curate"]["min_chars"] == 3  # a refused run leaves everything as it was
    japagen.run(stricter, runs=runs, redo="curate", llm=(llm := ScriptedLLM()))
    assert run.done("curate")["inputs"]["curate"]["min_chars"] == 18  # type: ignore[index]
    assert llm.calls == 0  # replies are kept, those of the baselines too: nothing that was sent has changed
    with pytest.raises(RunError, match="generate.per_label was 30, is 40"):
        japagen.run(changed(stricter, generate={"per_label": 40}), runs=runs, llm=ScriptedLLM())
    japagen.run(changed(stricter, generate={"per_label": 40}), runs=runs, redo="generate", llm=(llm := ScriptedLLM()))
    assert llm.calls == 20  # raising per_label only adds


def test_a_refused_redo_takes_nothing_back(experiment: Experiment, tmp_path: Path) -> None:
    run = japagen.run(experiment, runs=tmp_path / "runs", llm=ScriptedLLM())
    with pytest.raises(RunError, match="seed was 7, is 8"):
        japagen.run(experiment.model_copy(update={"seed": 8}), runs=tmp_path / "runs", redo="train", llm=ScriptedLLM())
    assert all(run.done(stage) for stage in STAGES)


def test_lone_surrogates_in_gold_do_no_harm(experiment: Experiment, workplace: Path, tmp_path: Path) -> None:
    row = '{"id": "content-free", "text": "\\ud800だめでした。", "label": "angry"}\n'
    gold = workplace / "gold-test.jsonl"
    gold.write_text(gold.read_text(encoding="utf-8") + row, encoding="utf-8")
    run = japagen.run(experiment, runs=tmp_path / "runs", llm=ScriptedLLM())
    assert json.loads((run.path / "4-evaluate/scores.json").read_text())["n"] == 9


def test_changed_gold_and_changed_outputs_are_noticed(experiment: Experiment, workplace: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    run = japagen.run(experiment, runs=runs, llm=ScriptedLLM())
    gold = workplace / "gold-test.jsonl"
    original = gold.read_text(encoding="utf-8")
    gold.write_text(original.replace("助かりました", "助かった"), encoding="utf-8")
    with pytest.raises(RunError, match=r"stage 'curate' was made from other inputs: gold\.test"):
        japagen.run(experiment, runs=runs, llm=ScriptedLLM())
    gold.write_text(original, encoding="utf-8")
    examples = run.folder("curate") / "examples.jsonl"
    examples.write_text(examples.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    with pytest.raises(RunError, match="'examples.jsonl' is gone or was changed"):
        japagen.run(experiment, runs=runs, llm=ScriptedLLM())


def test_folders_that_are_not_ours(experiment: Experiment, workplace: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    (runs / "small").mkdir(parents=True)
    (runs / "small" / "thesis.txt").write_text("mine")
    with pytest.raises(RunError, match="not empty and holds no run"):
        japagen.run(experiment, runs=runs, llm=ScriptedLLM())
    (runs / "small" / "thesis.txt").unlink()
    japagen.run(experiment, runs=runs, until="generate", llm=ScriptedLLM())
    (workplace / "other.yaml").write_text(
        (workplace / "mood.yaml").read_text(encoding="utf-8").replace("name: mood", "name: other"), encoding="utf-8"
    )
    other = experiment.model_copy(update={"task": "other.yaml"})
    with pytest.raises(RunError, match="belongs to experiment 'small' on task 'mood', not to 'small' on 'other'"):
        japagen.run(other, runs=runs, llm=ScriptedLLM())
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot be written"):
        japagen.run(experiment, runs=tmp_path / "file", llm=ScriptedLLM())


def test_stages_that_cannot_be_redone(experiment: Experiment, tmp_path: Path) -> None:
    for options, said in (
        ({"redo": "curat"}, "no stage is called 'curat'"),
        ({"until": "trian"}, "no stage is called 'trian'"),
        ({"until": "curate", "redo": "train"}, "'train' comes after 'curate'"),
    ):
        with pytest.raises(ConfigError, match=said):
            japagen.run(experiment, runs=tmp_path / "runs", llm=ScriptedLLM(), **options)
    assert not (tmp_path / "runs").exists()


def test_wrong_settings_are_found_before_any_work(experiment: Experiment, workplace: Path, tmp_path: Path) -> None:
    llm = ScriptedLLM()
    with pytest.raises(ConfigError, match="did you mean 'linear'"):
        japagen.run(changed(experiment, train={"students": ["liner"]}), runs=tmp_path / "runs", llm=llm)
    (workplace / "gold-test.jsonl").write_text("", encoding="utf-8")
    with pytest.raises(DataError, match="holds no rows"):
        japagen.run(experiment, runs=tmp_path / "runs", llm=llm)
    assert llm.calls == 0
    assert not (tmp_path / "runs").exists()


def test_ctrl_c_keeps_what_was_done(experiment: Experiment, tmp_path: Path) -> None:
    def press(progress: Progress) -> None:
        if progress.stage == "generate" and progress.item == "angry" and progress.done == 10:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="stopped during 'generate'") as caught:
        japagen.run(experiment, runs=tmp_path / "runs", llm=ScriptedLLM(), on_progress=press)
    assert (caught.value.exit_code, "same command" in caught.value.remedy) == (130, True)
    rest = ScriptedLLM()
    japagen.run(experiment, runs=tmp_path / "runs", until="generate", llm=rest)
    assert rest.calls <= 20


def test_one_process_at_a_time(experiment: Experiment, tmp_path: Path) -> None:
    run = japagen.run(experiment, runs=tmp_path / "runs", until="generate", llm=ScriptedLLM())
    with run.lock(), pytest.raises(RunError, match=r"process \d+ is working in this run"):
        japagen.run(experiment, runs=tmp_path / "runs", llm=ScriptedLLM())


def test_a_label_without_texts_is_an_error(experiment: Experiment, tmp_path: Path) -> None:
    llm = ScriptedLLM(lambda request: "" if request.label == "angry" else "うれしい日です。")
    with pytest.raises(DataError, match="no text of label 'angry' is left"):
        japagen.run(experiment, runs=tmp_path / "runs", llm=llm)


def test_a_task_without_gold_runs_to_the_report(experiment: Experiment, workplace: Path, tmp_path: Path) -> None:
    text = (workplace / "mood.yaml").read_text(encoding="utf-8")
    (workplace / "mood.yaml").write_text(text[: text.index("gold:")], encoding="utf-8")
    run = japagen.run(experiment, runs=tmp_path / "runs", llm=ScriptedLLM())
    assert "no gold data" in (run.path / "6-report/report.md").read_text(encoding="utf-8")
    assert japagen.load_classifier(run.path).predict([japagen.Example("1", "うれしい", "")])[0].label in (
        "glad",
        "angry",
    )


def test_markup_in_replies_is_escaped_in_the_report(experiment: Experiment, tmp_path: Path) -> None:
    attack = "<script>alert('猫')</script>とても良い品でした"
    llm = ScriptedLLM(lambda r: f"{attack}{int(r.id[-2:]) * 7919 % 101}個目の{r.label}です")
    run = japagen.run(changed(experiment, curate={"min_japanese": 0}), runs=tmp_path / "runs", llm=llm)
    html = (run.path / "6-report/report.html").read_text(encoding="utf-8")
    markdown = (run.path / "6-report/report.md").read_text(encoding="utf-8")
    assert "alert(" in html
    assert "<script>alert" not in html
    assert "<script>alert" not in markdown


KILLED = """
import sys
from pathlib import Path
import japagen
from japagen.llm.scripted import ScriptedLLM
japagen.run(Path(sys.argv[1]), runs=sys.argv[2], llm=ScriptedLLM(delay=0.004))
"""


def test_kill_9_at_any_moment_changes_nothing(experiment: Experiment, workplace: Path, tmp_path: Path) -> None:
    unbroken = contents(japagen.run(experiment, runs=tmp_path / "unbroken", llm=ScriptedLLM()))
    moments = random.Random(20)
    killed_at: dict[str, int] = {}
    for attempt in range(20):
        runs = tmp_path / f"killed-{attempt}"
        command = [sys.executable, "-c", KILLED, str(workplace / "small.yaml"), str(runs)]
        folder = runs / "small"
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            deadline = time.monotonic() + 60
            while not (folder / "1-generate").exists() and time.monotonic() < deadline:
                time.sleep(0.005)
            time.sleep(moments.uniform(0, 0.8))
            process.kill()
        reached = sum((folder / f"{i}-{stage}" / "done.json").exists() for i, stage in enumerate(STAGES, 1))
        killed_at[STAGES[min(reached, 5)]] = killed_at.get(STAGES[min(reached, 5)], 0) + 1
        known = _stored(folder / "1-generate" / "replies.sqlite")
        llm = ScriptedLLM()
        run = japagen.run(experiment, runs=runs, llm=llm)
        assert contents(run) == unbroken
        assert llm.calls <= 60 + 9 - known  # none of the stored replies is written again
    assert killed_at.get("generate", 0) >= 3, killed_at  # the moments are worth something


def _stored(file: Path) -> int:
    import contextlib
    import sqlite3

    if not file.exists():
        return 0
    with contextlib.closing(sqlite3.connect(file)) as db, contextlib.suppress(sqlite3.OperationalError):
        return int(db.execute("SELECT count(*) FROM replies").fetchone()[0])
    return 0


def test_a_model_that_always_fails_ends_the_run_and_is_asked_again(experiment: Experiment, tmp_path: Path) -> None:
    ids = [f"{label}/{i:06d}" for label in ("glad", "angry") for i in range(30)]
    with pytest.raises(ModelError, match=r"not one text came of 60 rows: server error \(60\)"):
        japagen.run(experiment, runs=tmp_path / "runs", llm=ScriptedLLM(misbehave=dict.fromkeys(ids, "fail")))
    run = japagen.run(experiment, runs=tmp_path / "runs", until="generate", llm=(llm := ScriptedLLM()))
    assert llm.calls == 60
    assert run.done("generate")["accounting"]["kept"] == 60  # type: ignore[index]


def test_show_tells_how_far_an_unfinished_stage_is(experiment: Experiment, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="scripted crash"):
        japagen.run(experiment, runs=tmp_path / "runs", llm=ScriptedLLM(misbehave={"angry/000012": "crash"}))
    state = run_state(tmp_path / "runs" / "small")
    assert (state["stages"]["generate"], state["begun"]) == (None, {"generate": 42})
    shown = Console(file=io.StringIO(), record=True, width=120)
    print_run(state, shown)
    assert "42 replies" in shown.export_text()


# ---- students that need more than rows ----------------------------------------------------------------------------------


def test_an_encoder_learns_in_a_run_and_answers_for_it(
    experiment: Experiment, tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"model": str(tiny_bert), "epochs": 1, "min_steps": 0, "checkpoint_seconds": 0}
    given = changed(experiment, train={"students": ["encoder"], "encoder": settings}, evaluate={"gold_shots": [1]})
    from japagen.student.encoder import student

    fits: list[int] = []
    fit = student.EncoderStudent.fit

    def stopped(self: student.EncoderStudent, train: list[Example], dev: list[Example], *, seed: int) -> object:
        fits.append(seed)
        if len(fits) == 2:
            raise KeyboardInterrupt
        return fit(self, train, dev, seed=seed)

    monkeypatch.setattr(student.EncoderStudent, "fit", stopped)
    with pytest.raises(Interrupted):
        japagen.run(given, runs=tmp_path / "runs", llm=ScriptedLLM())
    told: list[Progress] = []
    run = japagen.run(given, runs=tmp_path / "runs", llm=ScriptedLLM(), on_progress=told.append)
    steps = [p.item for p in told if p.stage == "train" and "seed" in p.item]
    assert set(steps) == {"encoder, seed 1"}, "the first seed had been learnt before the stop"
    assert not (run.path / "checkpoints").exists()
    systems = json.loads((run.path / "4-evaluate/scores.json").read_text())["systems"]
    assert [s["name"] for s in systems][:2] == ["japagen/encoder", "gold-1/encoder"]
    [said] = japagen.load_classifier(run.path).predict([Example("1", "夢中で読みました。", "")])
    assert set(said.scores) == {"glad", "angry"}
    assert "encoder" in (run.path / "6-report/report.md").read_text(encoding="utf-8")


def test_how_a_training_is_kept_safe_may_change_and_how_it_learns_may_not(
    experiment: Experiment, tiny_bert: Path, tmp_path: Path
) -> None:
    settings = {"model": str(tiny_bert), "epochs": 1, "min_steps": 0}
    given = changed(experiment, train={"students": ["encoder"], "encoder": settings})
    japagen.run(given, runs=tmp_path / "runs", llm=ScriptedLLM(), until="train")
    safer = changed(given, train={"encoder": {**settings, "checkpoint_seconds": 1, "threads": 1}})
    japagen.run(safer, runs=tmp_path / "runs", llm=ScriptedLLM(), until="train")
    with pytest.raises(RunError, match="train.encoder.epochs was 1, is 2"):
        japagen.run(
            changed(given, train={"encoder": {**settings, "epochs": 2}}), runs=tmp_path / "runs", llm=ScriptedLLM()
        )
    linear = changed(experiment, train={"students": ["linear"]})
    japagen.run(linear, runs=tmp_path / "linear", llm=ScriptedLLM(), until="train")
    unused = changed(linear, train={"encoder": {**settings, "epochs": 2}})
    japagen.run(unused, runs=tmp_path / "linear", llm=ScriptedLLM(), until="train")


def test_anchor_decision_and_ensemble_in_one_run(experiment: Experiment, workplace: Path, tmp_path: Path) -> None:
    rows = [
        {"id": f"d{i}", "text": f"{'また来たいと思える店でした' if i % 4 else '待たされて腹が立ちました'}{i}。",
         "label": "glad" if i % 4 else "angry"}
        for i in range(80)
    ]  # fmt: skip
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    (workplace / "gold-dev.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    given = changed(
        experiment,
        train={"anchor": {"rows": 20, "weight": 5}, "decision": {"rows": 40}, "ensemble": True},
        evaluate={"gold_shots": []},
    )
    run = japagen.run(given, runs=tmp_path / "runs", llm=ScriptedLLM())
    models = json.loads((run.path / "3-train/models.json").read_text())
    assert [model["anchor_rows"] for model in models] == [20, 20]
    assert (run.path / "3-train/linear/seed-0/decision.json").is_file()
    systems = {s["name"]: s for s in json.loads((run.path / "4-evaluate/scores.json").read_text())["systems"]}
    assert len(systems["japagen/linear"]["scores"]["accuracy"]["by_seed"]) == 2
    assert len(systems["japagen/linear ensemble"]["scores"]["accuracy"]["by_seed"]) == 1
    said = japagen.load_classifier(run.path).predict([Example("1", "また来ます。", "")])
    each = [
        japagen.load_classifier(run.path / "3-train" / model["folder"]).predict([Example("1", "また来ます。", "")])[0]
        for model in models
    ]
    assert said[0].scores["glad"] == pytest.approx(sum(p.scores["glad"] for p in each) / 2)


@pytest.mark.parametrize("part", [{"anchor": {"rows": 5}}, {"decision": {}}], ids=["anchor", "decision"])
def test_what_needs_gold_dev_says_so_before_any_work(experiment: Experiment, workplace: Path, part: dict) -> None:  # type: ignore[type-arg]
    text = (workplace / "mood.yaml").read_text(encoding="utf-8")
    (workplace / "mood.yaml").write_text(text.replace("  dev: {file: gold-dev.jsonl", "  # dev: {"), encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"train\.{next(iter(part))} needs gold dev rows"):
        changed(experiment, train=part).load_task()


def test_an_encoder_that_cannot_be_had_is_told_before_anything_is_paid(experiment: Experiment, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed (extra 'encoder')")
    llm = ScriptedLLM()
    given = changed(experiment, train={"students": ["encoder"], "encoder": {"model": "./absent"}})
    with pytest.raises(ConfigError, match=r"there is no folder '\./absent'"):
        japagen.run(given, runs=tmp_path / "runs", llm=llm)
    assert llm.calls == 0
    japagen.run(given, runs=tmp_path / "runs", llm=llm, until="curate")
    assert llm.calls > 0
