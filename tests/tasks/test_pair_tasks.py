"""The tasks jsts, jnli and jcola: what they say of themselves, their shots, and the prompts of the paper's three arms.

What cannot be tested here, whether a shot has the label that it stands under, was judged blind: shuffled, without labels.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from japagen.experiment import Experiment
from japagen.llm import Style
from japagen.prompts import Wanted, first_prompt, labelling_prompt, writing_prompt
from japagen.records import Message
from japagen.task import Task

ROOT = Path(__file__).parents[2]
GOLD = ROOT.parent / "shared" / "gold"
UPSTREAM = ROOT.parent / "shared" / "upstream-configs"

FACTS = {  # kind, metric, labels, verbalisations
    "jsts": ("similarity", "spearman", tuple("012345"), tuple("012345")),
    "jnli": ("pair", "accuracy", ("entailment", "contradiction", "neutral"), ("含意", "矛盾", "中立")),
    "jcola": ("single", "mcc", ("unacceptable", "acceptable"), ("誤り", "正しい")),
}
POLITE = {"jsts": 0.93, "jnli": 0.92, "jcola": 0.04}  # share of です・ます in the real data
ARMS: dict[str, tuple[bool | str, int]] = {
    "plain": (False, 0),
    "kadg": (True, 0),
    "kadg-word": ("word", 0),
    "few-shot": (False, 5),
}
PAIRS = ("jsts", "jnli")
FIRST = "庭に椅子が二つあります。"


def texts_of(task: Task, label: str | None = None) -> list[str]:
    """All texts of the shots (of one label), first and second ones."""
    labels = task.label_names if label is None else (label,)
    shots = [shot for name in labels for shot in task.labels[name].shots]
    return [text for shot in shots for text in (shot.text, shot.text_pair) if text is not None]


def polite(text: str) -> bool:
    return re.search(r"(ます|です|ません|ました|でした)か?。$", text) is not None


def trigrams(text: str) -> set[str]:
    kept = re.sub(r"[\s、。，．]", "", text)
    return {kept[i : i + 3] for i in range(len(kept) - 2)}


def test_the_closeness_of_two_texts_by_hand() -> None:
    assert trigrams("猫がいた。") == {"猫がい", "がいた"}
    assert trigrams("猫が、いた") == trigrams("猫がいた")


def prompts(task: Task, arm: str, style: Style) -> Iterator[tuple[str, tuple[Message, ...]]]:
    """Every prompt of an arm with its label, for every value of every attribute that is used."""
    kadg, count = ARMS[arm]
    used = task.mechanisms(kadg)
    values = {name: list(task.attributes[name].values) for name in used.attributes}
    for row in range(max(map(len, values.values()), default=1)):
        given = {name: listed[row % len(listed)] for name, listed in values.items()}
        for label, spec in task.labels.items():
            wanted = Wanted(attributes=given, mechanisms=used, shots=spec.shots[:count])
            if task.is_pair:
                yield label, first_prompt(task, style=style, wanted=wanted)
            first = FIRST if task.is_pair else None
            yield label, writing_prompt(task, label, style=style, wanted=wanted, first=first)


@pytest.fixture(params=FACTS)
def task(request: pytest.FixtureRequest) -> Task:
    return Task.load(request.param)


def test_what_the_task_says_of_itself(task: Task) -> None:
    kind, metric, labels, verbalisations = FACTS[task.name]
    assert (task.kind, task.metric, task.max_chars, task.label_names) == (kind, metric, 50, labels)
    assert tuple(label.verbalisation for label in task.labels.values()) == verbalisations
    assert task.gold is None
    assert task.prompting is not None
    assert task.licence is not None
    assert "Apache-2.0" in task.licence


def test_the_values_of_jsts_are_its_labels() -> None:
    task = Task.load("jsts")
    assert [task.value(label) for label in task.label_names] == [0, 1, 2, 3, 4, 5]


def test_no_answer_stands_in_another(task: Task) -> None:
    """A server without likelihoods answers in words; they are matched to the only verbalisation contained in them."""
    answers = [label.verbalisation for label in task.labels.values()]
    assert not [(a, b) for a in answers for b in answers if a != b and a in b]


def test_shots_are_enough_short_enough_and_about_many_things(task: Task) -> None:
    for name, label in task.labels.items():
        assert len(label.shots) >= 8
        assert all(5 <= len(text) <= task.max_chars for text in texts_of(task, name))
        assert len({shot.word for shot in label.shots} - {None}) >= 8, f"{name}: too few words of KADG among the shots"


def test_no_shot_stands_there_twice() -> None:
    counts = Counter(text for name in FACTS for text in texts_of(Task.load(name)))
    assert max(counts.values()) == 1


def test_register_and_length_of_shots_are_near_those_of_the_real_data(task: Task) -> None:
    texts = texts_of(task)
    share = sum(map(polite, texts)) / len(texts)
    assert abs(share - POLITE[task.name]) <= 0.04
    mean = sum(map(len, texts)) / len(texts)
    assert abs(mean - (17.1 if task.name == "jcola" else 22.8)) <= 2.5


def test_the_shares_of_register_are_those_of_the_real_data(task: Task) -> None:
    weights = task.attributes["register"].values
    assert weights["です・ます体"] / sum(weights.values()) == pytest.approx(POLITE[task.name])


def test_negation_gives_no_label_of_jnli_away() -> None:
    task = Task.load("jnli")
    negated = {
        name: sum(bool(re.search("ません|ない|なし", str(shot.text_pair))) for shot in label.shots)
        for name, label in task.labels.items()
    }
    assert min(negated.values()) >= 1
    assert negated["contradiction"] <= max(negated["entailment"], negated["neutral"])


@pytest.mark.parametrize("style", ["chat", "document"])
@pytest.mark.parametrize("arm", ARMS)
def test_every_gap_is_filled(task: Task, arm: str, style: Style) -> None:
    for label, messages in prompts(task, arm, style):
        whole = "\n".join(message.content for message in messages)
        assert not re.search(r"[{}]", whole), f"{label}: {whole}"
        assert all(message.content.strip() for message in messages)


@pytest.mark.parametrize("style", ["chat", "document"])
def test_every_gap_of_the_question_is_filled(task: Task, style: Style) -> None:
    assert task.prompting is not None
    texts = (FIRST, "庭に椅子があります。" if task.is_pair else None)
    messages = labelling_prompt(task.prompting, texts, style=style, shots=[(texts, "誤り")])
    assert not re.search(r"[{}]", "".join(message.content for message in messages))
    if style == "chat":
        assert all(label.verbalisation in messages[0].content for label in task.labels.values())


@pytest.mark.parametrize("arm", ["kadg", "kadg-word"])
def test_the_word_of_a_pair_is_in_the_system_message_of_both_calls(arm: str) -> None:
    for name in PAIRS:
        task = Task.load(name)
        seen = set()
        for _, messages in prompts(task, arm, "chat"):
            system, *turns = messages
            [word] = re.findall(r"題材は「(.+?)」", system.content)
            seen.add(word)
            assert not any(f"「{word}」" in turn.content for turn in turns)
        assert seen == set(task.attributes["word"].values)


@pytest.mark.parametrize("arm", ["kadg", "kadg-word"])
def test_the_word_of_jcola_is_in_the_instruction_of_both_labels(arm: str) -> None:
    task = Task.load("jcola")
    seen = set()
    for label, (system, *_, last) in prompts(task, arm, "chat"):
        [word] = re.findall(r"「(.+?)」", last.content)
        seen.add((label, word))
        assert word not in system.content
    assert seen == {(label, word) for label in task.label_names for word in task.attributes["word"].values}


@pytest.mark.parametrize("arm", ["plain", "few-shot"])
@pytest.mark.parametrize("style", ["chat", "document"])
def test_without_kadg_no_prompt_has_anything_of_it(task: Task, arm: str, style: Style) -> None:
    for _, (system, *turns) in prompts(task, arm, style):
        asked = [turn.content for turn in turns if turn.role == "user"]
        if style == "chat":
            assert system.content == task.system
            assert not any("「" in content for content in asked)
        else:
            words = task.attributes["word"].values
            assert not any(content.startswith((*words,)) for content in asked)


def test_words_are_as_many_as_the_paper_has_or_more(task: Task) -> None:
    assert 9 <= len(task.attributes["word"].values) <= 20


@pytest.mark.parametrize("name", PAIRS)
def test_the_first_call_says_nothing_of_labels(name: str) -> None:
    task = Task.load(name)
    messages = first_prompt(task, style="chat", wanted=Wanted())
    whole = "".join(message.content for message in messages)
    for label in task.labels.values():
        assert str(label.instruction) not in whole
        assert label.meaning not in whole


@pytest.mark.parametrize("name", FACTS)
def test_the_example_can_be_read(name: str) -> None:
    experiment = Experiment.load(ROOT / "examples" / f"{name}.yaml")
    assert experiment.load_task().name == experiment.name == name


@pytest.mark.skipif(not UPSTREAM.is_dir(), reason="the authors' configurations are not in ../shared")
def test_no_sentence_is_one_of_the_authors(task: Task) -> None:
    def sentences(text: str) -> set[str]:
        return {part for part in re.split(r"[。：:\n]|^- ", text, flags=re.M) if len(part.strip()) >= 6}

    theirs: set[str] = set()
    for file in UPSTREAM.glob("*.json"):
        theirs |= sentences("\n".join(strings(json.loads(file.read_text(encoding="utf-8")))))
    ours = {part for text in strings(task.model_dump(mode="json")) for part in sentences(text)}
    assert len(theirs) > 30
    assert not ours & theirs


def strings(data: object) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict | list):
        for part in data.values() if isinstance(data, dict) else data:
            yield from strings(part)


@pytest.mark.skipif(not GOLD.is_dir(), reason="no human-labelled data in ../shared/gold")
def test_no_shot_is_nearly_a_gold_text() -> None:
    """Jaccard index of character 3-grams below .6 against every sentence of JSTS, JNLI and JCoLA."""
    gold: list[str] = []
    for file in sorted(GOLD.glob("j*/*.json")):
        for line in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            gold += [row[column] for column in ("sentence", "sentence1", "sentence2") if column in row]
    parts = {text: trigrams(text) for text in set(gold)}
    assert len(parts) > 10_000
    where: dict[str, list[str]] = {}
    for text, grams in parts.items():
        for gram in grams:
            where.setdefault(gram, []).append(text)
    near = []
    for ours in (text for name in FACTS for text in texts_of(Task.load(name))):
        mine = trigrams(ours)
        shared = Counter(text for gram in mine for text in where.get(gram, ()))
        near += [(ours, text) for text, n in shared.items() if n / (len(mine) + len(parts[text]) - n) >= 0.6]
    assert near == []
