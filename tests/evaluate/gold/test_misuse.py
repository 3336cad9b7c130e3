"""Gold data that nobody should give, and many do: pipes, links in circles, numbers for names, texts for labels, secrets."""

from __future__ import annotations

import gzip
import os
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from japagen.cli.goldcheck import gold_check
from japagen.errors import ConfigError, DataError, JapagenError
from japagen.evaluate.gold import load_gold, load_gold_data
from japagen.evaluate.gold.columns import find_columns
from japagen.evaluate.gold.download import TRIES, check_url, download
from japagen.evaluate.gold.fetch import ADDRESS, fetch
from japagen.evaluate.gold.livedoor import read_articles
from japagen.experiment import Experiment
from japagen.goldfiles import GoldFile
from japagen.tables import write_jsonl
from japagen.task import Task

ROWS = [{"text": f"{n}番の品物です。", "label": "positive" if n % 2 else "negative"} for n in range(8)]


def numbered(folder: Path, *labels: object) -> None:
    write_jsonl(folder / "gold.jsonl", [{"text": f"{n}番の品。", "label": each} for n, each in enumerate(labels)])


def experiment(folder: Path, labels: str) -> Experiment:
    file = folder / "e.yaml"
    gold = f"gold: {{test: {{file: gold.jsonl, labels: {labels}}}}}"
    file.write_text(f"name: e\ntask: reviews\ngenerate: {{per_label: 5}}\n{gold}\n", encoding="utf-8")
    return Experiment.load(file)


@pytest.mark.parametrize(
    ("labels", "rows"),
    [
        ("{0: negative, 1: positive}", (0, 1)),
        ("{0: negative, 1: positive}", (0.0, 1.0)),
        ("{0.0: negative, 1.0: positive}", (0.0, 1.0)),
        ("{-1: negative, 1: positive}", (-1, 1)),
        ("{false: negative, true: positive}", (False, True)),
        ("{no: negative, yes: positive}", ("no", "yes")),
        ("{01: negative, 1: positive}", ("01", "1")),
    ],
)
def test_labels_need_no_quotes(tmp_path: Path, labels: str, rows: tuple[object, ...]) -> None:
    numbered(tmp_path, *rows)
    found = load_gold_data(experiment(tmp_path, labels).load_task()).test
    assert [row.label for row in found] == ["negative", "positive"]


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ('{0: negative, "0": positive}', "'0' stands here for the second time"),
        ("{[0]: negative}", "a list or mapping is no name"),
        ("{null: negative}", "the key null is a number or the like"),
        ("{2024-01-01: negative}", "the key 2024-01-01 is a number or the like"),
        ("{<<: {0: negative}}", "the key << is"),
    ],
)
def test_what_is_no_label_is_refused(tmp_path: Path, labels: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        experiment(tmp_path, labels)
    assert said in str(caught.value)
    assert "ScalarNode" not in str(caught.value)
    assert "e.yaml:4" in caught.value.where


def test_labels_of_a_task_may_be_numbers_too() -> None:
    assert GoldFile.model_validate({"file": "a.csv", "labels": {0: 3, 1: 5}}).labels == {"0": "3", "1": "5"}


@pytest.mark.parametrize("name", ["pipe.jsonl", "pipe.tar.gz"])
def test_a_pipe_is_not_waited_for(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    task = Task.load("reviews")
    with pytest.raises(DataError, match="is no ordinary file"):
        find_columns(task, tmp_path / name, {}, {})
    with pytest.raises(DataError, match="is no ordinary file"):
        load_gold(task, GoldFile(file=str(tmp_path / name)))


def test_links_in_a_circle_and_links_to_names_without_an_ending(tmp_path: Path) -> None:
    (tmp_path / "loop.jsonl").symlink_to("loop.jsonl")
    task = Task.load("reviews")
    with pytest.raises(DataError, match="cannot be read"):
        find_columns(task, tmp_path / "loop.jsonl", {}, {})
    with pytest.raises(DataError, match="cannot be read"):
        load_gold(task, GoldFile(file="loop.jsonl").within(tmp_path))
    write_jsonl(tmp_path / "rows.jsonl", ROWS)
    (tmp_path / "rows.jsonl").rename(tmp_path / "blob")
    (tmp_path / "link.jsonl").symlink_to("blob")
    assert len(load_gold(task, GoldFile(file="link.jsonl").within(tmp_path))) == len(ROWS)
    assert len(load_gold(task, find_columns(task, tmp_path / "link.jsonl", {}, {}))) == len(ROWS)


def test_texts_in_the_column_of_labels_do_not_flood_the_message(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", [{"text": "positive", "label": "長い文。" * 5000 + str(n)} for n in range(20)])
    with pytest.raises(DataError) as caught:
        find_columns(Task.load("reviews"), tmp_path / "a.jsonl", {}, {})
    assert len(str(caught.value)) < 2000
    assert "--label COLUMN; the file has text, label" in caught.value.remedy
    with pytest.raises(DataError) as caught:
        load_gold(Task.load("reviews"), GoldFile(file=str(tmp_path / "a.jsonl")))
    assert len(str(caught.value)) < 2000


def test_headers_of_headers_do_not_end_in_a_traceback(tmp_path: Path) -> None:
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 1
    with gzip.open(tmp_path / "nest.tar.gz", "wb") as file:
        file.write((header.tobuf(tarfile.GNU_FORMAT) + b"a" + b"\0" * 511) * 3000)
    with pytest.raises(DataError, match=r"is no whole tar\.gz: headers without end"):
        read_articles(tmp_path / "nest.tar.gz")


@pytest.mark.parametrize("part", ["label", "id"])
def test_columns_that_articles_do_not_have(tmp_path: Path, part: str) -> None:
    (tmp_path / "corpus" / "smax").mkdir(parents=True)
    (tmp_path / "corpus" / "smax" / "a.txt").write_text("h\n2011\n題\n本文。\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=f"the {part} of an article is its") as caught:
        find_columns(Task.load("news"), tmp_path / "corpus", {part: "x"}, {})
    assert caught.value.remedy == f"leave out --{part}"


def test_a_value_has_one_meaning(tmp_path: Path) -> None:
    numbered(tmp_path, 0, 1)
    with pytest.raises(ConfigError, match="'0' is to be 'negative' and 'positive'"):
        gold_check(str(tmp_path / "gold.jsonl"), "reviews", meanings=["0=negative", "0=positive"])


def test_the_nearest_set_is_named() -> None:
    with pytest.raises(ConfigError, match="'jnl' is neither a file nor a published set; did you mean 'jnli'"):
        gold_check("jnl", None)


@pytest.mark.parametrize(
    "address",
    [
        "https://user:sEcReT@example.com",
        "http://user:sEcReT@example.com",
        "https://example.com/x?token=sEcReT",
        "https://example.com/x#sEcReT",
        "http://127.0.0.1:sEcReT/",
        "http://127.0.0.1:99999/",
        "https://example.com/日本",
        "https://example.com/a b",
        "http://example.com/?key=sEcReT",
    ],
)
def test_odd_addresses_are_refused_and_secrets_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("JAPAGEN_CACHE", str(tmp_path))
    monkeypatch.setenv(ADDRESS, address)
    with pytest.raises(JapagenError) as caught:
        fetch("jsts", wait=lambda seconds: pytest.fail("there is nothing to try again"))
    assert ADDRESS in caught.value.where
    assert "sEcReT" not in str(caught.value)


def test_of_a_redirect_only_the_place_is_shown() -> None:
    with pytest.raises(DataError) as caught:
        check_url("http://example.com/file?signature=sEcReT", "redirect of x")
    assert "sEcReT" not in str(caught.value)
    assert "http://example.com/file" in str(caught.value)


def test_a_redirect_to_no_address(site: Any, tmp_path: Path) -> None:
    site.sends_on["/a"] = "http://[::1"
    with pytest.raises(DataError, match=f"after {TRIES} tries: the server's answer cannot be read") as caught:
        download(f"{site.url}/a", tmp_path / "a", wait=lambda seconds: None)
    assert caught.value.remedy == "check the network and the address; nothing has come yet"


def test_a_redirect_in_a_circle_says_nothing_of_where_it_led(site: Any, tmp_path: Path) -> None:
    site.sends_on["/a"] = "/a?key=sEcReT"
    site.sends_on["/a?key=sEcReT"] = "/a?key=sEcReT"
    with pytest.raises(DataError, match="the server answers 302 and leads nowhere") as caught:
        download(f"{site.url}/a", tmp_path / "a")
    assert "sEcReT" not in str(caught.value)


def test_a_length_that_is_no_length(tmp_path: Path) -> None:
    class Liar(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "9" * 6000)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Liar) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            heard: list[int | None] = []
            address = f"http://127.0.0.1:{server.server_port}/a"
            download(address, tmp_path / "a", told=lambda done, total: heard.append(total))
        finally:
            server.shutdown()
            thread.join()
    assert heard == [None]
