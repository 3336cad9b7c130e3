"""One file over a real socket: cut connections, servers without ranges, changed files, refusals, silence, redirects."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from japagen.errors import DataError
from japagen.evaluate.gold.download import TRIES, check_url, download, forget, unfinished

BODY = bytes(range(256)) * 1000


@pytest.fixture
def place(tmp_path: Path, site: Any) -> Path:
    site.files["/a.bin"] = BODY
    return tmp_path / "a.bin"


def got(site: Any, place: Path, **more: Any) -> bytes:
    """What comes, without a pause between tries."""
    download(f"{site.url}/a.bin", place, wait=lambda seconds: None, **more)
    return unfinished(place).read_bytes()


def test_a_whole_file(site: Any, place: Path) -> None:
    heard: list[tuple[int, int | None]] = []
    assert got(site, place, told=lambda done, total: heard.append((done, total))) == BODY
    assert heard[0] == (0, len(BODY))
    assert heard[-1] == (len(BODY), len(BODY))
    assert not place.exists()  # who asked for it looks at it first
    forget(place)
    assert list(place.parent.iterdir()) == []


def test_after_a_cut_only_the_rest_is_asked_for(site: Any, place: Path) -> None:
    site.cuts = [1000, 2000, -1]
    assert got(site, place) == BODY
    assert [asked for _, asked in site.seen] == [None, "bytes=1000-", "bytes=3000-"]


def test_a_later_command_goes_on(site: Any, place: Path) -> None:
    site.cuts = [100] * TRIES
    with pytest.raises(DataError, match=f"after {TRIES} tries: the connection broke off at 400 of 256,000") as caught:
        got(site, place)
    assert caught.value.remedy == "400 bytes are kept; the same command goes on from there"
    assert unfinished(place).stat().st_size == 400
    site.seen.clear()
    assert got(site, place) == BODY
    assert site.seen == [("/a.bin", "bytes=400-")]


def test_a_server_without_ranges_is_read_from_the_start(site: Any, place: Path) -> None:
    site.cuts, site.ranges = [1000, -1], False
    assert got(site, place) == BODY
    assert [asked for _, asked in site.seen] == [None, "bytes=1000-"]


def test_without_a_name_for_the_version_nothing_is_joined(site: Any, place: Path) -> None:
    site.cuts, site.etag = [1000, -1], ""
    assert got(site, place) == BODY
    assert [asked for _, asked in site.seen] == [None, None]


def test_a_file_that_changed_in_between_is_read_from_the_start(site: Any, place: Path) -> None:
    site.cuts = [1000] * TRIES
    with pytest.raises(DataError):
        got(site, place)
    site.files["/a.bin"], site.etag = BODY[::-1], '"two"'
    assert got(site, place) == BODY[::-1]


def test_a_part_that_is_longer_than_the_file_is_forgotten(site: Any, place: Path) -> None:
    site.cuts = [1000] * TRIES
    with pytest.raises(DataError):
        got(site, place)
    site.files["/a.bin"] = b"short"
    assert got(site, place) == b"short"


@pytest.mark.parametrize("named", ["", "not json", '{"validator": 5}', '{"validator": "a\\nb"}', "[]"])
def test_a_damaged_note_about_the_version_is_no_trouble(site: Any, place: Path, named: str) -> None:
    unfinished(place).write_bytes(b"old")
    place.with_name(".a.bin.partial.json").write_text(named, encoding="utf-8")
    assert got(site, place) == BODY


def test_passing_trouble_is_tried_again(site: Any, place: Path) -> None:
    site.statuses = [503, 429, 500]
    waited: list[float] = []
    download(f"{site.url}/a.bin", place, wait=waited.append)
    assert unfinished(place).read_bytes() == BODY
    assert waited == [1, 2, 4]


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_refusal_is_final(site: Any, place: Path, status: int) -> None:
    site.statuses = [status]
    with pytest.raises(DataError, match=f"the server answers {status}") as caught:
        got(site, place)
    assert caught.value.where == f"{site.url}/a.bin"
    assert "--from FOLDER" in caught.value.remedy
    assert len(site.seen) == 1


def test_silence_is_given_up(site: Any, place: Path) -> None:
    site.hang = threading.Event()
    with pytest.raises(DataError, match=f"after {TRIES} tries: the connection broke off"):
        got(site, place, timeout=0.2)
    assert len(site.seen) == TRIES
    assert 0 < unfinished(place).stat().st_size < len(BODY)


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"after {TRIES} tries"):
        download("http://127.0.0.1:1/a.bin", tmp_path / "a.bin", wait=lambda seconds: None)


def test_too_much_is_cut_off(site: Any, place: Path) -> None:
    with pytest.raises(DataError, match="is larger than expected: .* 1,000 at most"):
        got(site, place, size=1000)
    assert unfinished(place).stat().st_size <= 1000


@pytest.mark.parametrize(
    "url", ["http://example.com/a", "ftp://example.com/a", "file:///etc/passwd", "a.bin", "https://"]
)
def test_only_https_or_this_machine(url: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not https"):
        download(url, tmp_path / "a.bin")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url", ["https://example.com/a", "http://127.0.0.1:80/a", "http://localhost/a", "http://[::1]/a"]
)
def test_addresses_that_are_taken(url: str) -> None:
    check_url(url)


def test_a_redirect_is_followed_within_this_machine_and_nowhere_insecure(site: Any, place: Path) -> None:
    site.sends_on["/old"] = f"{site.url}/a.bin"
    download(f"{site.url}/old", place)
    assert unfinished(place).read_bytes() == BODY
    for target in ("http://example.com/a.bin", "ftp://example.com/a.bin", "file:///etc/passwd"):
        site.sends_on["/old"] = target
        with pytest.raises(DataError, match="is not https|server answers 302"):
            download(f"{site.url}/old", place)


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
    site: Any, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert got(site, place) == BODY
