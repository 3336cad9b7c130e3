"""The built-in tasks on single texts that the paper measures: marc-ja, news and covid-19."""

import json
import tarfile
import unicodedata
from pathlib import Path

import pytest

from japagen.experiment import Experiment
from japagen.knowledge import Mechanisms
from japagen.prompts import Wanted, labelling_prompt, writing_prompt
from japagen.task import Task

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
NEWS = [
    "topic-news", "sports-watch", "it-life-hack", "kaden-channel", "movie-enter",
    "dokujo-tsushin", "smax", "livedoor-homme", "peachy",
]  # fmt: skip
LABELS = {
    "marc-ja": ["positive", "negative"],
    "news": NEWS,
    "covid-19": ["public-facts", "personal-facts", "opinion", "unrelated"],
}
MAX_CHARS = {"marc-ja": 200, "news": 200, "covid-19": 100}
UPSTREAM = {"marc-ja": "marcja", "news": "news", "covid-19": "covid-19"}

each_task = pytest.mark.parametrize("name", LABELS)


def texts(task):
    return [shot.text for label in task.labels.values() for shot in label.shots]


def prompts(task, arm, style):
    """(label, attributes, messages) of each label and each value of each attribute, or once where there is none."""
    mechanisms = task.mechanisms(arm == "kadg")
    for label, spec in task.labels.items():
        shots = spec.shots[:5] if arm == "few-shot" else ()
        used = {name: a for name, a in task.attributes.items() if arm == "kadg" and label not in a.not_for}
        rows = max((len(a.values) for a in used.values()), default=1)
        for row in range(rows):
            given = {name: list(a.values)[row % len(a.values)] for name, a in used.items()}
            wanted = Wanted(attributes=given, mechanisms=mechanisms, shots=shots)
            yield label, given, writing_prompt(task, label, style=style, wanted=wanted)


def grams(text, n=3):
    """Character n-grams, spaces and full-width forms aside."""
    plain = "".join(unicodedata.normalize("NFKC", text).split())
    return {plain[i : i + n] for i in range(len(plain) - n + 1)}


@each_task
def test_a_task_is_what_the_paper_measures(name):
    task = Task.load(name)
    assert (task.name, task.kind, task.metric, task.max_chars) == (name, "single", "accuracy", MAX_CHARS[name])
    assert list(task.label_names) == LABELS[name]
    assert task.gold is None
    assert "Apache-2.0" in task.licence


@each_task
def test_shots_are_many_short_enough_and_no_two_the_same(name):
    task = Task.load(name)
    assert min(len(label.shots) for label in task.labels.values()) >= 8
    assert max(map(len, texts(task))) <= task.max_chars
    assert not [text for text in texts(task) if "\n" in text]
    seen = [grams(text) for text in texts(task)]
    near = [
        (i, j) for i in range(len(seen)) for j in range(i) if len(seen[i] & seen[j]) >= 0.3 * len(seen[i] | seen[j])
    ]
    assert near == []


@each_task
@pytest.mark.parametrize("style", ["chat", "document"])
@pytest.mark.parametrize("arm", ["plain", "kadg", "few-shot"])
def test_every_gap_is_filled_in_every_arm(name, arm, style):
    for _, _, messages in prompts(Task.load(name), arm, style):
        assert not [m for m in messages if "{" in m.content or "}" in m.content]


@each_task
@pytest.mark.parametrize("style", ["chat", "document"])
@pytest.mark.parametrize("arm", ["plain", "few-shot"])
def test_labels_are_asked_for_differently_without_knowledge(name, arm, style):
    shown = {label: messages for label, _, messages in prompts(Task.load(name), arm, style)}
    assert len(set(shown.values())) == len(LABELS[name])


@each_task
def test_knowledge_stands_in_the_instruction_and_only_where_it_is_asked_for(name):
    task = Task.load(name)
    plain = {label: messages for label, _, messages in prompts(task, "plain", "chat")}
    for label, given, messages in prompts(task, "kadg", "chat"):
        added = messages[-1].content.splitlines()[1:]
        assert len(added) == len(given)
        assert all(value in line for value, line in zip(given.values(), added, strict=True))
        assert plain[label][-1].content.count("\n") == 0


@each_task
def test_the_rule_is_one_more_line_of_the_system_message(name):
    task = Task.load(name)
    rule = task.knowledge.rule
    for _, _, messages in prompts(task, "kadg", "chat"):
        assert messages[0].content == "\n".join([task.system, rule] if rule else [task.system])
    for _, _, messages in prompts(task, "plain", "chat"):
        assert messages[0].content == task.system


def test_every_review_has_a_product_group_and_a_shot_shows_it():
    task = Task.load("marc-ja")
    groups = set(task.attributes["word"].values)
    for label in task.labels.values():
        assert {shot.word for shot in label.shots} == groups
    shots = task.labels["positive"].shots[:1]
    wanted = Wanted(attributes={"word": "工具"}, mechanisms=task.mechanisms(["word", "rule"]), shots=shots)
    _, asked, _, last = writing_prompt(task, "positive", style="chat", wanted=wanted)
    assert (shots[0].word in asked.content, "工具" in asked.content, "工具" in last.content) == (True, False, True)


def test_reviews_say_no_stars():
    assert not [text for text in texts(Task.load("marc-ja")) if "星" in text or "★" in text or "点満点" in text]


def test_unrelated_tweets_have_no_topic():
    task = Task.load("covid-19")
    assert task.attributes["word"].not_for == ("unrelated",)
    assert not [shot for shot in task.labels["unrelated"].shots if shot.word]
    assert all(shot.word for name in LABELS["covid-19"][:3] for shot in task.labels[name].shots)


def test_published_facts_are_not_asked_for_in_a_colloquial_register():
    for label, given, _ in prompts(Task.load("covid-19"), "kadg", "chat"):
        assert ("register" in given) == (label != "public-facts")


def test_news_has_descriptions_in_place_of_names_and_no_words():
    task = Task.load("news")
    assert "word" not in task.attributes
    described = Wanted(mechanisms=Mechanisms(descriptions=True))
    for name, label in task.labels.items():
        named = writing_prompt(task, name, style="chat", wanted=Wanted())[-1].content
        told = writing_prompt(task, name, style="chat", wanted=described)[-1].content
        assert (label.verbalisation in named, label.description in named) == (True, False)
        assert (label.verbalisation in told, label.description in told) == (False, True)
    assert len({label.description for label in task.labels.values()}) == 9


def test_each_section_of_the_news_has_one_register():
    for label, given, _ in prompts(Task.load("news"), "kadg", "chat"):
        assert list(given) == ["soft_register" if label in ("smax", "livedoor-homme", "peachy") else "register"]


def test_an_article_does_not_name_its_section():
    task = Task.load("news")
    names = [label.verbalisation.lower() for label in task.labels.values()]
    assert not [text for text in texts(task) if any(name in text.lower() for name in names)]


@each_task
@pytest.mark.parametrize("style", ["chat", "document"])
def test_a_model_can_be_asked_for_the_label(name, style):
    task = Task.load(name)
    messages = labelling_prompt(task.prompting, ("本文です。", None), style=style, shots=[])
    assert "本文です。" in messages[-1].content
    assert all(label.verbalisation in messages[0].content for label in task.labels.values())


@each_task
def test_the_example_runs_every_arm_of_the_task(name):
    experiment = Experiment.load(ROOT / "examples" / f"{name}.yaml")
    task = experiment.load_task()
    assert (experiment.name, task.name, experiment.llm.name) == (name, name, "openai:gpt-4o-mini")
    for kadg, shots in ((True, 0), (False, 0), (False, 5)):
        changed = {"generate": experiment.generate.model_copy(update={"kadg": kadg, "shots": shots})}
        assert experiment.model_copy(update=changed).load_task() == task


@pytest.mark.skipif(not SHARED.joinpath("gold/news").is_dir(), reason="the gold data are not here: ../shared/gold/news")
def test_no_shot_of_the_news_is_taken_from_the_corpus():
    shots = {text: grams(text) for text in texts(Task.load("news"))}
    spans = set().union(*(grams(text, 20) for text in shots))
    with tarfile.open(SHARED / "gold/news/ldcc-20140209.tar.gz") as corpus:
        articles = [
            corpus.extractfile(member).read().decode()
            for member in corpus
            if Path(member.name).parent.name in LABELS["news"] and Path(member.name).stem[-1].isdigit()
        ]
    assert len(articles) == 7367
    for article in articles:
        body = "".join(article.split("\n")[2:])
        assert not spans & grams(body, 20)
        opening = grams(body[:200])
        assert not [text for text, own in shots.items() if len(own & opening) >= 0.6 * len(own | opening)]


@each_task
@pytest.mark.skipif(not SHARED.joinpath("upstream-configs").is_dir(), reason="not here: ../shared/upstream-configs")
def test_no_instruction_is_that_of_the_authors(name):
    task = Task.load(name)
    ours = [line.lstrip("・") for line in task.system.splitlines()]
    ours += [task.instructions(label)[0] for label in task.label_names]
    ours += [attribute.instruction for attribute in task.attributes.values()]
    for starred in ("", "*"):
        theirs = json.loads((SHARED / "upstream-configs" / f"{UPSTREAM[name]}{starred}.json").read_text("utf-8"))
        asked = [label["instruction"] for label in theirs["labels"].values()]
        lines = {line.lstrip("- ") for text in [theirs["content"], *asked] for line in text.splitlines()}
        assert not lines & set(ours)
