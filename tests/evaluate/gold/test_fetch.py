"""Published sets into the cache: what is right is kept, what is wrong is removed and named, nothing is changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import filelock
import pytest
from typer.testing import CliRunner

from japagen.cli import app
from japagen.errors import ConfigError, DataError, JapagenError
from japagen.evaluate.gold import fetch as fetching
from japagen.evaluate.gold import load_gold, load_gold_data, published
from japagen.evaluate.gold.fetch import ADDRESS, Fetched, fetch
from japagen.evaluate.gold.livedoor import articles_digest
from japagen.goldfiles import Gold, GoldFile
from japagen.goldsets import PUBLISHED, PublishedFile, PublishedSet
from japagen.task import Task

Sets = Mapping[str, PublishedSet]


def lines(*rows: dict[str, object]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def sentences(words: str, start: int) -> bytes:
    return lines(*({"uid": start + n, "label": n % 2, "sentence": f"{w}を見た。"} for n, w in enumerate(words)))


FILES = {
    "in_domain_train-v1.0.json": sentences("海山川空雲雨雪風星月花鳥木草石土火水光影", 0),
    "in_domain_valid-v1.0.json": sentences("犬猫馬牛羊豚鶏亀", 100),
    "out_of_domain_valid-v1.0.json": sentences("車船", 200),
}


@pytest.fixture
def sets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, site: Any, pack: Callable[..., bytes], corpus: dict[str, bytes]
) -> Sets:
    """JCoLA and the news with small files in place of theirs, on the server of the test and nowhere else."""
    news = pack(corpus)
    (tmp_path / "news.tgz").write_bytes(news)
    articles = articles_digest(tmp_path / "news.tgz")

    def small(file: PublishedFile) -> PublishedFile:
        if file.name not in FILES:
            return replace(file, articles=articles)
        data = FILES[file.name]
        return file if file.extra else replace(file, sha256=hashlib.sha256(data).hexdigest(), size=len(data))

    made = {
        name: replace(PUBLISHED[name], files=tuple(small(file) for file in PUBLISHED[name].files))
        for name in ("jcola", "news")
    }
    for module in (published, fetching):
        monkeypatch.setattr(module, "PUBLISHED", made)
    monkeypatch.setenv("JAPAGEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv(ADDRESS, site.url)
    site.files.update({f"/jcola/{name}": data for name, data in FILES.items()})
    site.files["/news/ldcc-20140209.tar.gz"] = news
    return made


def kept(name: str, tmp_path: Path) -> dict[str, bytes]:
    folder = tmp_path / "cache" / "gold" / name
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir()) if file.name != ".lock"}


def how(found: list[Fetched]) -> list[str]:
    return [each.how for each in found]


def test_files_come_as_they_are_and_only_once(sets: Sets, site: Any, tmp_path: Path) -> None:
    assert how(fetch("jcola")) == ["fetched"] * 3
    digest = hashlib.sha256(FILES["out_of_domain_valid-v1.0.json"]).hexdigest()
    record = {".out_of_domain_valid-v1.0.json.sha256": f"{digest}\n".encode()}
    assert kept("jcola", tmp_path) == FILES | record
    asked = len(site.seen)
    again = fetch("jcola")
    assert how(again) == ["here"] * 3
    assert [each.held_against for each in again] == ["file", "file", "first"]
    assert len(site.seen) == asked


def test_the_set_can_be_used_at_once(sets: Sets) -> None:
    task = Task.load("jcola").model_copy(update={"gold": Gold.model_validate("jcola")})
    with pytest.raises(DataError, match="is not here; 'jcola' is JCoLA") as caught:
        load_gold_data(task)
    assert caught.value.remedy == "japagen gold fetch jcola"
    fetch("jcola")
    data = load_gold_data(task)
    assert (len(data.train), len(data.dev), len(data.test)) == (18, 2, 8)
    assert [(source.split, source.rows) for source in data.files] == [("train", 20), ("test", 8)]
    assert all(source.licence == PUBLISHED["jcola"].licence for source in data.files)
    assert data.test[0].label == "unacceptable"
    assert data.test[0].id == "100"
    other = GoldFile(
        file="published:jcola/out_of_domain_valid-v1.0.json", text="sentence", labels=task.gold.test.labels
    )
    assert len(load_gold(task, other)) == 2


def test_a_cut_connection_is_taken_up_by_the_next_command(sets: Sets, site: Any, tmp_path: Path) -> None:
    site.cuts = [50] * 4
    with pytest.raises(DataError, match="after 4 tries"):
        fetch("jcola", wait=lambda seconds: None)
    site.seen.clear()
    assert how(fetch("jcola")) == ["fetched"] * 3
    assert site.seen[0] == ("/jcola/in_domain_train-v1.0.json", "bytes=200-")
    assert kept("jcola", tmp_path)["in_domain_train-v1.0.json"] == FILES["in_domain_train-v1.0.json"]


@pytest.mark.parametrize("change", [lambda data: data[:-1] + b"?", lambda data: data[:-9], lambda data: b""])
def test_another_file_is_not_kept(sets: Sets, site: Any, tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    name = "in_domain_valid-v1.0.json"
    wrong = site.files[f"/jcola/{name}"] = change(FILES[name])
    with pytest.raises(DataError) as caught:
        fetch("jcola")
    expected, found = sets["jcola"].files[1].sha256, hashlib.sha256(wrong).hexdigest()
    assert f"({len(wrong):,} bytes, {len(FILES[name]):,} expected)" in caught.value.what
    assert f"SHA-256 expected {expected}, found {found}" in caught.value.what
    assert caught.value.where == f"{site.url}/jcola/{name}"
    assert list(kept("jcola", tmp_path)) == ["in_domain_train-v1.0.json"]  # that which was right stays
    site.files[f"/jcola/{name}"] = FILES[name]
    assert how(fetch("jcola")) == ["here", "fetched", "fetched"]


def test_a_file_without_a_published_digest_must_stay_as_it_first_came(sets: Sets, site: Any, tmp_path: Path) -> None:
    name = "out_of_domain_valid-v1.0.json"
    fetch("jcola")
    (tmp_path / "cache" / "gold" / "jcola" / name).unlink()
    site.files[f"/jcola/{name}"] = sentences("机椅", 200)
    with pytest.raises(DataError, match="SHA-256 expected"):
        fetch("jcola")


def test_a_file_that_was_changed_in_the_cache_is_noticed_and_fetched_again(sets: Sets, tmp_path: Path) -> None:
    fetch("jcola")
    file = tmp_path / "cache" / "gold" / "jcola" / "in_domain_valid-v1.0.json"
    file.write_bytes(FILES[file.name] + b"\n")
    task = Task.load("jcola").model_copy(update={"gold": Gold.model_validate("jcola")})
    with pytest.raises(DataError, match="is not the published file: SHA-256 expected .*, found") as caught:
        load_gold_data(task)
    assert caught.value.remedy == "japagen gold fetch jcola"
    assert how(fetch("jcola")) == ["here", "fetched", "here"]


def test_a_file_that_someone_put_there_is_not_trusted(sets: Sets, tmp_path: Path) -> None:
    file = tmp_path / "cache" / "gold" / "jcola" / "out_of_domain_valid-v1.0.json"
    file.parent.mkdir(parents=True)
    file.write_bytes(FILES[file.name])
    task = Task.load("jcola")
    with pytest.raises(DataError, match="nothing vouches for it"):
        load_gold(task, GoldFile(file=f"published:jcola/{file.name}", text="sentence"))
    assert how(fetch("jcola")) == ["fetched"] * 3


def test_the_news_are_held_against_their_articles(
    sets: Sets, site: Any, tmp_path: Path, pack: Callable[..., bytes], corpus: dict[str, bytes]
) -> None:
    path = "/news/ldcc-20140209.tar.gz"
    site.files[path] = pack(dict(reversed(corpus.items())), top="./text/")  # packed otherwise: the same articles
    (found,) = fetch("news")
    assert (found.how, found.held_against) == ("fetched", "articles")
    assert found.path.read_bytes() == site.files[path]
    assert how(fetch("news")) == ["here"]
    found.path.unlink()
    for wrong in (pack(corpus | {"sea/sea-0.txt": b"1\n2\n3\n"}), site.files[path][:300], b"<html>moved</html>"):
        site.files[path] = wrong
        with pytest.raises(DataError, match="is not the published file"):
            fetch("news")
        assert not found.path.exists()
    site.files[path] = pack(corpus)  # packed in a third way
    assert how(fetch("news")) == ["fetched"]


def test_files_of_the_users_own(sets: Sets, site: Any, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    (mine / "jcola").mkdir(parents=True)
    (mine / "in_domain_train-v1.0.json").write_bytes(FILES["in_domain_train-v1.0.json"])
    (mine / "jcola" / "in_domain_valid-v1.0.json").write_bytes(FILES["in_domain_valid-v1.0.json"])
    assert how(fetch("jcola", mine)) == ["copied", "copied", "missing"]
    assert how(fetch("jcola", mine)) == ["here", "here", "missing"]
    assert site.seen == []
    assert how(fetch("jcola")) == ["here", "here", "fetched"]
    with pytest.raises(DataError, match="is no folder"):
        fetch("news", mine / "absent")


def test_a_wrong_file_of_the_users_own_is_refused_and_left_alone(sets: Sets, tmp_path: Path) -> None:
    mine = tmp_path / "in_domain_train-v1.0.json"
    mine.write_bytes(b"{}\n")
    with pytest.raises(DataError, match="is not the published file") as caught:
        fetch("jcola", tmp_path)
    assert caught.value.where == str(mine)
    assert mine.read_bytes() == b"{}\n"
    assert kept("jcola", tmp_path) == {}


def test_two_at_a_time_are_kept_apart(sets: Sets, tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "gold" / "jcola"
    folder.mkdir(parents=True)
    with filelock.FileLock(folder / ".lock"), pytest.raises(DataError, match="another japagen is fetching it"):
        fetch("jcola")


def test_names_and_places_that_cannot_be(sets: Sets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError) as caught:
        fetch("jcolla")
    assert caught.value.remedy == "did you mean 'jcola'?"
    monkeypatch.setenv(ADDRESS, "http://example.com/gold")
    with pytest.raises(DataError, match=f"{ADDRESS}: 'http://example.com/gold' is not https"):
        fetch("jcola")
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("JAPAGEN_CACHE", str(tmp_path / "file"))
    with pytest.raises(DataError, match="cannot be written"):
        fetch("jcola")


def test_the_command_says_licence_digest_and_what_is_next(sets: Sets, tmp_path: Path) -> None:
    run = CliRunner()
    listed = run.invoke(app, ["gold", "--json"])
    assert {row["name"]: row["licence"][:8] for row in json.loads(listed.stdout)} == {
        name: "CC BY-ND" if name == "news" else "CC BY-SA" for name in PUBLISHED
    }
    said = run.invoke(app, ["gold", "fetch", "jcola"]).stdout
    assert "licence: CC BY-SA 4.0; the sentences are quoted from published works" in said
    digest = sets["jcola"].files[0].sha256
    assert f"in_domain_train-v1.0.json: fetched, as published (SHA-256 {digest})" in said
    assert "out_of_domain_valid-v1.0.json: fetched (SHA-256" in said
    assert "none is published for it, so that of its first fetch is recorded" in said
    assert said.endswith("next: write 'gold: jcola' into an experiment\n")
    assert "already here, as published" in run.invoke(app, ["gold", "fetch", "jcola"]).stdout
    assert "CC BY-ND 2.1 JP: may not be passed on changed" in run.invoke(app, ["gold", "fetch", "news"]).stdout
    (entry,) = [
        row for row in json.loads(run.invoke(app, ["cache", "--json"]).stdout)["contents"] if row["kind"] == "gold"
    ]
    assert entry["entries"] == 4
    assert entry["bytes"] > sum(map(len, FILES.values()))


def test_the_command_names_what_is_missing(sets: Sets, tmp_path: Path) -> None:
    (tmp_path / "in_domain_valid-v1.0.json").write_bytes(FILES["in_domain_valid-v1.0.json"])
    said = CliRunner().invoke(app, ["gold", "fetch", "jcola", "--from", str(tmp_path)]).stdout
    assert f"in_domain_train-v1.0.json: not in {tmp_path}\n" in said
    assert f"out_of_domain_valid-v1.0.json: not in {tmp_path} (not needed for the set's splits)" in said
    assert said.endswith("next: japagen gold fetch jcola, for what is missing\n")
    told = CliRunner().invoke(app, ["gold", "fetch", "jcola", "--from", str(tmp_path), "--json"]).stdout
    assert [file["how"] for file in json.loads(told)["files"]] == ["missing", "here", "missing"]
    wrong = CliRunner().invoke(app, ["gold", "fetch", "jcloa"])
    assert isinstance(wrong.exception, JapagenError)
