"""The news corpus: folder and archive give the same rows; archives that were made to harm are refused in one sentence."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from japagen.errors import ConfigError, DataError
from japagen.evaluate.gold import load_gold, load_gold_data
from japagen.evaluate.gold.livedoor import LICENCE, Article, articles_digest, is_livedoor, read_articles
from japagen.goldfiles import GoldFile
from japagen.task import Task

Pack = Callable[..., bytes]
Corpus = dict[str, bytes]


def test_an_article_is_title_and_body_and_nothing_else(news: Task, tmp_path: Path) -> None:
    first = read_articles(tmp_path / "corpus")[0]
    assert first == Article("hill", "hill-0", "山の便り0", "山へ行った0。 山はよい所だった。")
    texts = {part: load_gold(news, GoldFile(file="corpus", text=part))[0].text for part in ("title", "body", "both")}
    assert texts == {
        "title": "山の便り0",
        "body": "山へ行った0。 山はよい所だった。",
        "both": "山の便り0 山へ行った0。 山はよい所だった。",
    }
    rows = load_gold(news, GoldFile(file="corpus", text="title"))
    assert [row.id for row in rows] == [f"{label}-{n}" for label in ("hill", "sea") for n in range(8)]
    assert [row.label for row in rows] == ["hill"] * 8 + ["sea"] * 8
    assert load_gold(news, GoldFile(file="corpus", text="both", max_chars=5))[8].text == "海の便り0"


@pytest.mark.parametrize("name", ["c.tar.gz", "c.tgz", "C.TAR.GZ"])
@pytest.mark.parametrize("top", ["text/", "", "./text/"])
def test_folder_and_archive_give_the_same(
    news: Task, tmp_path: Path, pack: Pack, corpus: Corpus, name: str, top: str
) -> None:
    whole = tmp_path / name
    backwards = dict(reversed(corpus.items()))
    whole.write_bytes(pack(backwards | {"sea/._sea-1.txt": b"\0", "sea/notes.md": b"-"}, top=top))
    assert is_livedoor(whole)
    assert read_articles(whole) == read_articles(tmp_path / "corpus") == read_articles(tmp_path / "corpus" / "text")
    assert articles_digest(whole) == articles_digest(tmp_path / "corpus")
    before = whole.read_bytes()
    load_gold(news, GoldFile(file=name, text="both"))
    assert whole.read_bytes() == before
    assert {file.name for file in tmp_path.iterdir()} == {name, "corpus", "paper.yaml"}  # nothing was unpacked


def test_the_digest_is_of_names_and_bytes(tmp_path: Path, pack: Pack, corpus: Corpus) -> None:
    file = tmp_path / "c.tgz"
    digests = set()
    for changed in (
        {},
        {"sea/sea-0.txt": corpus["sea/sea-0.txt"] + b"\n"},
        {"sea/sea-9.txt": corpus["sea/sea-0.txt"]},
    ):
        file.write_bytes(pack(corpus | changed))
        digests.add(articles_digest(file))
    assert len(digests) == 3
    file.write_bytes(pack(corpus | {"README.txt": b"other", "sea/LICENSE.txt": b"other"}))
    assert articles_digest(file) in digests


def test_all_is_split_and_says_where_it_is_from(news: Task, tmp_path: Path) -> None:
    folder = tmp_path / "corpus" / "text"
    (folder / "sea" / "sea-8.txt").write_bytes((folder / "sea" / "sea-0.txt").read_bytes())  # again, as another file
    again = (folder / "hill" / "hill-0.txt").read_text(encoding="utf-8").replace("。", "！")
    (folder / "hill" / "hill-9.txt").write_text(again, encoding="utf-8")  # the same but for its marks
    data = load_gold_data(news)
    rows = [*data.train, *data.dev, *data.test]
    assert sorted(row.id for row in rows) == sorted(f"{label}-{n}" for label in ("hill", "sea") for n in range(8))
    assert (len(data.train), len(data.dev), len(data.test)) == (8, 4, 4)
    for part in (data.train, data.dev, data.test):
        assert sum(row.label == "sea" for row in part) * 2 == len(part)
    (source,) = data.files
    assert (source.split, source.file, source.rows, source.repeated) == ("all", "corpus", 16, 2)
    assert source.licence == LICENCE
    assert source.sha256 == articles_digest(tmp_path / "corpus")
    assert data.split is not None
    assert load_gold_data(news) == data


@pytest.mark.parametrize(
    ("part", "said"), [("text", "did you mean"), ("titel", "did you mean 'title'?"), ("x", "known: title, body, both")]
)
def test_the_part_of_an_article_must_be_named(news: Task, part: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_gold(news, GoldFile(file="corpus", text=part))
    assert f"text: '{part}' is no part of an article" in caught.value.what
    assert said in caught.value.what or part == "text"
    assert "text: both" in caught.value.remedy


def test_a_category_that_is_no_label_is_asked_about(news: Task, tmp_path: Path) -> None:
    folder = tmp_path / "corpus" / "text"
    (folder / "hill").rename(folder / "mountain")
    with pytest.raises(DataError, match="label 'mountain' is not one of the task's") as caught:
        load_gold(news, GoldFile(file="corpus", text="title"))
    assert "labels in the file: 'mountain', 'sea'" in caught.value.remedy
    assert len(load_gold(news, GoldFile(file="corpus", text="title", labels={"mountain": "hill"}))) == 16


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is no article"),
        (b"http://example.com\n2012\n", "is no article"),
        (b"http://example.com\n2012\n \n", "is no article"),
        (b"http://example.com\n2012\n\x83\x65\x83\x58\n", "is not UTF-8"),
        (b"x" * (2**20 + 1), "too many for an article"),
    ],
)
def test_a_file_that_is_no_article(
    news: Task, tmp_path: Path, pack: Pack, corpus: Corpus, content: bytes, said: str
) -> None:
    (tmp_path / "c.tgz").write_bytes(pack(corpus | {"sea/sea-3.txt": content}))
    (tmp_path / "corpus" / "text" / "sea" / "sea-3.txt").write_bytes(content)
    for place in ("c.tgz", "corpus"):
        with pytest.raises(DataError, match=said) as caught:
            read_articles(tmp_path / place)
        assert "sea/sea-3.txt" in str(caught.value)


def test_a_body_may_be_missing_where_it_is_not_asked_for(news: Task, tmp_path: Path) -> None:
    (tmp_path / "corpus" / "text" / "sea" / "sea-3.txt").write_bytes("http://example.com\n2012\n題\n".encode())
    assert load_gold(news, GoldFile(file="corpus", text="title"))[11].text == "題"
    with pytest.raises(DataError, match=r"sea/sea-3\.txt: has no body"):
        load_gold(news, GoldFile(file="corpus", text="body"))


def with_member(corpus: Corpus, change: Callable[[tarfile.TarInfo], object], data: bytes = b"") -> bytes:
    """An archive with one more member, of the kind that `change` makes."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, content in corpus.items():
            info = tarfile.TarInfo(f"text/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        info = tarfile.TarInfo("text/sea/more.txt")
        info.size = len(data)
        change(info)
        archive.addfile(info, io.BytesIO(data))
    return made.getvalue()


def kind(code: bytes, target: str = "") -> Callable[[tarfile.TarInfo], object]:
    def change(info: tarfile.TarInfo) -> None:
        info.type, info.linkname = code, target

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (kind(tarfile.SYMTYPE, "/etc/passwd"), "'text/sea/more.txt' is no plain file"),
        (kind(tarfile.LNKTYPE, "text/sea/sea-0.txt"), "is no plain file"),
        (kind(tarfile.CHRTYPE), "is no plain file"),
        (kind(tarfile.FIFOTYPE), "is no plain file"),
        (lambda info: setattr(info, "name", "/etc/sea/more.txt"), "'/etc/sea/more.txt' leads out of the archive"),
        (lambda info: setattr(info, "name", "text/../../sea/more.txt"), "leads out of the archive"),
        (lambda info: setattr(info, "name", "text/sea/sea-0.txt"), "holds 'sea/sea-0.txt' twice"),
    ],
)
def test_archives_made_to_harm_are_refused(
    tmp_path: Path, corpus: Corpus, change: Callable[[tarfile.TarInfo], object], said: str
) -> None:
    file = tmp_path / "c.tar.gz"
    file.write_bytes(with_member(corpus, change))
    with pytest.raises(DataError) as caught:
        read_articles(file)
    assert said in caught.value.what
    assert str(file) in caught.value.where


def test_an_archive_that_unpacks_to_too_much_is_given_up(tmp_path: Path, bomb: bytes) -> None:
    assert len(bomb) < 2**21
    (tmp_path / "c.tgz").write_bytes(bomb)
    with pytest.raises(DataError, match="unpacks to more than 256 MiB"):
        read_articles(tmp_path / "c.tgz")


def test_every_cut_through_an_archive_is_noticed(tmp_path: Path, pack: Pack, corpus: Corpus) -> None:
    whole, file = pack(corpus), tmp_path / "c.tgz"
    for length in [*range(0, len(whole), 37), len(whole) - 1]:
        file.write_bytes(whole[:length])
        with pytest.raises(DataError):
            read_articles(file)
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 0x55
    file.write_bytes(bytes(damaged))
    with pytest.raises(DataError, match="is no whole tar.gz"):
        read_articles(file)


@pytest.mark.parametrize("content", [b"", b"no archive at all", b"PK\x03\x04zip"])
def test_what_is_no_archive_is_called_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "c.tgz").write_bytes(content)
    with pytest.raises(DataError, match="is no whole tar.gz|holds no article"):
        read_articles(tmp_path / "c.tgz")


def test_a_wrong_layout_is_told(tmp_path: Path, pack: Pack) -> None:
    (tmp_path / "c.tgz").write_bytes(pack({"a.txt": b"1\n2\n3"}, top=""))
    (tmp_path / "empty").mkdir()
    for name in ("c.tgz", "empty"):
        with pytest.raises(DataError, match=r"holds no article; text/CATEGORY/ARTICLE\.txt is expected"):
            read_articles(tmp_path / name)
    with pytest.raises(DataError, match="cannot be read"):
        read_articles(tmp_path / "absent.tgz")
