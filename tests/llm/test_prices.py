"""Prices: the built-in table, a user's own entries, and files that cannot be used."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from japagen.errors import ConfigError
from japagen.experiment import Experiment
from japagen.llm.prices import Price, experiment_price, load_prices
from japagen.sections import BudgetSection, LLMSection


@pytest.fixture(autouse=True)
def _no_prices_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAPAGEN_PRICES", raising=False)


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def asking(name: str, folder: Path | None = None, **budget: object) -> Experiment:
    return Experiment(
        name="e", task="t", llm=LLMSection(name=name), budget=BudgetSection.model_validate(budget), folder=folder
    )


def test_every_built_in_price_is_dated_and_has_a_source() -> None:
    prices = load_prices()
    assert len(prices.models) > 10
    for model in prices.models:
        price = prices.of(model)
        assert price is not None
        assert price.model == model
        assert price.source
        assert price.as_of is not None
        assert date(2023, 1, 1) < price.as_of < date(2030, 1, 1)
        assert 0 < price.input <= price.output
        assert price.cached_input is None or price.cached_input < price.input
        assert price.batch in (0.5, 1.0)


def test_money_by_hand() -> None:
    price = load_prices().of("gpt-4o-mini")
    assert price is not None
    assert price.usd(2_000_000, 500_000) == pytest.approx(0.60)  # 2 x 0.15 + 0.5 x 0.60
    assert price.batched().usd(2_000_000, 500_000) == pytest.approx(0.30)
    assert price.batched().batched() == price.batched()


def test_a_snapshot_costs_what_its_base_costs_unless_it_has_an_entry() -> None:
    prices = load_prices()
    assert prices.of("gpt-4o-mini-2024-07-18") is prices.of("gpt-4o-mini")
    assert prices.of("gpt-4.1-2025-04-14") is prices.of("gpt-4.1")
    old, new = prices.of("gpt-4o-2024-05-13"), prices.of("gpt-4o")
    assert old is not None
    assert new is not None
    assert old.input == 2 * new.input


@pytest.mark.parametrize(
    "model",
    ["", "gpt", "gpt-4o-mini-2024", "gpt-4o-mini-2024-07-18-x", "ft:gpt-4o-mini-2024-07-18:me", "openai/gpt-4o"],
)
def test_no_price_is_guessed(model: str) -> None:
    assert load_prices().of(model) is None


def test_own_entries_go_before_the_built_in_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    everywhere = write(
        tmp_path / "everywhere.yaml",
        "models:\n  gpt-4o: {input: 7, output: 8}\n  mine: {input: 1, output: 2, as_of: 2026-01-31, source: 社内}\n",
    )
    here = write(tmp_path / "here.yaml", 'models: {mine: {input: 0, output: 0}, "家の模型": {input: 0, output: 0}}\n')
    monkeypatch.setenv("JAPAGEN_PRICES", str(everywhere))
    prices = load_prices()
    assert prices.of("gpt-4o") == Price("gpt-4o", 7, 8)
    assert prices.of("mine") == Price("mine", 1, 2, as_of=date(2026, 1, 31), source="社内")
    assert prices.of("gpt-4o-mini") is not None
    prices = load_prices(here)
    assert prices.of("gpt-4o") == Price("gpt-4o", 7, 8)
    own = prices.of("家の模型")
    assert own is not None
    assert own.free
    assert prices.of("mine") == Price("mine", 0, 0)


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("models:\n  m: {input: 1}\n", ":2", "models.m.output: this key is needed"),
        ("models:\n  m:\n    input: 1\n    output: -2\n", ":4", "greater than or equal to 0"),
        ("models:\n  m: {input: .nan, output: 1}\n", ":2", "models.m.input"),
        ("models:\n  m: {input: .inf, output: 1}\n", ":2", "models.m.input"),
        ("models:\n  m: {input: 1e300, output: 1}\n", ":2", "models.m.input"),
        ('models:\n  m: {input: "1", output: 1}\n', ":2", "valid number"),
        ("models:\n  m: {input: true, output: 1}\n", ":2", "valid number"),
        ("models:\n  m: {input: 1, output: 1, batch: 2}\n", ":2", "models.m.batch"),
        ("models:\n  m: {input: 1, output: 1, as_of: yesterday}\n", ":2", "models.m.as_of"),
        ("models:\n  m: {input: 1, ouput: 1}\n", ":2", "did you mean 'output'?"),
        ("model:\n  m: {input: 1, output: 1}\n", ":1", "did you mean 'models'?"),
        ("models:\n  m: {input: 1, output: 1}\n  m: {input: 0, output: 0}\n", ":3", "second time"),
        ("models:\n  4.1: {input: 1, output: 1}\n", ":2", "is a number or the like"),
        ("models:\n  m: &a {input: 1, output: 1}\n  n: *a\n", ":3", "references"),
        ("models: [m]\n", ":1", "models"),
        ("- m\n", ":1", "expected keys and values"),
        ("models: {m: {input: !!python/object/apply:os.getcwd [], output: 1}}\n", "prices.yaml", "not valid YAML"),
        ("", "prices.yaml", "empty"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_its_line(tmp_path: Path, text: str, where: str, what: str) -> None:
    file = write(tmp_path / "prices.yaml", text)
    with pytest.raises(ConfigError) as caught:
        load_prices(file)
    assert str(file) in caught.value.where
    assert where in caught.value.where
    assert what in caught.value.what
    assert "models: {" in caught.value.remedy


def test_a_file_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_prices(tmp_path / "absent.yaml")
    monkeypatch.setenv("JAPAGEN_PRICES", str(tmp_path))
    with pytest.raises(ConfigError, match="no ordinary file"):
        load_prices()


def test_the_price_of_an_experiment(tmp_path: Path) -> None:
    write(tmp_path / "mine.yaml", "models: {vllm/own: {input: 0, output: 0}}\n")
    direct = experiment_price(asking("openai:gpt-4.1-mini", usd=5))
    batch = experiment_price(asking("openai-batch:gpt-4.1-mini", usd=5))
    assert direct is not None
    assert batch is not None
    assert batch.usd(1000, 1000) == pytest.approx(direct.usd(1000, 1000) / 2)
    own = experiment_price(asking("openai:vllm/own", tmp_path, usd=5, prices="mine.yaml"))
    assert own is not None
    assert own.free
    for local in ("embedded", "gguf:/models/a.gguf", "scripted"):
        price = experiment_price(asking(local, usd=0))
        assert price is not None
        assert price.free


def test_an_unknown_model_is_an_error_only_where_money_is_limited(tmp_path: Path) -> None:
    assert experiment_price(asking("openai:gpt-4o-minni")) is None
    assert experiment_price(asking("openai:gpt-4o-minni", tokens=5)) is None
    with pytest.raises(ConfigError) as caught:
        experiment_price(asking("openai:gpt-4o-minni", usd=5))
    assert (
        caught.value.what
        == "budget.usd is set, but the price of 'gpt-4o-minni' is not known; did you mean 'gpt-4o-mini'?"
    )


@pytest.mark.parametrize("model", ["gpt-4o-minni", 'a"b', "a\\b", "私の模型", "no", "4.1", "org/m:free"])
def test_the_lines_that_the_error_proposes_can_be_used(tmp_path: Path, model: str) -> None:
    with pytest.raises(ConfigError) as caught:
        experiment_price(asking(f"openai:{model}", tmp_path, usd=5))
    line = caught.value.remedy.partition("with: ")[2].rpartition(" (USD")[0]
    write(tmp_path / "prices.yaml", line + "\n")
    assert "budget.prices" in caught.value.remedy
    price = experiment_price(asking(f"openai:{model}", tmp_path, usd=5, prices="prices.yaml"))
    assert price == Price(model, 0.5, 1.5)


def test_a_folder_of_nobody_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="'~nosuchuser' is no user's folder") as caught:
        experiment_price(asking("openai:gpt-4o-mini", tmp_path, prices="~nosuchuser/x.yaml"))
    assert caught.value.where == "budget.prices"
    monkeypatch.setenv("JAPAGEN_PRICES", "~nosuchuser/x.yaml")
    with pytest.raises(ConfigError, match="'~nosuchuser' is no user's folder") as caught:
        load_prices()
    assert caught.value.where == "JAPAGEN_PRICES"
