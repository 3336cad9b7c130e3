"""What the result of each stage depends on, by name: a change of any of it makes the stage stale."""

from __future__ import annotations

from typing import Any

from japagen.pipeline.bound import Bound
from japagen.pipeline.prompted import fragments, shots
from japagen.pipeline.rules import restored_rows, target_file
from japagen.pipeline.stopping import measuring
from japagen.records import digest, rows_digest
from japagen.rundir import digest_or_none

_ASKED_WITH = (
    "kind",
    "title",
    "system",
    "system_without_word",
    "first",
    "instruction",
    "instruction_without_word",
    "document",
    "knowledge",
)
_AFTER_RULES = ("top_up", "top_up_factor", "judge", "noise", "sample")
"""What curation does beyond the rules that each row is asked by."""


def inputs(bound: Bound, stage: str) -> dict[str, Any]:
    """The named inputs of a stage; a change of any of them makes it stale."""
    settings = bound.experiment.model_dump(mode="json")
    task = bound.task.model_dump(mode="json")
    upstream = {
        "generate": [],
        "curate": ["generate"],
        "train": ["curate"],
        "evaluate": ["train"],
        "analyze": ["curate", "evaluate"],
        "report": ["generate", "curate", "train", "evaluate", "analyze"],
    }[stage]
    named: dict[str, Any] = {stage: settings[stage], "seed": settings["seed"]}
    named |= {f"stage {name}": bound.run.outputs_digest(name) for name in upstream}
    match stage:
        case "generate":
            named["llm"] = _llm_inputs(bound)
            named |= {f"task.{key}": digest(task[key]) for key in _ASKED_WITH}
            named["task.labels"] = digest([[name, label] for name, label in task["labels"].items()])
            named |= _stopping_inputs(bound)
        case "curate":
            named["task.max_chars"] = task["max_chars"]
            named["task.kind"] = task["kind"]
            named["task.shots"] = digest(shots(bound.task))
            named["task.prompts"] = digest(fragments(bound.task))
            named["task.judges"] = task["judges"]
            named |= _curation_inputs(bound)
        case "train":
            named["train"] = _train_inputs(bound)
            named["task.metric"] = task["metric"]
            if bound.learns_from_gold:
                named |= _gold_inputs(bound, "dev")
        case "evaluate":
            named["llm"] = _llm_inputs(bound)
            named["task.metric"] = task["metric"]
            named["task.kind"] = task["kind"]
            named["task.prompting"] = digest(task["prompting"])
            named["task.answers"] = digest(
                [
                    [name, label["verbalisation"], label["value"], label["shots"]]
                    for name, label in task["labels"].items()
                ]
            )
            named |= _gold_inputs(bound, "train", "dev", "test")
        case "analyze":
            named |= _gold_inputs(bound, "train", "dev", "test")
            named["analyze.people"] = _file_digest(bound, bound.experiment.analyze.people)
        case "report":
            named["task"] = digest(task)
    return named


def _stopping_inputs(bound: Bound) -> dict[str, Any]:
    """What a stop rule goes by: rules of curation, the student that is measured, and the gold rows; nothing without one."""
    rule = bound.experiment.generate.stop_rule
    if rule is None:
        return {}
    train, task = measuring(bound.experiment, rule).train, bound.task
    curate = bound.experiment.curate.model_dump(mode="json", exclude=set(_AFTER_RULES))
    found: dict[str, Any] = {
        "curate": curate,
        "train.students": train.students[0],
        "train.seeds": train.seeds,
        "train.dev_share": train.dev_share,
        "task.metric": task.metric,
        "task.max_chars": task.max_chars,
        "task.judges": task.judges,
        **_gold_inputs(bound, *(("train", "dev", "test") if bound.experiment.curate.contamination else ("dev",))),
    }
    if "encoder" in train.students:
        found["train.encoder"] = train.encoder.model_dump(mode="json", exclude={"checkpoint_seconds", "threads"})
    return found


def _curation_inputs(bound: Bound) -> dict[str, Any]:
    """What the steps of curation go by, each only where it is taken."""
    settings = bound.experiment.curate
    given = settings.model_dump(
        mode="json", exclude={"judge": {"llm": {"http", "shared_cache", "api_key_env"}, "budget": True}}
    )
    found: dict[str, Any] = {"rounds": bound.experiment.rounds, "curate": given}
    if settings.contamination:
        found |= _gold_inputs(bound, "train", "dev", "test")
    elif bound.experiment.rounds > 1 or settings.noise:
        found |= _gold_inputs(bound, "dev")
    if bound.experiment.rounds > 1 or settings.noise:
        train = bound.experiment.train
        asked = {train.students[0], settings.noise.student if settings.noise else ""}
        found["task.metric"] = bound.task.metric
        found["train.students"] = train.students[0]
        found["train.dev_share"] = train.dev_share
        if "encoder" in asked:
            found["train.encoder"] = train.encoder.model_dump(mode="json", exclude={"checkpoint_seconds", "threads"})
    if settings.judge:
        found["llm"] = _llm_inputs(bound)
        found["task.prompting"] = digest(bound.task.model_dump(mode="json")["prompting"])
        found["curate.judge.audit"] = _file_digest(bound, settings.judge.audit)
    if settings.sample and settings.sample.target != "uniform":
        found["curate.sample.target"] = _file_digest(bound, settings.sample.target)
    if restored := restored_rows(bound.run):
        found["restored.txt"] = digest(restored)
    return found


def _file_digest(bound: Bound, named: str | None) -> str | None:
    return None if named is None else digest_or_none(target_file(bound.experiment, named))


def _llm_inputs(bound: Bound) -> dict[str, Any]:
    """What of the model shapes its replies; how it is called may be changed at any time."""
    return bound.experiment.llm.model_dump(mode="json", exclude={"http", "shared_cache", "api_key_env"})


def _train_inputs(bound: Bound) -> dict[str, Any]:
    """What shapes the students: the encoder's settings only where it is one of them."""
    section = bound.experiment.train
    unused = set() if "encoder" in section.students else {"encoder"}
    settings = section.model_dump(mode="json", exclude=unused)
    for key in ("checkpoint_seconds", "threads"):
        settings.get("encoder", {}).pop(key, None)
    return settings


def _gold_inputs(bound: Bound, *splits: str) -> dict[str, Any]:
    """The rows themselves: where their files lie makes no difference."""
    rows = {split: getattr(bound.gold, split) for split in splits}
    return {f"gold.{split}": rows_digest(found) for split, found in rows.items() if found}
