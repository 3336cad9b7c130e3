"""A small livedoor corpus, a task about it, and a server that misbehaves on request."""

from __future__ import annotations

import gzip
import io
import tarfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from japagen.task import Task

NEWS = """\
name: paper
title: 記事
description: 記事が載った欄を見分ける。
system: 記事を書いてください。
instruction: 記事を書いてください。
labels:
  sea: {meaning: 海の話である。, verbalisation: 海}
  hill: {meaning: 山の話である。, verbalisation: 山}
gold: {all: {file: corpus, text: body}, split: {dev: 0.25, test: 0.25}}
"""
ARTICLES = {
    f"{category}/{category}-{number}.txt": (
        f"http://example.com/{number}\n2012-09-0{number + 1}T00:00:00+0900\n{word}の便り{number}\n"
        f"　{word}へ行った{number}。\n\n{word}はよい所だった。\n"
    )
    for category, word in (("sea", "海"), ("hill", "山"))
    for number in range(8)
}
BESIDE = {"README.txt": "説明", "CHANGES.txt": "変更", "sea/LICENSE.txt": "条件", "hill/LICENSE.txt": "条件"}


def packed(members: dict[str, bytes], *, top: str = "text/") -> bytes:
    """A tar.gz of files."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(top + name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return made.getvalue()


def corpus_files() -> dict[str, bytes]:
    return {name: text.encode() for name, text in (ARTICLES | BESIDE).items()}


@pytest.fixture
def news(tmp_path: Path) -> Task:
    """A task whose gold data are the folder `corpus` beside it."""
    for name, data in corpus_files().items():
        file = tmp_path / "corpus" / "text" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    (tmp_path / "paper.yaml").write_text(NEWS, encoding="utf-8")
    return Task.load(tmp_path / "paper.yaml")


@dataclass
class Site:
    """Files by path, and how the server behaves; `seen` has the path and the Range of each request.

    Attributes:
        cuts: after how many bytes of each coming body the connection breaks; -1: it is sent whole.
        statuses: answers in place of the files, one for each coming request; 0: as usual.
        ranges: whether parts may be asked for.
        etag: of all files; "": none is sent.
        hang: bodies stop in the middle, without an end, until the test is over.
        sends_on: path to an address, for redirects.
    """

    url: str
    files: dict[str, bytes] = field(default_factory=dict)
    cuts: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    ranges: bool = True
    etag: str = '"one"'
    hang: threading.Event | None = None
    sends_on: dict[str, str] = field(default_factory=dict)
    seen: list[tuple[str, str | None]] = field(default_factory=list)


def handler(site: Callable[[], Site]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            here = site()
            asked = self.headers.get("Range")
            here.seen.append((self.path, asked))
            status = here.statuses.pop(0) if here.statuses else 0
            if self.path in here.sends_on:
                self.send_response(302)
                self.send_header("Location", here.sends_on[self.path])
                self.end_headers()
                return
            data = here.files.get(self.path)
            if status or data is None:
                self.send_error(status or 404)
                return
            start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and here.ranges else 0
            if start and self.headers.get("If-Range") != here.etag:
                start = 0
            if start >= len(data) > 0 and start:
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            if here.etag:
                self.send_header("ETag", here.etag)
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            cut = here.cuts.pop(0) if here.cuts else -1
            body = data[start:] if cut < 0 else data[start : start + cut]
            if here.hang is not None:
                self.wfile.write(body[: len(body) // 2])
                self.wfile.flush()
                here.hang.wait(60)
                return
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


@pytest.fixture
def site() -> Iterator[Site]:
    """A server on this machine."""
    served: list[Site] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(lambda: served[0]))
    served.append(Site(f"http://127.0.0.1:{server.server_port}"))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield served[0]
    if served[0].hang is not None:
        served[0].hang.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def bomb() -> bytes:
    """A tar.gz whose one header says that a name of 3 GiB follows, and 300 MiB of it do."""
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 3 * 2**30
    made = io.BytesIO()
    with gzip.GzipFile(fileobj=made, mode="wb", compresslevel=1, mtime=0) as file:
        file.write(info.tobuf(tarfile.GNU_FORMAT))
        for _ in range(300):
            file.write(bytes(2**20))
    return made.getvalue()


@pytest.fixture
def pack() -> Callable[..., bytes]:
    """Makes a tar.gz of files."""
    return packed


@pytest.fixture
def corpus() -> dict[str, bytes]:
    """The small corpus: sixteen articles, and what lies beside them."""
    return corpus_files()
