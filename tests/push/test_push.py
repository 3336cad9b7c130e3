"""A pushed run read back from the hub: rows, classifier, cards; what is never sent; what the same push does twice."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from huggingface_hub import constants, get_session, hf_hub_download, snapshot_download

from japagen import load_classifier
from japagen.classifiers import trained_models
from japagen.errors import DataError, RunError
from japagen.push import push
from japagen.push.fakehub import FakeHub
from japagen.push.fakehub.cards import complaints
from japagen.records import Example
from japagen.rundir import Run
from japagen.tables import file_digest, read_rows, write_json, write_jsonl

KEPT, DROPPED = "data/train.parquet", "data/dropped.parquet"


def read_back(hub: FakeHub, path: str, place: Path, repo_id: str = "org/mood") -> pl.DataFrame:
    file = hf_hub_download(repo_id, path, repo_type="dataset", endpoint=hub.url, token=hub.token, cache_dir=place)
    return pl.read_parquet(file)


def rewrite(run: Path, stage: str, name: str, rows: list[dict[str, Any]]) -> None:
    """Put other rows into a file of a stage, as if it had written them."""
    folder = Run(run).folder(stage)
    write_jsonl(folder / name, rows)
    done = json.loads((folder / "done.json").read_text("utf-8"))
    done["outputs"][name] = file_digest(folder / name)
    write_json(folder / "done.json", done)


def change(file: Path, **values: Any) -> None:
    write_json(file, {**json.loads(file.read_text("utf-8")), **values})


def front(card: bytes) -> dict[str, Any]:
    found = yaml.safe_load(card.decode().split("---\n")[1])
    assert isinstance(found, dict)
    return found


def test_the_rows_read_back_are_the_rows_that_were_kept(hub: FakeHub, small: Path, tmp_path: Path) -> None:
    push(small, "org/mood")
    table = read_back(hub, KEPT, tmp_path / "cache")
    kept = read_rows(small / "2-curate/examples.jsonl")
    assert table.columns == ["id", "text", "label", "word"]
    assert [{k: v for k, v in row.items() if v is not None} for row in table.to_dicts()] == kept
    assert 0 < len(kept) < 60
    assert DROPPED not in hub.files("org/mood", "dataset")


@pytest.mark.parametrize(("task", "last"), [("jnli", []), ("jsts", ["value"])])
def test_pairs_and_numbers_have_columns_of_their_own(
    hub: FakeHub, pairs: dict[str, Path], tmp_path: Path, task: str, last: list[str]
) -> None:
    push(pairs[task], f"org/{task}", only="data")
    table = read_back(hub, KEPT, tmp_path / "cache", f"org/{task}")
    kept = read_rows(pairs[task] / "2-curate/examples.jsonl")
    assert table.columns[: 4 + len(last)] == ["id", "text", "text_pair", "label", *last]
    for name in ("id", "text", "text_pair", "label", *last):
        assert table[name].to_list() == [row[name] for row in kept]


def test_dropped_rows_are_a_second_configuration_with_their_reasons(hub: FakeHub, small: Path, tmp_path: Path) -> None:
    push(small, "org/mood", with_dropped=True)
    table = read_back(hub, DROPPED, tmp_path / "cache")
    dropped = read_rows(small / "2-curate/dropped.jsonl")
    assert table["id"].to_list() == [row["id"] for row in dropped]
    assert table["text"].to_list() == [row["text"] for row in dropped]
    assert set(table["reason"]) == {"too_short"}
    assert set(table["stage"]) == {"curate"}
    card = front(hub.files("org/mood", "dataset")["README.md"])
    assert [config["config_name"] for config in card["configs"]] == ["default", "dropped"]


def test_dropped_rows_that_repeat_a_prompt_lose_their_texts_and_stay_counted(
    hub: FakeHub, small: Path, tmp_path: Path
) -> None:
    rows = [
        {
            "id": "glad/1",
            "text": "夢中で読みました。",
            "label": "glad",
            "reason": "shot_copy",
            "detail": "the same as 夢中で",
        },
        {"id": "glad/2", "text": "短い", "label": "glad", "reason": "too_short", "detail": "2 characters"},
        {"id": "glad/3", "text": "半分\ud800の字", "label": "glad", "reason": "garbled", "detail": ""},
    ]
    rewrite(small, "generate", "dropped.jsonl", [])
    rewrite(small, "curate", "dropped.jsonl", rows[:2])
    folder = small / "2-curate"
    with (folder / "dropped.jsonl").open("a", encoding="ascii") as file:
        file.write(json.dumps(rows[2]) + "\n")
    outputs = json.loads((folder / "done.json").read_text("utf-8"))["outputs"]
    change(folder / "done.json", outputs={**outputs, "dropped.jsonl": file_digest(folder / "dropped.jsonl")})
    push(small, "org/mood", only="data", with_dropped=True)
    table = read_back(hub, DROPPED, tmp_path / "cache")
    assert table["text"].to_list() == [None, "短い", "半分?の字"]
    assert table["detail"].to_list() == [None, "2 characters", ""]
    everything = b"".join(hub.files("org/mood", "dataset").values())
    assert "夢中で読みました".encode() not in everything


def test_the_model_read_back_predicts_as_the_run_does(hub: FakeHub, small: Path, tmp_path: Path) -> None:
    push(small, "org/mood")
    folder = snapshot_download("org/mood", endpoint=hub.url, token=hub.token, cache_dir=tmp_path / "cache")
    texts = [Example(str(i), text, "") for i, text in enumerate(["うれしい", "", "腹が立つ" * 50, "😀"])]
    assert load_classifier(Path(folder)).predict(texts) == load_classifier(small).predict(texts)


def test_the_same_push_again_makes_no_commit(hub: FakeHub, small: Path) -> None:
    first = push(small, "org/mood", with_dropped=True)
    again = push(small, "org/mood", with_dropped=True)
    assert [each.changed for each in first] == [True, True]
    assert [each.changed for each in again] == [False, False]
    assert [each.commit for each in again] == [each.commit for each in first]
    assert len(hub.commits("org/mood", "dataset")) == len(hub.commits("org/mood")) == 2  # the hub's own, and ours


def test_what_is_no_longer_pushed_is_removed_and_what_others_added_stays(
    hub: FakeHub, small: Path, tmp_path: Path
) -> None:
    push(small, "org/mood", with_dropped=True)
    (tmp_path / "more").mkdir()
    (tmp_path / "more/notes.txt").write_text("from a person", "utf-8")
    hub.add("org/mood", tmp_path / "more", repo_type="dataset")
    push(small, "org/mood")
    assert set(hub.files("org/mood", "dataset")) == {".gitattributes", "README.md", KEPT, "japagen.json", "notes.txt"}


def test_only_what_belongs_to_them_is_sent(hub: FakeHub, small: Path) -> None:
    (small / "3-train/linear/seed-0/notes.txt").write_text("mine", "utf-8")  # no file of the stage
    pushed = push(small, "org/mood", with_dropped=True)
    files = {"weights.safetensors", "vocabulary.json", "classifier.json", "README.md", "japagen.json"}
    assert set(hub.files("org/mood")) == {*files, ".gitattributes"}
    sent = b"".join([*hub.files("org/mood", "dataset").values(), *hub.files("org/mood").values()])
    for gold in ("腹が立って眠れない", "香りも味もいい"):
        assert gold.encode() not in sent
    assert "客になりきって".encode() not in sent  # of the prompt
    assert pushed[1].files == {
        name: len(content) for name, content in sorted(hub.files("org/mood").items()) if name != ".gitattributes"
    }


@pytest.mark.parametrize(("only", "kinds"), [("data", ["dataset"]), ("model", ["model"]), (None, ["dataset", "model"])])
def test_one_of_the_two_can_be_pushed_alone(hub: FakeHub, small: Path, only: Any, kinds: list[str]) -> None:
    assert [each.kind for each in push(small, "org/mood", only=only)] == kinds
    card = hub.files("org/mood")["README.md"] if "model" in kinds else b"---\n{}\n---\n"
    assert front(card).get("datasets") == (["org/mood"] if only is None else None)


def test_a_dry_run_says_what_would_be_sent_and_calls_nobody(
    hub: FakeHub, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    told = push(small, "org/mood", with_dropped=True, dry_run=True)
    assert hub.journal == []
    monkeypatch.setenv("HF_TOKEN", hub.token)
    sent = push(small, "org/mood", with_dropped=True)
    assert [(each.kind, each.url, each.files) for each in told] == [(e.kind, e.url, e.files) for e in sent]


def test_repositories_are_private_unless_asked(hub: FakeHub, small: Path) -> None:
    push(small, "org/hidden")
    push(small, "org/open", private=False)
    for kind in ("dataset", "model"):
        assert hub.repositories.get((kind, "org/hidden")).private
        assert not hub.repositories.get((kind, "org/open")).private


def test_a_branch_is_made_and_main_stays(hub: FakeHub, small: Path) -> None:
    push(small, "org/mood", only="data")
    push(small, "org/mood", only="data", revision="drafts/2", with_dropped=True)
    push(small, "org/mood", only="data", revision="drafts/2", with_dropped=True)
    assert DROPPED in hub.files("org/mood", "dataset", revision="drafts/2")
    assert DROPPED not in hub.files("org/mood", "dataset")
    assert len(hub.commits("org/mood", "dataset", revision="drafts/2")) == 3


def test_cards_are_valid_and_say_what_matters(hub: FakeHub, small: Path) -> None:
    push(small, "org/mood", with_dropped=True, licence="cc-by-4.0")
    data, model = (hub.files("org/mood", kind)["README.md"] for kind in ("dataset", "model"))
    for card, kind in ((data, "dataset"), (model, "model")):
        assert complaints(card.decode(), kind) == []
        assert front(card)["license"] == "cc-by-4.0"
        assert front(card)["language"] == ["ja"]
        for words in (
            "客の声が喜んでいるか怒っているかを見分ける。",
            "glad",
            "scripted",
            "Stated by the publisher: cc-by-4.0.",
        ):
            assert words in card.decode()
    assert front(data)["size_categories"] == ["n<1K"]
    assert front(data)["task_categories"] == ["text-classification"]
    kept = len(read_rows(small / "2-curate/examples.jsonl"))
    assert f"| curate | 60 | {kept} | too_short {60 - kept} |" in data.decode()
    assert re.search(r"0\.\d{3} to \d\.\d{3}", model.decode())
    assert "datasets" in front(model)
    assert model.decode().count("Stated by the publisher") == 1
    assert "No licence" not in model.decode()
    push(small, "org/unstated", only="model")
    unstated = hub.files("org/unstated")["README.md"].decode()
    assert unstated.count("No licence is given here") == 1
    assert "publisher has stated" not in unstated


def test_of_an_ensemble_one_seed_is_sent_and_that_is_said(small: Path, hub: FakeHub) -> None:
    said: list[str] = []
    push(small, "org/mood", only="model", say=said.append)
    assert not any("ensemble" in line for line in said)
    assert "one seed" not in hub.files("org/mood")["README.md"].decode()
    settings = json.loads((small / "experiment.json").read_text("utf-8"))
    change(small / "experiment.json", train={**settings["train"], "ensemble": True})
    push(small, "org/mood", only="model", say=said.append)
    assert sum("one seed (linear, seed 0) of an ensemble" in line for line in said) == 1
    assert "**one seed** of an ensemble of 2" in hub.files("org/mood")["README.md"].decode()
    push(small, "org/mood", only="data", say=(told := []).append)
    assert not any("ensemble" in line for line in told)


@pytest.mark.parametrize("inside", ["3-train/linear/seed-0", "3-train"])
def test_a_folder_of_a_run_is_refused_with_the_run(small: Path, inside: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(small.parent)
    with pytest.raises(RunError, match=f"folder of the run {small.name}, and push takes the whole run") as caught:
        push(Path(small.name) / inside, "org/mood", dry_run=True)
    assert caught.value.remedy == f"japagen push {small.name} --to ORG/NAME"
    monkeypatch.chdir(small / inside)
    with pytest.raises(RunError, match="push takes the whole run") as caught:
        push(".", "org/mood", dry_run=True)
    assert str(small.resolve()) in caught.value.remedy


def test_cards_name_no_path_of_this_machine(hub: FakeHub, small: Path) -> None:
    settings = json.loads((small / "experiment.json").read_text("utf-8"))
    for given in ("gguf:/home/taro/models/tiny.gguf", r"gguf:C:\Users\taro\models\tiny.gguf"):
        llm = {**settings["llm"], "name": given, "base_url": "http://taro.example:8000/v1"}
        change(small / "experiment.json", llm=llm, task="/home/taro/mood.yaml")
        change(small / "1-generate/done.json", llm=given)
        push(small, "org/mood")
        cards = hub.files("org/mood", "dataset")["README.md"] + hub.files("org/mood")["README.md"]
        assert b"`gguf:tiny.gguf`" in cards
        assert cards.count(b"tiny.gguf") > 1
        assert b"taro" not in cards


def test_a_classifier_on_an_encoder_in_a_folder_names_no_path(hub: FakeHub, small: Path) -> None:
    place = Run(small)
    file = place.folder("train") / trained_models(place)[0].folder / "classifier.json"
    change(file, model="/home/taro/encoders/tiny")
    name = file.relative_to(place.folder("train")).as_posix()
    done = place.folder("train") / "done.json"
    outputs = {**json.loads(done.read_text("utf-8"))["outputs"], name: file_digest(file)}
    change(done, outputs=outputs)
    push(small, "org/mood", only="model")
    assert json.loads(hub.files("org/mood")["classifier.json"])["model"] == "tiny"


@pytest.mark.parametrize(
    ("licence", "fields"),
    [
        (None, {}),
        ("MIT", {"license": "mit"}),
        ("LicenseRef-Gemma", {"license": "other", "license_name": "gemma"}),
    ],
)
def test_the_licence_in_a_card(hub: FakeHub, small: Path, licence: str | None, fields: dict[str, str]) -> None:
    said: list[str] = []
    push(small, "org/mood", only="data", licence=licence, say=said.append)
    card = front(hub.files("org/mood", "dataset")["README.md"])
    assert {key: card[key] for key in card if key.startswith("license")} == fields
    assert any("no licence is stated" in line for line in said) == (licence is None)


def test_a_licence_that_is_none_is_refused_with_the_nearest(small: Path) -> None:
    with pytest.raises(DataError, match="Apache2") as caught:
        push(small, "org/mood", licence="Apache2", dry_run=True)
    assert "did you mean 'Apache-2.0'?" in caught.value.remedy


def test_terms_of_the_model_are_a_notice(small: Path) -> None:
    settings = json.loads((small / "experiment.json").read_text("utf-8"))
    change(small / "experiment.json", llm={**settings["llm"], "name": "openai:gpt-4o-mini"})
    said: list[str] = []
    push(small, "org/mood", dry_run=True, say=said.append)
    assert said[0].startswith("mind: OpenAI's Terms of Use")


def test_a_run_that_has_not_got_far_is_refused(workplace: Path, small: Path) -> None:
    (small / "3-train/done.json").unlink()
    assert [each.kind for each in push(small, "org/mood", only="data", dry_run=True)] == ["dataset"]
    with pytest.raises(RunError, match="no student has been trained yet"):
        push(small, "org/mood", dry_run=True)
    (small / "2-curate/done.json").unlink()
    with pytest.raises(RunError, match="no texts have been curated yet"):
        push(small, "org/mood", dry_run=True)
    with pytest.raises(RunError, match="there is no run"):
        push(workplace / "none", "org/mood", dry_run=True)


@pytest.mark.parametrize("name", ["2-curate/examples.jsonl", "3-train/linear/seed-0/weights.safetensors"])
def test_files_that_were_changed_are_not_pushed(small: Path, name: str) -> None:
    with (small / name).open("ab") as file:
        file.write(b"\n")
    with pytest.raises(RunError, match="is gone or was changed"):
        push(small, "org/mood", dry_run=True)


def test_settings_of_huggingface_hub_are_put_back(hub: FakeHub, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", False)
    push(small, "org/mood", only="data")
    assert constants.HF_HUB_DISABLE_XET is False
    assert get_session().timeout.read is None  # its own client again, which waits for ever


def test_nothing_but_the_hub_is_called_and_no_telemetry_is_sent(
    hub: FakeHub, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", False)
    push(small, "org/mood")
    assert all("torch" not in served.agent and "agent" not in served.agent for served in hub.journal)
    assert all(served.status == 200 or served.status == 404 for served in hub.journal)
