"""The arms of an experiment: read strictly, run side by side, nothing done or asked twice, stopped and gone on with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.errors import BudgetSpent, ConfigError, Interrupted, ModelError, RunError
from japagen.experiment import Experiment
from japagen.llm import check_llm
from japagen.llm.budget import Budget, Spent, Usage
from japagen.llm.prices import Price
from japagen.llm.scripted import ScriptedLLM
from japagen.pipeline import run
from japagen.pipeline.sweep import TRAININGS, arms_of, run_sweep, sweep_estimates
from japagen.records import Reply, Request
from japagen.rundir import STAGES, Run
from japagen.sections import BudgetSection
from japagen.sections.arms import dotted
from japagen.sweepdir import Sweep, differing
from japagen.task import Task

ARMS = """\
arms:
  kadg: {}
  no-kadg: {generate.kadg: false}
  fewer: {generate: {per_label: 20}}
  twice: {train.seeds: 3}
  shown: {report.examples: 5}
"""


class Counting(ScriptedLLM):
    """Remembers which requests it was asked."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.asked: list[Request] = []

    def complete(self, requests: Iterable[Request]) -> Iterator[Sequence[Reply]]:
        def noted() -> Iterator[Request]:
            for request in requests:
                self.asked.append(request)
                yield request

        yield from super().complete(noted())


def sweep_file(workplace: Path, arms: str = ARMS, name: str = "sweep.yaml") -> Path:
    text = (workplace / "small.yaml").read_text(encoding="utf-8")
    file = workplace / name
    file.write_text(text + arms, encoding="utf-8")
    return file


@pytest.fixture
def file(workplace: Path) -> Path:
    return sweep_file(workplace)


def go(file: Path, **given: Any) -> Sweep:
    """A sweep as far as the scores."""
    return run_sweep(file, **{"until": "evaluate", **given})


def done(sweep: Sweep, arm: str, stage: str) -> dict[str, Any]:
    found = Run(sweep.folder(arm)).done(stage)
    assert found is not None
    return found


def test_every_arm_is_an_ordinary_run_and_equal_work_is_done_once(file: Path, tmp_path: Path) -> None:
    llm = Counting()
    sweep = run_sweep(file, runs=tmp_path / "runs", llm=llm)
    assert sweep.path == tmp_path / "runs" / "small"
    assert list(sweep.begun()) == ["kadg", "no-kadg", "fewer", "twice", "shown"]
    for arm, place in sweep.begun().items():
        assert all(place.done(stage) for stage in STAGES)
        assert place.name == f"small/{arm}"
        assert place.command == f"japagen run small.yaml --arm {arm}"
    keys = [request.key(llm.name) for request in llm.asked]
    assert len(keys) == len(set(keys))
    # 60 texts with KADG and 60 without; 8 test rows and the content-free question once: `fewer` asks nothing of its own
    assert len(keys) == 60 + 60 + 8 + 1
    taken = {arm: {stage: done(sweep, arm, stage).get("taken_from") for stage in STAGES} for arm in sweep.overrides}
    assert taken["kadg"] == taken["no-kadg"] == taken["fewer"] == dict.fromkeys(STAGES)
    assert taken["twice"] == {**dict.fromkeys(STAGES), "generate": "kadg", "curate": "kadg"}
    assert taken["shown"] == {**dict.fromkeys(STAGES, "kadg"), "report": None}
    rows = [(sweep.folder(arm) / "1-generate" / "examples.jsonl").read_bytes() for arm in ("kadg", "twice")]
    assert rows[0] == rows[1]
    assert done(sweep, "fewer", "generate")["accounting"]["requested"] == 40
    assert json.loads((sweep.folder("no-kadg") / "experiment.json").read_text())["generate"]["kadg"] is False


def test_an_arm_is_what_a_run_with_its_settings_is(file: Path, workplace: Path, tmp_path: Path) -> None:
    sweep = go(file, runs=tmp_path / "runs", arms=["twice"])
    alone = Experiment.load(workplace / "small.yaml", changes={"train.seeds": 3})
    plain = run(alone, runs=tmp_path / "plain", until="evaluate")
    for name in ("1-generate/examples.jsonl", "2-curate/examples.jsonl", "4-evaluate/scores.json"):
        assert (sweep.folder("twice") / name).read_bytes() == (plain.path / name).read_bytes()


def test_the_same_command_does_nothing_more(file: Path, tmp_path: Path) -> None:
    sweep = go(file, runs=tmp_path / "runs")
    before = {path: path.stat().st_mtime_ns for path in sweep.path.rglob("done.json")}
    llm = Counting()
    go(file, runs=tmp_path / "runs", llm=llm)
    assert llm.asked == []
    assert {path: path.stat().st_mtime_ns for path in sweep.path.rglob("done.json")} == before


def test_one_arm_alone_and_then_the_others(file: Path, tmp_path: Path) -> None:
    sweep = go(file, runs=tmp_path / "runs", arms=["twice"])
    assert list(sweep.begun()) == ["twice"]
    sweep = go(file, runs=tmp_path / "runs")
    assert done(sweep, "kadg", "generate")["taken_from"] == "twice"
    assert done(sweep, "no-kadg", "generate").get("taken_from") is None


def test_ctrl_c_and_going_on(file: Path, tmp_path: Path) -> None:
    def interrupt(progress: Any) -> None:
        if progress.item.startswith("no-kadg") and progress.done >= 10:
            raise KeyboardInterrupt

    llm = Counting()
    with pytest.raises(Interrupted) as stopped:
        go(file, runs=tmp_path / "runs", llm=llm, on_progress=interrupt)
    assert stopped.value.where.endswith("small/no-kadg")
    begun = Sweep.open(tmp_path / "runs" / "small").begun()
    assert begun["kadg"].done("evaluate")
    first = len(llm.asked)
    sweep = go(file, runs=tmp_path / "runs", llm=llm)
    keys = [request.key(llm.name) for request in llm.asked]
    assert len(keys[:first]) > 69
    assert len(set(keys)) == 129
    assert all(place.done("evaluate") for place in sweep.begun().values())
    whole = go(file, runs=tmp_path / "other")
    for arm in sweep.overrides:
        name = "4-evaluate/predictions.jsonl"
        assert (sweep.folder(arm) / name).read_bytes() == (whole.folder(arm) / name).read_bytes()


def test_kill_9_in_the_middle_changes_nothing(file: Path, tmp_path: Path) -> None:
    """The process dies as soon as the second arm has begun; the same command then ends as one that was never killed."""
    program = f"""
import os, signal
from japagen.pipeline.sweep import run_sweep
def die(progress):
    if progress.item.startswith("no-kadg") and progress.stage == {{stage!r}}:
        os.kill(os.getpid(), signal.SIGKILL)
run_sweep({str(file)!r}, runs={str(tmp_path / "runs")!r}, on_progress=die, until="evaluate")
"""
    for stage in ("generate", "train"):
        killed = subprocess.run([sys.executable, "-c", program.format(stage=stage)], env=dict(os.environ), check=False)
        assert killed.returncode == -signal.SIGKILL
    sweep = go(file, runs=tmp_path / "runs")
    whole = go(file, runs=tmp_path / "other")
    for arm in sweep.overrides:
        for name in ("1-generate/examples.jsonl", "4-evaluate/predictions.jsonl"):
            assert (sweep.folder(arm) / name).read_bytes() == (whole.folder(arm) / name).read_bytes()


def test_a_changed_arm_is_refused_by_name_and_redone_alone(file: Path, workplace: Path, tmp_path: Path) -> None:
    sweep = go(file, runs=tmp_path / "runs")
    finished = done(sweep, "kadg", "evaluate")["finished"]
    sweep_file(workplace, ARMS.replace("per_label: 20", "per_label: 10"))
    with pytest.raises(RunError, match="per_label was 20, is 10") as stale:
        go(file, runs=tmp_path / "runs")
    assert "--arm fewer --redo generate" in stale.value.remedy
    assert str(stale.value.where).endswith("small/fewer/1-generate")
    llm = Counting()
    go(file, runs=tmp_path / "runs", arms=["fewer"], redo="generate", llm=llm)
    assert llm.asked == []
    assert done(sweep, "fewer", "generate")["accounting"]["requested"] == 20
    assert done(sweep, "kadg", "evaluate")["finished"] == finished
    assert Sweep.open(sweep.path).overrides["fewer"] == {"generate.per_label": 10}


def test_where_all_arms_changed_one_redo_is_for_all(file: Path, tmp_path: Path) -> None:
    changes = {"generate.shots": 1}
    go(file, runs=tmp_path / "runs", arms=["kadg", "no-kadg"])
    with pytest.raises(RunError, match=r"shots was 2, is 1; of 2 arms .* \(kadg, no-kadg\)") as stale:
        go(file, runs=tmp_path / "runs", changes=changes)
    assert "redo from here with --redo generate (" in stale.value.remedy  # the others have not begun
    with pytest.raises(RunError) as stale:
        go(file, runs=tmp_path / "runs", arms=["kadg"], changes=changes)
    assert "--arm kadg --redo generate" in stale.value.remedy
    sweep = go(file, runs=tmp_path / "runs", changes=changes, redo="generate")
    assert all(place.done("evaluate") for place in sweep.begun().values())


def test_where_some_arms_changed_the_redo_names_them(file: Path, workplace: Path, tmp_path: Path) -> None:
    go(file, runs=tmp_path / "runs")
    sweep_file(workplace, ARMS.replace("per_label: 20", "per_label: 10").replace("seeds: 3", "seeds: 4"))
    with pytest.raises(RunError) as stale:
        go(file, runs=tmp_path / "runs")
    assert "--arm fewer --arm twice --redo generate" in stale.value.remedy  # the earlier of the two stages
    sweep = go(file, runs=tmp_path / "runs", arms=["fewer", "twice"], redo="generate")
    assert done(sweep, "fewer", "generate")["accounting"]["requested"] == 20


def test_one_process_at_a_time_works_in_a_sweep(file: Path, workplace: Path, tmp_path: Path) -> None:
    """The second is for another arm, of another version of the file, and asks and changes nothing."""
    llm, other, refused = Counting(), Counting(), []
    newer = sweep_file(workplace, "arms: {kadg: {}, more: {train.seeds: 4}}\n", "newer.yaml")

    def second(progress: Any) -> None:
        if not refused:
            with pytest.raises(RunError, match=rf"process {os.getpid()} is working in this sweep") as error:
                go(newer, runs=tmp_path / "runs", arms=["more"], llm=other)
            refused.append(error.value)

    sweep = go(file, runs=tmp_path / "runs", llm=llm, arms=["kadg"], on_progress=second)
    assert (refused[0].where, refused[0].remedy) == (str(sweep.path), "wait for it, or stop it")
    assert other.asked == []
    assert len(llm.asked) == 69
    assert "more" not in Sweep.open(sweep.path).overrides
    sweep = go(newer, runs=tmp_path / "runs", arms=["more"], llm=other)
    assert other.asked == []
    assert "more" in Sweep.open(sweep.path).overrides


def test_redo_makes_again_what_was_shared_and_shares_it_again(file: Path, tmp_path: Path) -> None:
    sweep = go(file, runs=tmp_path / "runs")
    assert done(sweep, "shown", "evaluate")["taken_from"] == "kadg"
    before = (sweep.folder("kadg") / "4-evaluate" / "predictions.jsonl").stat().st_ino
    go(file, runs=tmp_path / "runs", arms=["shown"], redo="evaluate")
    assert done(sweep, "shown", "evaluate").get("taken_from") is None
    assert done(sweep, "shown", "curate")["taken_from"] == "kadg"
    go(file, runs=tmp_path / "runs", redo="evaluate")
    assert done(sweep, "kadg", "evaluate").get("taken_from") is None
    assert (sweep.folder("kadg") / "4-evaluate" / "predictions.jsonl").stat().st_ino != before
    assert done(sweep, "shown", "evaluate")["taken_from"] == "kadg"


def test_files_that_were_changed_are_not_taken_over(file: Path, tmp_path: Path) -> None:
    sweep = go(file, runs=tmp_path / "runs", arms=["kadg"])
    rows = sweep.folder("kadg") / "1-generate" / "examples.jsonl"
    text = rows.read_text(encoding="utf-8")
    rows.write_text(text + text.splitlines()[0] + "\n", encoding="utf-8")
    sweep = go(file, runs=tmp_path / "runs", arms=["twice"])
    assert done(sweep, "twice", "generate").get("taken_from") is None
    assert (sweep.folder("twice") / "1-generate" / "examples.jsonl").read_text(encoding="utf-8") == text


def test_what_was_taken_over_stays_when_the_other_arm_goes_or_is_made_anew(file: Path, tmp_path: Path) -> None:
    sweep = go(file, runs=tmp_path / "runs", arms=["kadg", "twice"])
    rows = sweep.folder("twice") / "1-generate" / "examples.jsonl"
    text = rows.read_bytes()
    go(file, runs=tmp_path / "runs", arms=["kadg"], redo="generate", changes={"generate.per_label": 10}
    )  # fmt: skip
    assert rows.read_bytes() == text
    assert text.count(b"\n") == 60
    assert json.loads((sweep.folder("kadg") / "1-generate" / "done.json").read_text())["accounting"]["requested"] == 20


def test_an_arm_that_fails_is_told_and_the_others_go_on(workplace: Path, tmp_path: Path) -> None:
    ids = [f"{label}/{n:06}" for label in ("glad", "angry") for n in range(10)]
    llm = ScriptedLLM(misbehave=dict.fromkeys(ids, "fail"))
    file = sweep_file(workplace, "arms: {broken: {generate.per_label: 10}, fine: {generate.per_label: 30}}\n")
    told: list[str] = []
    with pytest.raises(ModelError, match="not one text came of 20 rows") as failed:
        go(file, runs=tmp_path / "runs", llm=llm, say=told.append)
    assert failed.value.where == "arm 'broken', llm 'scripted'"
    assert any("going on with the next arm" in text for text in told)
    assert Sweep.open(tmp_path / "runs" / "small").begun()["fine"].done("evaluate")


def test_two_failed_arms_are_counted_and_the_finished_one_stays(workplace: Path, tmp_path: Path) -> None:
    ids = [f"{label}/{n:06}" for label in ("glad", "angry") for n in range(30)]
    llm = ScriptedLLM(misbehave=dict.fromkeys(ids, "fail"))
    file = sweep_file(workplace, "arms: {one: {}, two: {generate.per_label: 10}, fine: {generate.per_label: 40}}\n")
    told: list[str] = []
    with pytest.raises(RunError, match=r"2 of 3 arms are not finished \(one, two\)"):
        go(file, runs=tmp_path / "runs", llm=llm, say=told.append)
    assert sum("going on with the next arm" in text for text in told) == 2
    begun = Sweep.open(tmp_path / "runs" / "small").begun()
    assert begun["fine"].done("evaluate")
    assert begun["one"].done("generate") is None


def test_the_budget_is_that_of_all_arms(file: Path, tmp_path: Path) -> None:
    changes = {"budget.requests": 100}
    with pytest.raises(BudgetSpent, match="100"):
        go(file, runs=tmp_path / "runs", changes=changes)
    begun = Sweep.open(tmp_path / "runs" / "small").begun()
    assert begun["kadg"].done("evaluate")
    assert begun["no-kadg"].done("generate") is None
    go(file, runs=tmp_path / "runs", changes={"budget.requests": 129})


def test_a_budget_counts_what_others_spent_by_their_prices() -> None:
    price = Price("m", 1.0, 2.0)
    limits = BudgetSection(usd=1.0)
    assert Budget(limits, price, elsewhere=Spent(3, 10, 0.999)).stop() is None
    assert "budget.usd of 1.00 is spent (1.000)" in str(Budget(limits, price, elsewhere=Spent(3, 10, 1.0)).stop())
    tokens = Budget(BudgetSection(tokens=100), price, spent=Usage(1, 30, 10), elsewhere=Spent(1, 60, 0.0))
    assert tokens.stop() == "budget.tokens of 100 is spent (100)"
    assert Budget(BudgetSection(requests=5), None, elsewhere=Spent(5, 0, 0.0)).admit(0) is False


def test_an_estimate_counts_shared_requests_once(file: Path, tmp_path: Path) -> None:
    found = sweep_estimates(Experiment.load(file), runs=tmp_path / "runs")
    calls = {arm: each.expected.requests for arm, each in found.items()}
    assert calls == {"kadg": 69, "no-kadg": 60, "fewer": 0, "twice": 0, "shown": 0}
    assert not (tmp_path / "runs").exists()
    trainings = {arm: [note.partition(": ")[2] for note in each.notes if note.startswith(TRAININGS)]
                 for arm, each in found.items()}  # fmt: skip
    two = ["2 on synthetic texts, 2 on 1 gold rows per label, 2 on 3 gold rows per label"]
    three = [two[0].replace("2 on", "3 on")]
    assert trainings == {"kadg": two, "no-kadg": two, "fewer": two, "twice": three, "shown": []}
    go(file, runs=tmp_path / "runs", arms=["no-kadg"])
    found = sweep_estimates(Experiment.load(file), runs=tmp_path / "runs")
    assert {arm: each.expected.requests for arm, each in found.items()} == {
        "kadg": 60,
        "no-kadg": 0,
        "fewer": 0,
        "twice": 0,
        "shown": 0,
    }


def test_set_holds_in_every_arm_and_over_its_own_keys(file: Path) -> None:
    experiment = Experiment.load(file)
    same = arms_of(experiment, {"generate.per_label": 5})
    assert {arm.generate.per_label for arm in same.values()} == {5}
    arms = arms_of(experiment, {"llm.temperature": 0.1, "name": "other"})
    assert {arm.llm.temperature for arm in arms.values()} == {0.1}
    assert {name: arm.name for name, arm in arms.items()} == {
        name: name for name in ("kadg", "no-kadg", "fewer", "twice", "shown")
    }


@pytest.mark.parametrize(
    ("arms", "what", "remedy"),
    [
        ("arms: {a: {generate.per_lable: 3}}", "generate.per_lable: unknown key", "per_label"),
        ("arms: {a: {generate: {per_lable: 3}}}", "generate.per_lable: unknown key", "per_label"),
        ("arms: {a: {generate.per_label: many}}", "generate.per_label: ", ""),
        ("arms: {a: {genrate.per_label: 3}}", "unknown key", "generate"),
        ("arms: {a: {curate.min_chars: 300}}", "curate.min_chars is larger", ""),
        ("arms: {a: {llm.name: embeded}}", "embeded", "embedded"),
        ("arms: {a: {task: no-such-task}}", "no-such-task", ""),
        ("arms: {a: {}, b: {generate.shots: 2}}", "is the same as arm 'a'", ""),
        ("arms: {generate: {}}", "generate: an arm cannot be called so", ""),
        ("arms: {Train: {seed: 3}}", "Train: an arm cannot be called so", ""),
        ("arms: {sweep.json: {seed: 3}}", "sweep.json: an arm cannot be called so", ""),
        ("arms: {replies.sqlite: {seed: 3}}", "replies.sqlite: an arm cannot be called so", ""),
        ("arms: {nul.txt: {seed: 3}}", "nul.txt: an arm cannot be called so", ""),
        ("arms: {日本語: {seed: 3}}", "日本語: an arm's name is that of a folder", ""),
        ("arms: {a/b: {seed: 3}}", "a/b: an arm's name is that of a folder", ""),
        ("arms: {cheap: {budget.usd: 1}}", "cheap: 'budget.usd' cannot differ between arms: it is one for all", ""),
        ("arms: {a: {}, A: {seed: 3}}", "differs from 'a' in capitals only", ""),
        ("arms:\n  a:\n", "is empty; for the experiment as it is write a: {}", ""),
        ("arms: {a: {name: b}}", "'name' cannot differ between arms", ""),
        ("arms: {a: {arms: {}}}", "'arms' cannot differ between arms", ""),
        ("arms: {a: [1]}", "must be the keys that differ", ""),
        ("arms: [a, b]", "must be names with the keys that differ", ""),
        (
            "arms: {a: {generate.shots: 1, generate: {shots: 0}}}",
            "a: 'generate.shots' stands here twice, dotted and nested",
            "",
        ),
        ("arms: {../a: {seed: 1}}", "arms", ""),
        ("arms: {.: {seed: 1}}", "arms", ""),
        ("arms: {あ: {seed: 1}}", "arms", ""),
    ],
)
def test_refusals_before_anything_is_made(workplace: Path, tmp_path: Path, arms: str, what: str, remedy: str) -> None:
    file = sweep_file(workplace, arms + "\n")
    with pytest.raises(ConfigError) as refused:
        go(file, runs=tmp_path / "runs")
    assert what in str(refused.value)
    assert remedy in str(refused.value)
    assert not (tmp_path / "runs").exists()
    assert "arm 'a'" in refused.value.where or "sweep.yaml:" in refused.value.where or "arm 'b'" in refused.value.where


def test_an_arm_that_is_not_there(file: Path, workplace: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has no arm 'nokadg'") as refused:
        go(file, arms=["nokadg"], runs=tmp_path / "runs")
    assert "did you mean 'no-kadg'?" in refused.value.remedy
    with pytest.raises(ConfigError, match="has no arms"):
        go(workplace / "small.yaml", arms=["kadg"], runs=tmp_path / "runs")
    with pytest.raises(ConfigError, match="has arms"):
        run(Experiment.load(file), runs=tmp_path / "runs")


def test_folders_of_runs_and_of_sweeps_are_not_mixed_up(file: Path, workplace: Path, tmp_path: Path) -> None:
    run(workplace / "small.yaml", runs=tmp_path / "one", until="generate")
    with pytest.raises(RunError, match="holds a run, and the experiment has arms"):
        go(file, runs=tmp_path / "one")
    go(file, runs=tmp_path / "two", until="generate", arms=["kadg"])
    with pytest.raises(RunError, match="holds a sweep, and the experiment has no arms"):
        run(workplace / "small.yaml", runs=tmp_path / "two")
    with pytest.raises(RunError, match="this is a sweep") as refused:
        Run.open(tmp_path / "two" / "small")
    assert str(tmp_path / "two" / "small" / "kadg") in refused.value.remedy
    with pytest.raises(RunError, match="there is no sweep"):
        Sweep.open(tmp_path / "one" / "small")
    other = Experiment.load(workplace / "small.yaml", changes={"name": "kadg"})
    with pytest.raises(RunError, match=r"belongs to experiment 'small/kadg'.*not to 'kadg'"):
        run(other, runs=tmp_path / "two" / "small")
    (tmp_path / "two" / "small" / "sweep.json").write_text('{"sweep": "small", "arms": {"../x": {}}}')
    with pytest.raises(RunError, match="no folder"):
        Sweep.open(tmp_path / "two" / "small")


def test_arms_of_a_file_that_has_lost_one_keep_its_folder(file: Path, workplace: Path, tmp_path: Path) -> None:
    sweep = go(file, runs=tmp_path / "runs", arms=["kadg"])
    sweep_file(workplace, "arms: {anew: {}}\n")
    again = go(file, runs=tmp_path / "runs")
    assert list(again.begun()) == ["anew"]
    assert done(again, "anew", "evaluate")["taken_from"] == "kadg"
    assert Run.open(sweep.folder("kadg")).done("evaluate")


@given(
    st.dictionaries(
        st.sampled_from(["generate", "llm", "train"]),
        st.dictionaries(st.sampled_from(["a", "b", "c"]), st.integers() | st.booleans(), min_size=1),
    )
)
def test_nested_and_dotted_keys_are_the_same(nested: dict[str, dict[str, Any]]) -> None:
    flat = {f"{section}.{key}": value for section, keys in nested.items() for key, value in keys.items()}
    assert dotted(nested) == dotted(flat) == flat


def test_keys_that_are_names_stay_whole() -> None:
    assert dotted({"curate": {"filters": {"url": True}}}) == {"curate.filters.url": True}
    assert dotted({"x": {"gpt-4.1": {"input": 1}}}) == {"x": {"gpt-4.1": {"input": 1}}}
    assert dotted({"curate.judge": {}}) == {"curate.judge": {}}
    assert differing({"a.b": None, "c": [1, True], "d": {"e": "f"}}) == "a.b: null, c: [1, true], d: {e: f}"


EXAMPLES = Path(__file__).parents[1] / "examples" / "sweeps"


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.yaml")), ids=lambda file: file.stem)
def test_shipped_sweeps_are_read(file: Path) -> None:
    if file.stem == "reviews-plain":  # a task, which prompts.yaml names
        assert Task.load(file).gold == arms_of(Experiment.load(EXAMPLES / "prompts.yaml"))["plain"].load_task().gold
        return
    experiment = Experiment.load(file)
    arms = arms_of(experiment)
    assert len(arms) > 1
    assert next(iter(experiment.arms.values())) == {}
    for arm in arms.values():
        check_llm(arm.llm.name)
        assert arm.load_task().gold is not None


def japagen(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from japagen.cli import main; main()", *map(str, arguments)]
    environment = {**os.environ, "NO_COLOR": "1"}
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=environment, timeout=300, check=False)


def test_on_the_command_line(file: Path, workplace: Path) -> None:
    told = japagen("run", file.name, "--dry-run", cwd=workplace)
    assert (told.returncode, told.stderr) == (0, "")
    assert "│ all " in told.stdout
    assert "gold rows per label, in each of 3 arms" in " ".join(told.stdout.split())
    assert f"trainings of all arms together: {3 * 6 + 9} at most" in told.stdout
    first = japagen("evaluate", file.name, "--arm", "kadg", "--arm", "twice", cwd=workplace)
    assert first.returncode == 0
    assert "arm kadg: runs/small/kadg" in first.stderr
    assert "to do" in first.stdout
    shown = japagen("show", "runs/small", "--json", cwd=workplace)
    state = json.loads(shown.stdout)
    assert state["sweep"] == "small"
    assert state["arms"]["twice"]["run"]["stages"]["generate"]["taken_from"] == "kadg"
    assert state["arms"]["no-kadg"] == {"differs": {"generate.kadg": False}, "run": None}
    one = japagen("show", "runs/small/twice", cwd=workplace)
    assert "small/twice (task mood)" in one.stdout
    assert "of arm kadg" in one.stdout
    predicted = japagen("predict", "runs/small/twice", "うれしい。", "--json", cwd=workplace)
    assert predicted.returncode == 0
    assert json.loads(predicted.stdout)["label"] in ("glad", "angry")
    wrong = japagen("run", file.name, "--arm", "twise", cwd=workplace)
    assert wrong.returncode == 2
    assert wrong.stderr.count("\n") == 2
    folder = japagen("predict", "runs/small", "うれしい。", cwd=workplace)
    assert folder.returncode == 2
    assert "name one of its arms, e.g. runs/small/kadg" in folder.stderr
