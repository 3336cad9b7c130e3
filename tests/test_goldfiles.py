"""What a task or an experiment may say of gold data, and what is refused with which words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from japagen.errors import ConfigError
from japagen.experiment import Experiment
from japagen.goldfiles import Gold, GoldFile, Split
from japagen.goldsets import PUBLISHED
from japagen.task import Task

FILE, OTHER, THIRD = {"file": "a.csv"}, {"file": "b.csv"}, {"file": "c.csv"}


def gold(**given: Any) -> Gold:
    return Gold.model_validate(given)


def test_the_forms_that_the_documentation_shows() -> None:
    assert gold(test=FILE).has_dev is gold(test=FILE).has_train is False
    assert gold(dev=FILE, test=OTHER).has_dev
    held = gold(train=FILE, test=OTHER, split={"dev": 0.1})
    assert held.has_dev
    assert held.has_train
    whole = gold(all=FILE, split={"dev": 0.1, "test": 0.2, "seed": 3})
    assert whole.has_dev
    assert whole.has_train
    assert whole.split == Split(dev=0.1, test=0.2, seed=3)
    assert not gold(all=FILE, split={"test": 0.2}).has_dev
    assert list(gold(train=FILE, dev=OTHER, test=THIRD).files) == ["train", "dev", "test"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "test: this key is needed"),
        ({"dev": FILE}, "test: this key is needed"),
        ({"train": FILE, "split": {"test": 0.2}}, "(to split 'train', call it 'all')"),
        ({"all": FILE}, "all: 'all' needs a share to measure on: split: {dev: 0.1, test: 0.2}"),
        ({"all": FILE, "split": {"dev": 0.1}}, "split: 'all' needs a share to measure on"),
        ({"all": FILE, "test": OTHER, "split": {"test": 0.2}}, "test: 'all' holds every row"),
        ({"test": FILE, "split": {"test": 0.2}}, "split.test: the test rows have a file of their own"),
        ({"test": FILE, "split": {}}, "split: holds nothing back"),
        ({"test": FILE, "split": {"dev": 0.2}}, "split.dev: is taken out of the train rows, and there are none"),
        ({"train": THIRD, "dev": OTHER, "test": FILE, "split": {"dev": 0.2}}, "split.dev: the dev rows have a file"),
        ({"all": FILE, "split": {"dev": 0.5, "test": 0.5}}, "split: dev and test are 1 of the rows"),
        ({"dev": FILE, "test": FILE}, "test: is the same file as dev"),
        ({"train": FILE, "test": FILE | {"text": "title"}}, "test: is the same file as train"),
    ],
)
def test_what_does_not_fit_together_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Gold.model_validate(given)
    assert said in str(caught.value)


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5, float("nan"), "viele"])
def test_shares_lie_between_none_and_all(share: object) -> None:
    with pytest.raises(ValidationError):
        gold(all=FILE, split={"test": share})


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_set_is_named_by_a_word(name: str) -> None:
    named = Gold.model_validate(name)
    assert named == Gold.model_validate(PUBLISHED[name].gold)
    assert named.has_dev
    assert named.has_train
    known = {f"published:{name}/{file.name}" for file in PUBLISHED[name].files if not file.extra}
    assert {file.file for file in named.files.values()} == known
    assert named.within(Path("/somewhere")) == named  # they lie in the cache, wherever the experiment does
    task = Task.load(name)
    for file in named.files.values():
        assert (file.text_pair is not None) == task.is_pair
        assert set(file.labels.values()) <= set(task.label_names)
    assert Gold.model_validate(named.model_dump(mode="json")) == named


def test_every_published_file_is_pinned_or_says_that_it_is_not() -> None:
    for each in PUBLISHED.values():
        assert each.licence
        for file in each.files:
            assert file.url.startswith("https://")
            assert file.url.endswith(file.name)
            pinned = file.sha256 or file.articles
            assert file.extra or pinned
            assert pinned is None or (len(pinned) == 64 and set(pinned) <= set("0123456789abcdef"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("jnlii", "gold: no published set is called 'jnlii'; did you mean 'jnli'?"),
        ("own.csv", "no published set is called 'own.csv'; a file of yours is written as test: {file: own.csv}"),
        ({"test": {"file": "published:jsts/valid.json"}}, "'jsts' has no file 'valid.json'; did you mean 'valid-v1.3"),
        ({"test": {"file": "published:marc/x.json"}}, "no published set is called 'marc'"),
        ({"test": {"file": "a.csv", "max_chars": 0}}, "gold.test.max_chars: Input should be greater than"),
        ({"test": {"file": "a.csv", "max_char": 5}}, "unknown key; did you mean 'max_chars'?"),
        ({"all": FILE, "split": {"tset": 0.2}}, "gold.split.tset: unknown key; did you mean 'test'?"),
        ({"dev": FILE}, "gold: test: this key is needed"),
        ({"all": FILE, "split": {"dev": 0.5, "test": 0.6}}, "gold.split: dev and test are 1.1 of the rows"),
    ],
)
def test_an_experiment_names_the_place_and_the_nearest_name(workplace: Path, given: object, said: str) -> None:
    file = workplace / "small.yaml"
    told = yaml.safe_load(file.read_text(encoding="utf-8")) | {"gold": given}
    file.write_text(yaml.safe_dump(told), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        Experiment.load(file)
    assert said in caught.value.what
    assert str(file) in caught.value.where


def test_files_are_found_beside_the_file_that_names_them(workplace: Path) -> None:
    file = workplace / "small.yaml"
    told = yaml.safe_load(file.read_text(encoding="utf-8"))
    told["gold"] = {"all": {"file": "gold-dev.jsonl", "max_chars": 9}, "split": {"test": 0.5}}
    file.write_text(yaml.safe_dump(told), encoding="utf-8")
    task = Experiment.load(file).load_task()
    assert task.gold is not None
    assert task.gold.all == GoldFile(file=str((workplace / "gold-dev.jsonl").resolve()), max_chars=9)
    assert Experiment.load(file, changes={"gold": "jnli"}).gold == Gold.model_validate("jnli")


def test_a_published_file_lies_in_the_cache(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAPAGEN_CACHE", str(workplace / "cache"))
    task = Task.load(workplace / "mood.yaml")
    found = task.path("published:jnli/valid-v1.3.json")
    assert found == workplace / "cache" / "gold" / "jnli" / "valid-v1.3.json"
    assert task.path("gold-dev.jsonl") == workplace / "gold-dev.jsonl"
