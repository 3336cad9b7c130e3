"""What the report says of students: gold rows among synthetic ones, ensembles, encoders, decisions. No training here."""

import json
from pathlib import Path
from typing import Any

import pytest

from japagen import reportdata
from japagen.report import ReportData, figures, write_report
from japagen.report.opening import opening
from japagen.report.students import students

GOLD_DECISION = {
    "learnt_from": "24 gold rows",
    "ece_before": 0.3,
    "ece_after": 0.1,
    "findings": [
        {"part": "prior", "adopted": False, "reason": "no shift <b>"},
        {"part": "temperature", "adopted": True, "reason": "log_loss improves"},
    ],
}


def encoder(seed: int, loss: float, dev: float, **training: Any) -> dict[str, Any]:
    epochs = [{"loss": 0.9, "dev": 0.5}, {"loss": loss, "dev": dev}]
    about = {
        "student": "encoder",
        "model": "tohoku/bert",
        "revision": "0123456789abcdef",
        "max_length": 128,
        "training": {
            "precision": "bf16", "device": "cuda", "seed": 1, "epochs": epochs, "steps": 60, "micro_batch": None,
            "best_epoch": None, "learning_rate": 2e-5, "head_learning_rate": 0.001, "passes": 2, **training,
        },
    }  # fmt: skip
    rows = {"train_rows": 120, "dev_rows": 12, "anchor_rows": 20}
    return {"student": "encoder", "seed": seed, "folder": f"encoder/seed-{seed}", **rows, "about": about}


def facts(trained: list[dict[str, Any]], dev: str = "synthetic") -> dict[str, list[str]]:
    return dict(students(trained, {"train": {"dev": dev}}, "accuracy")["rows"])


def score(value: float) -> dict[str, Any]:
    return {"value": value, "low": value - 0.05, "high": value + 0.05, "by_seed": [value, value]}


def system(name: str, **more: Any) -> dict[str, Any]:
    kind, _, student = name.partition("/")
    told = {"student": student.removesuffix(" ensemble"), "train_rows": 120, "scores": {"accuracy": score(0.8)}}
    return {"name": name, "kind": kind, **told, **more}


def scores(**more: Any) -> dict[str, Any]:
    names = ("japagen/encoder", "japagen/encoder ensemble")
    systems = [system(name, **more) for name in names]
    return {"metric": "accuracy", "n": 200, "primary": names[0], "systems": systems}


def first_sentence(experiment: dict[str, Any], **more: Any) -> str:
    return opening(scores(**more), experiment)[0].partition(" reaches")[0]


# What is claimed


@pytest.mark.parametrize("shots", [0, None])
def test_gold_rows_among_the_synthetic_ones_are_in_the_first_sentence(shots: int | None) -> None:
    experiment = {"generate": {"shots": shots}, "train": {"anchor": {"rows": 20, "weight": 5.0}}}
    who = "A classifier trained on texts that the LLM wrote and on 20 human-labelled texts (weight 5)"
    assert first_sentence(experiment, anchor_rows=20) == who
    assert first_sentence({}, anchor_rows=20) == who.removesuffix(" (weight 5)")


@pytest.mark.parametrize(
    ("learnt_from", "adopted", "said"),
    [
        ("24 gold rows", ["offsets", "temperature"], "only on texts that the LLM wrote, its labels decided with 24 gold"),
        ("24 gold rows", ["temperature"], "only on texts that the LLM wrote, its scores calibrated with 24 gold rows,"),
        ("24 gold rows", [], "A classifier trained only on texts that the LLM wrote"),
        ("EM on 24 unlabelled texts, calibrated on 9 rows held out", ["prior"],
         "A classifier that saw no labelled data, its labels decided with EM on 24 unlabelled texts,"),
        ("24 unlabelled texts, no gold", [], "A classifier that saw no labelled data"),
    ],
)  # fmt: skip
def test_gold_rows_of_the_decision_are_in_the_first_sentence(learnt_from: str, adopted: list[str], said: str) -> None:
    decision = {"learnt_from": learnt_from, "adopted": adopted}
    who = first_sentence({"generate": {"shots": 0}}, decision=decision)
    assert said in who
    assert ("no labelled data" in who) == ("gold rows" not in learnt_from)


def test_example_texts_anchors_and_decision_in_one_sentence() -> None:
    decision = {"learnt_from": "24 gold rows", "adopted": ["prior"]}
    who = first_sentence({"generate": {"shots": 4}}, anchor_rows=20, decision=decision)
    assert who == (
        "A classifier trained on texts that the LLM wrote, shown 4 example texts each time, and on 20 human-labelled "
        "texts, its labels decided with 24 gold rows,"
    )
    who = first_sentence({"generate": {"shots": 4}}, decision=decision)
    assert who.endswith("shown 4 example texts each time, its labels decided with 24 gold rows,")


def test_settings_chosen_on_gold_labels_are_labelled_data() -> None:
    experiment = {"generate": {"shots": 0}, "train": {"dev": "gold"}}
    assert first_sentence(experiment) == "A classifier trained only on texts that the LLM wrote"


# What each student is


def test_facts_of_an_encoder_are_means_over_its_seeds() -> None:
    assert facts([encoder(0, 0.2, 0.9), encoder(1, 0.1, 0.8)]) == {
        "what it is": ["pretrained encoder, fine-tuned"],
        "model": ["tohoku/bert at 0123456789ab, at most 128 tokens"],
        "seeds": ["2"],
        "learnt from": ["100 synthetic and 20 gold rows"],
        "training": ["60 steps, 2 passes over the rows"],
        "learning rate": ["2e-05, head 0.001"],
        "precision, device": ["bf16, cuda"],
        "training loss": ["0.15"],
        "dev score": ["accuracy .850 on 12 synthetic rows"],
    }


def test_a_training_that_ended_early_says_which_weights_count() -> None:
    told = facts([encoder(0, 0.2, 0.4, best_epoch=0, passes=9)], dev="gold")
    assert told["training"] == ["60 steps, 2 of 9 passes over the rows, weights of pass 1"]
    assert told["training loss"] == ["0.9"]
    assert told["dev score"] == ["accuracy .500 on 12 gold rows"]


@pytest.mark.parametrize("folder", ["/home/me/models/mine", "models/mine", "C:\\models\\mine", "mine"])
def test_a_folder_of_the_user_is_named_by_its_last_part(folder: str) -> None:
    one = encoder(0, 0.2, 0.9)
    one["about"] |= {"model": folder, "revision": None}
    assert facts([one])["model"] == ["mine, at most 128 tokens"]


def test_a_student_that_says_little_has_empty_cells_beside_one_that_says_much() -> None:
    linear = {"student": "linear", "seed": 0, "train_rows": 120}
    told = facts([encoder(0, 0.2, 0.9), linear])
    assert told["learnt from"] == ["100 synthetic and 20 gold rows", "120 synthetic rows"]
    assert told["training"][1] == told["model"][1] == ""
    assert facts([{"student": "linear"}]) == {
        "what it is": ["logistic regression on character n-grams"],
        "seeds": ["1"],
    }


def test_parts_of_the_decision_are_told_with_their_reason() -> None:
    other = {"learnt_from": "24 gold rows", "ece_before": 0.5, "ece_after": 0.2,
             "findings": [{"part": "prior", "adopted": True, "reason": "shift"}]}  # fmt: skip
    runs = [encoder(0, 0.2, 0.9) | {"decision": GOLD_DECISION}, encoder(1, 0.2, 0.9) | {"decision": other}]
    told = students(runs, {}, "accuracy")
    assert [(row["part"], row["verdict"], row["reason"]) for row in told["decisions"]] == [
        ("prior", "adopted by 1 of 2 seeds", "seed 0: no shift <b>"),
        ("temperature", "adopted", "log_loss improves"),
    ]
    assert dict(told["rows"])["calibration error (ECE)"] == [".400, after the decision .150"]


# On the page


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """3-train as a run with an encoder of two seeds left it."""
    index = []
    for number in (0, 1):
        one = encoder(number, 0.2, 0.9)
        place = tmp_path / "3-train" / one["folder"]
        place.mkdir(parents=True)
        (place / "classifier.json").write_text(json.dumps(one.pop("about")))
        (place / "decision.json").write_text(json.dumps(GOLD_DECISION))
        index.append(one)
    (tmp_path / "3-train" / "models.json").write_text(json.dumps(index))
    return tmp_path / "3-train"


def test_students_are_read_from_the_folder_of_the_stage(folder: Path) -> None:
    trained = reportdata._students(folder)
    assert [one["about"]["model"] for one in trained] == ["tohoku/bert"] * 2
    assert [one["decision"]["learnt_from"] for one in trained] == ["24 gold rows"] * 2
    (folder / "encoder" / "seed-1" / "decision.json").unlink()
    assert "decision" not in reportdata._students(folder)[1]
    (folder / "models.json").unlink()
    assert reportdata._students(folder) == []


def test_systems_on_synthetic_texts_know_their_gold_rows(folder: Path) -> None:
    told = scores()
    told["systems"] += [system("gold/encoder"), {"name": "majority", "kind": "majority", "student": None}]
    first, mean, gold, majority = reportdata._with_gold(told, reportdata._students(folder))["systems"]
    for one in (first, mean):
        assert one["anchor_rows"] == 20
        assert one["decision"] == {"learnt_from": "24 gold rows", "adopted": ["temperature"]}
    assert gold == told["systems"][2]
    assert majority == told["systems"][3]


def page(folder: Path, to: Path) -> tuple[str, str, dict[str, Any]]:
    trained = reportdata._students(folder)
    told = reportdata._with_gold(scores(), trained)
    experiment = {"train": {"dev": "synthetic", "anchor": {"rows": 20, "weight": 5.0}}}
    html, markdown = write_report(ReportData("x", experiment=experiment, students=trained, scores=told), to)
    return html.read_text("utf-8"), markdown.read_text("utf-8"), told


def test_both_pages_show_students_ensembles_and_gold_rows_apart(folder: Path, tmp_path: Path) -> None:
    html, markdown, told = page(folder, tmp_path / "report")
    assert '<h2 id="students">Students</h2>' in html
    assert "| encoder (primary) | 100 + 20 gold |" in markdown
    assert "| encoder ensemble | 100 + 20 gold |" in markdown
    assert "- encoder, temperature: adopted (log_loss improves)" in markdown
    for text in (html, markdown):
        assert "Trained on synthetic and gold texts" in text
        assert "Trained on synthetic texts" not in text
        assert "tohoku/bert at 0123456789ab" in text
        assert "no shift &lt;b&gt;" in text
    drawn = figures.intervals(told)
    assert drawn
    assert drawn["layout"]["yaxis"]["ticktext"] == ["encoder", "encoder ensemble"]


def test_any_fact_of_a_student_may_be_missing_or_of_another_form(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plotly.offline.get_plotlyjs", lambda: "")
    whole = json.dumps(reportdata._students(folder))
    one = json.loads(whole)[0]
    places = [(key,) for key in one]
    places += [("about", key) for key in one["about"]] + [("decision", key) for key in one["decision"]]
    places += [("about", "training", key) for key in one["about"]["training"]]
    places += [("about", "training", "epochs", 1), ("decision", "findings", 0, "part")]
    for path in places:
        for broken in (None, "text", []):
            trained = json.loads(whole)
            inner = trained[0]
            for key in path[:-1]:
                inner = inner[key]
            inner[path[-1]] = broken
            try:
                write_report(ReportData("x", students=trained), tmp_path / "report")
            except Exception as error:
                error.add_note(f"{path} = {broken}")
                raise
