"""A hub on this machine: the Hugging Face Hub's API as far as pushing and loading need it, misbehaving on request.

    with FakeHub(folder) as hub:                                    # a thread of this process
        oid = hub.add("org/encoder", Path("saved"))                 # a repository with the files of a folder
        snapshot_download("org/encoder", revision=oid, endpoint=hub.url, token=hub.token)
        hub.faults = [HubFault("status", status=503, path="*/commit/*")]

    python -m japagen.push.fakehub --folder hub --port 8098

The first line that the command prints is the address, for HF_ENDPOINT. The token `hf_fake_write` of user `tester` may write
to `tester/...` and `org/...`; `hf_fake_read` may read what is theirs. Large files go over plain HTTP (LFS); xet is not
spoken.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import socket
import struct
import tempfile
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from japagen.push.fakehub import pushes, reads
from japagen.push.fakehub.access import REPOSITORIES, TOKENS, RefusedError, Token
from japagen.push.fakehub.faults import FaultBook, HubFault, load_faults
from japagen.push.fakehub.repositories import Commit, NotThereError, Repositories, RepoType

__all__ = ["FakeHub", "HubFault", "Served", "Token"]

WRITE, READ = "hf_fake_write", "hf_fake_read"


@dataclass(frozen=True, slots=True)
class Served:
    """One call and what became of it.

    Attributes:
        method, path: of the call.
        status: that was sent; 0 where no answer was.
        fault: kind of the fault that hit it, or "".
        agent: what the caller says it is.
    """

    method: str
    path: str
    status: int
    fault: str = ""
    agent: str = ""


class FakeHub:
    """The hub in a thread of this process; use it as a context manager.

    Args:
        folder: keeps the repositories; None: a folder that is removed in the end.
        faults: what goes wrong; the first that fits a call hits it. May be set anew while the hub runs.
        tokens: who has access; None: `hf_fake_write` and `hf_fake_read` of user "tester", member of "org".
        port: 0 takes a free one.

    Attributes:
        journal: what was served, in the order of the answers.
        token: one that may write.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        faults: Iterable[HubFault] = (),
        tokens: Mapping[str, Token] | None = None,
        port: int = 0,
    ) -> None:
        self._own = tempfile.TemporaryDirectory() if folder is None else contextlib.nullcontext(str(folder))
        self._tokens = {WRITE: Token(), READ: Token("read")} if tokens is None else dict(tokens)
        self._faults = FaultBook(faults)
        self._thread: threading.Thread
        self._loop: asyncio.AbstractEventLoop
        self._runner: web.AppRunner
        self.repositories: Repositories
        self.port = port
        self.journal: list[Served] = []

    @property
    def url(self) -> str:
        """The address, for HF_ENDPOINT and `endpoint=`."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self) -> str:
        """The first token."""
        return next(iter(self._tokens), "")

    @property
    def faults(self) -> FaultBook:
        """What goes wrong."""
        return self._faults

    @faults.setter
    def faults(self, faults: Iterable[HubFault]) -> None:
        self._faults = FaultBook(faults)

    def add(
        self, repo_id: str, folder: Path, *, repo_type: RepoType = "model", private: bool = False, gated: bool = False
    ) -> str:
        """Commit the files of a folder to branch main, the repository made if it is not there; the commit's digest."""
        name = (repo_type, repo_id)
        if not self.repositories.has(name):
            self.repositories.create(name, private=private, gated=gated)
        files = {file.relative_to(folder).as_posix(): file for file in sorted(folder.rglob("*")) if file.is_file()}
        added = {path: self.repositories.add_content(path, file.read_bytes()) for path, file in files.items()}
        return self.repositories.add_commit(name, "main", "add files", added, ()).oid

    def commits(self, repo_id: str, repo_type: RepoType = "model", *, revision: str = "main") -> list[Commit]:
        """The commits up to a revision, the newest first; the last is the hub's own. Raises NotThereError."""
        repository = self.repositories.get((repo_type, repo_id))
        found = [repository.commit(revision)]
        while found[-1].parent:
            found.append(repository.commit(found[-1].parent))
        return found

    def files(self, repo_id: str, repo_type: RepoType = "model", *, revision: str = "main") -> dict[str, bytes]:
        """The files of a revision with their contents. Raises NotThereError."""
        commit = self.repositories.get((repo_type, repo_id)).commit(revision)
        return {path: self.repositories.blob(entry.blob).read_bytes() for path, entry in commit.files.items()}

    def __enter__(self) -> Self:
        self.repositories = Repositories(Path(self._own.__enter__()))
        ready = threading.Event()
        self._thread = threading.Thread(target=self._in_thread, args=(ready,), daemon=True)
        self._thread.start()
        ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._own.__exit__(None, None, None)

    def _in_thread(self, ready: threading.Event) -> None:
        self._loop = asyncio.new_event_loop()
        with contextlib.closing(self._loop) as loop:
            try:
                loop.run_until_complete(self.listen())
            finally:
                ready.set()
            loop.run_forever()
            loop.run_until_complete(self.close())

    async def listen(self) -> None:
        """Take calls, in the running loop."""
        app = web.Application(middlewares=[self._middleware()], client_max_size=2**34)
        app[REPOSITORIES], app[TOKENS] = self.repositories, self._tokens
        app.add_routes(_routes())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        """Take no more calls and close all connections."""
        await self._runner.cleanup()

    def _middleware(self) -> Middleware:
        @web.middleware
        async def served(request: web.Request, handler: Handler) -> web.StreamResponse:
            fault = self._faults.choose(request.method, request.path)
            kind = fault.kind if fault else ""
            response = await _answer(request, handler, fault)
            agent = request.headers.get("User-Agent", "")
            gone = kind in ("reset", "lost")
            self.journal.append(Served(request.method, request.path, 0 if gone else response.status, kind, agent))
            if gone:
                _reset(request)
            return await _half(request, response) if kind == "truncated" else response

        return served


async def _answer(request: web.Request, handler: Handler, fault: HubFault | None) -> web.StreamResponse:
    match fault:
        case HubFault(kind="status", status=status):
            words = fault.message.replace("{authorization}", request.headers.get("Authorization", ""))
            headers = {"Retry-After": fault.retry_after} if fault.retry_after is not None else {}
            return RefusedError(status, words, fault.code, headers).response()
        case HubFault(kind="html", status=status):
            page = f"<!DOCTYPE html><html><body><h1>{status}</h1>しばらくお待ちください。</body></html>"
            return web.Response(status=status, text=page, content_type="text/html")
        case HubFault(kind="reset"):
            return web.Response()
        case HubFault(kind="slow", seconds=seconds):
            await asyncio.sleep(seconds)
    try:
        return await handler(request)
    except RefusedError as refused:
        return refused.response()
    except NotThereError as absent:
        return RefusedError(404, str(absent), absent.code).response()


def _reset(request: web.Request) -> None:
    """End the connection with RST."""
    if request.transport is None:
        return
    raw = request.transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.transport.abort()


async def _half(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """Half of the body where the head promises all of it; then the connection is reset."""
    body = response.body if isinstance(response, web.Response) and isinstance(response.body, bytes) else b""
    headers = {**response.headers, "Content-Length": str(len(body))}
    partial = web.StreamResponse(status=response.status, headers=headers)
    await partial.prepare(request)
    await partial.write(body[: len(body) // 2])
    _reset(request)
    return partial


def _routes() -> list[web.RouteDef]:
    repo = "/api/{kind:models|datasets|spaces}/{org}/{name}"
    found = [
        web.get("/api/whoami-v2", pushes.whoami),
        web.post("/api/repos/create", pushes.create),
        web.post("/api/validate-yaml", pushes.validate_card),
        web.put("/_lfs/{digest:[0-9a-f]{64}}", pushes.put),
        web.post("/_lfs/{digest:[0-9a-f]{64}}/verify", pushes.verify),
        web.get(repo, reads.about),
        web.get(repo + "/revision/{revision}", reads.about),
        web.get(repo + "/refs", reads.refs),
        web.get(repo + "/commits/{revision}", reads.commits),
        web.get(repo + "/tree/{revision}", reads.tree),
        web.get(repo + "/tree/{revision}/{path:.+}", reads.tree),
        web.post(repo + "/paths-info/{revision}", reads.paths),
        web.post(repo + "/branch/{branch}", pushes.branch),
        web.post(repo + "/preupload/{revision}", pushes.preupload),
        web.post(repo + "/commit/{revision}", pushes.commit),
    ]
    for start in ("/{kind:datasets|spaces}", ""):
        found.append(web.post(start + "/{org}/{name}.git/info/lfs/objects/batch", pushes.batch))
        found.append(web.get(start + "/{org}/{name}/resolve/{revision}/{path:.+}", reads.resolve))
    return found


async def _serve(hub: FakeHub) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await hub.listen()
    print(hub.url, flush=True)  # noqa: T201
    await stop.wait()
    await hub.close()


def main(arguments: list[str] | None = None) -> None:
    """Run the hub until it is ended (see the module)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="keeps the repositories")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--script", default="[]", help="faults: a JSON list, or a file that holds one")
    options = parser.parse_args(arguments)
    script = options.script if options.script.lstrip().startswith("[") else Path(options.script).read_text("utf-8")
    hub = FakeHub(options.folder, faults=load_faults(script), port=options.port)
    hub.repositories = Repositories(options.folder)
    asyncio.run(_serve(hub))
