"""What every student must do, whichever it is: learn, repeat itself, survive a folder, and refuse in words."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from japagen.errors import DataError, ModelError
from japagen.records import Example, Prediction
from japagen.sections import EncoderSection
from japagen.student import STUDENTS, Classifier, SavedClassifier, Student, Training, load_classifier, load_student

GOODS = ["本", "茶", "傘", "椅子", "時計", "靴", "鞄", "皿"]
SAYINGS = {
    "angry": ["{}がすぐ壊れて最悪でした。", "この{}には本当にがっかりした。", "{}は二度と買いません。"],
    "glad": ["{}がとても気に入りました。", "この{}は最高で大満足だ。", "{}をまた買います。"],
}
HOSTILE = ["", " ", "\n\t", "a\x00b", "😀" * 30, "\ud800", "x\udfffy", "あ" * 100_000, "ﷺ" * 3000, "\u200b", "́" * 50]


def singles() -> list[Example]:
    return [
        Example(f"{label}-{i}-{n}", saying.format(goods), label)
        for i, goods in enumerate(GOODS)
        for label, sayings in SAYINGS.items()
        for n, saying in enumerate(sayings)
    ]


def pairs() -> list[Example]:
    """Same text twice, or two that have nothing in common."""
    rows = singles()
    others = [*rows[7:], *rows[:7]]
    same = [replace(e, id=f"s{e.id}", label="same", text_pair=e.text) for e in rows]
    return same + [
        replace(e, id=f"o{e.id}", label="other", text_pair=o.text) for e, o in zip(rows, others, strict=True)
    ]


def accuracy(classifier: Classifier, rows: list[Example]) -> float:
    return sum(p.label == e.label for p, e in zip(classifier.predict(rows), rows, strict=True)) / len(rows)


@pytest.fixture(params=STUDENTS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def student(name: str, request: pytest.FixtureRequest) -> Student:
    if name != "encoder":
        return load_student(name)
    section = EncoderSection(
        model=str(request.getfixturevalue("tiny_bert")),
        learning_rate=3e-3,
        batch_size=8,
        min_steps=160,
        precision="fp32",
        max_length=64,
    )
    return load_student(name, Training(section))


def assert_same(first: list[Prediction], second: list[Prediction], name: str) -> None:
    """Equal to the last bit; for networks, whose rows are computed together, but for the last bits."""
    if name != "encoder":
        assert first == second
        return
    assert [(p.id, p.label) for p in first] == [(p.id, p.label) for p in second]
    for one, other in zip(first, second, strict=True):
        assert one.scores == pytest.approx(other.scores, abs=1e-5)


@pytest.fixture
def saved(student: Student, tmp_path: Path) -> Path:
    student.fit(singles()[:24], (), seed=0).save(tmp_path)
    return tmp_path


@pytest.mark.parametrize("rows", [singles(), pairs()], ids=["single", "pair"])
def test_learns_what_is_plain(student: Student, rows: list[Example]) -> None:
    train, test = rows[::2] + rows[1::4], rows[3::4]
    assert accuracy(student.fit(train, test[:4], seed=0), test[4:]) >= 0.8


@pytest.mark.parametrize("rows", [singles(), pairs()], ids=["single", "pair"])
def test_predictions_are_complete(student: Student, rows: list[Example]) -> None:
    classifier = student.fit(rows, (), seed=0)
    said = classifier.predict(rows)
    assert isinstance(classifier, SavedClassifier)
    assert [p.id for p in said] == [e.id for e in rows]
    assert classifier.predict([]) == []
    for prediction in said:
        assert set(prediction.scores) == {e.label for e in rows}
        assert sum(prediction.scores.values()) == pytest.approx(1, abs=1e-12)
        assert prediction.label == max(prediction.scores, key=lambda label: prediction.scores[label])


@pytest.mark.parametrize("rows", [singles(), pairs()], ids=["single", "pair"])
def test_same_after_saving(student: Student, rows: list[Example], name: str, tmp_path: Path) -> None:
    classifier = student.fit(rows[::2], rows[1::4], seed=0)
    classifier.save(tmp_path)
    loaded = load_classifier(tmp_path)
    assert type(loaded) is type(classifier)
    assert loaded.predict(rows) == classifier.predict(rows)
    about = json.loads((tmp_path / "classifier.json").read_text(encoding="utf-8"))
    assert (about["student"], about["format"], about["labels"]) == (name, 1, sorted({e.label for e in rows}))


def test_same_in_another_process(saved: Path) -> None:
    said = load_classifier(saved).predict(singles())
    program = (
        "import sys; from pathlib import Path; from japagen.student import load_classifier; "
        "from japagen.records import Example; "
        "texts = sys.stdin.buffer.read().decode().split('\\n'); "
        "print([p.scores for p in load_classifier(Path(sys.argv[1])).predict([Example('', t, '') for t in texts])])"
    )
    texts = "\n".join(e.text for e in singles())
    ran = subprocess.run([sys.executable, "-c", program, saved], input=texts.encode(), capture_output=True, check=True)
    assert ran.stdout.decode().strip() == str([p.scores for p in said])


@pytest.mark.parametrize("dev", [[], singles()[24:]], ids=["cross-validated", "dev"])
def test_same_seed_same_classifier(student: Student, dev: list[Example]) -> None:
    first, second = (student.fit(singles()[:24], dev, seed=5).predict(singles()) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("rows", [singles(), pairs()], ids=["single", "pair"])
def test_prediction_does_not_depend_on_company(student: Student, rows: list[Example], name: str) -> None:
    classifier = student.fit(rows[::2], rows[1::4], seed=0)
    together = classifier.predict(rows)
    assert_same([classifier.predict([e])[0] for e in rows], together, name)
    assert_same(classifier.predict(rows[::-1])[::-1], together, name)


def test_own_labels_are_not_looked_at(student: Student) -> None:
    classifier = student.fit(singles(), (), seed=0)
    assert classifier.predict([replace(e, label="?") for e in singles()]) == classifier.predict(singles())


def test_three_labels_of_one_example_each(student: Student) -> None:
    rows = [Example("1", "本は最高", "a"), Example("2", "茶が壊れた", "b"), Example("3", "傘をまた買います", "c")]
    assert accuracy(student.fit(rows, (), seed=0), rows) == 1


def test_dev_label_unknown_to_train(student: Student) -> None:
    assert student.fit(singles()[:24], [replace(singles()[0], label="new")], seed=0).predict(singles())


@pytest.mark.parametrize("pair", [False, True])
def test_hostile_texts(student: Student, pair: bool, tmp_path: Path) -> None:
    hostile = [Example(str(i), text, "angry", text[::-1] if pair else None) for i, text in enumerate(HOSTILE)]
    good = [replace(e, text_pair=e.text) if pair else e for e in singles()]
    classifier = student.fit([*good, *hostile], hostile, seed=0)
    classifier.save(tmp_path)
    said = load_classifier(tmp_path).predict(hostile)
    assert said == classifier.predict(hostile)
    assert all(0 <= score <= 1 for p in said for score in p.scores.values())


@pytest.mark.parametrize(
    ("train", "words"),
    [
        ([], "no training examples"),
        (singles()[:3], "all 3 training examples have the label 'angry'"),
        ([*singles(), *pairs()], "the example has two texts"),
        ([*pairs(), *singles()], "the example has one text"),
    ],
)
def test_refuses_to_learn(student: Student, train: list[Example], words: str) -> None:
    with pytest.raises(DataError, match=words):
        student.fit(train, (), seed=0)


def test_refuses_a_pair_where_it_learnt_single_texts(student: Student) -> None:
    with pytest.raises(DataError, match=r"(?s)^ssomething.*two texts"):
        student.fit(singles(), (), seed=0).predict([Example("ssomething", "a", "", "b")])


def test_no_pickle(saved: Path, name: str) -> None:
    files = {file.name for file in saved.iterdir()}
    if name == "encoder":
        assert files == {"classifier.json", "model.safetensors", "config.json", "tokenizer_config.json", "vocab.txt"}
    else:
        assert files <= {"classifier.json", "weights.safetensors", "vocabulary.json"}
    assert not any(file.read_bytes().startswith(b"\x80") for file in saved.iterdir())


def weights(folder: Path) -> Path:
    [file] = folder.glob("*.safetensors")
    return file


def test_refuses_a_flipped_byte(saved: Path) -> None:
    file = weights(saved)
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(ModelError, match=r"(?s)\.safetensors: the checksum differs.*train again"):
        load_classifier(saved)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"student": "linaer"}, r"(?s)student 'linaer'.*did you mean 'linear'\?"),
        ({"student": 3}, "lacks 'student'"),
        ({"format": 9}, "format 9 is not known here"),
        ({"labels": ["angry"]}, "lacks 'student'"),
        ({"labels": ["a", "b", "c"]}, "of another shape"),
        ({"sha256": "0"}, "the checksum differs"),
        ({"pair": None}, "'pair' is missing or no bool"),
        ({"C": None}, "'C' is missing or no float"),
        ({"pair": True}, "the weights do not fit"),
    ],
)
def test_refuses_another_classifier_json(saved: Path, change: dict[str, object], words: str, name: str) -> None:
    if name == "encoder" and (change == {"C": None} or change == {"pair": True}):
        pytest.skip("an encoder has no C, and its weights are the same for single texts and pairs")
    file = saved / "classifier.json"
    about = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**about, **change}), encoding="utf-8")
    with pytest.raises(ModelError, match=words):
        load_classifier(saved)


def test_refuses_bad_json_and_missing_files(saved: Path) -> None:
    weights(saved).unlink()
    with pytest.raises(ModelError, match=r"\.safetensors: cannot be read: No such file"):
        load_classifier(saved)
    (saved / "classifier.json").write_bytes(b'{"student": "\xff')
    with pytest.raises(ModelError, match="not valid JSON"):
        load_classifier(saved)
    (saved / "classifier.json").unlink()
    with pytest.raises(ModelError, match=r"classifier\.json: cannot be read"):
        load_classifier(saved)
    with pytest.raises(ModelError, match="no such folder"):
        load_classifier(saved / "absent")
