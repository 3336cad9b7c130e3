"""What the fake hub answers to those who read: about a repository, its tree, and its files."""

from __future__ import annotations

import re
from typing import Any

import orjson
from aiohttp import web

from japagen.push.fakehub.access import REPOSITORIES, RefusedError, caller, check_gate, opened
from japagen.push.fakehub.repositories import Entry

_TIME = "2026-01-01T00:00:00.000Z"
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


async def about(request: web.Request) -> web.Response:
    """GET /api/KIND/REPO, or /revision/REVISION below it."""
    (kind, repo_id), repository = opened(request)
    commit = repository.commit(request.match_info.get("revision", "main"))
    siblings = [{"rfilename": path} for path in commit.files]
    row: dict[str, Any] = {"_id": commit.oid[:24], "id": repo_id, "author": repo_id.partition("/")[0]}
    row |= {"sha": commit.oid, "private": repository.private, "gated": "auto" if repository.gated else False}
    row |= {"disabled": False, "downloads": 0, "likes": 0, "tags": [], "createdAt": _TIME, "lastModified": _TIME}
    row |= {"siblings": siblings, "usedStorage": sum(entry.size for entry in commit.files.values())}
    return web.json_response(row | ({"modelId": repo_id} if kind == "model" else {}))


async def refs(request: web.Request) -> web.Response:
    """GET /api/KIND/REPO/refs."""
    _, repository = opened(request)
    branches = [
        {"name": name, "ref": f"refs/heads/{name}", "targetCommit": oid} for name, oid in repository.branches.items()
    ]
    return web.json_response({"branches": branches, "converts": [], "tags": []})


async def commits(request: web.Request) -> web.Response:
    """GET /api/KIND/REPO/commits/REVISION: the newest first."""
    _, repository = opened(request)
    rows, oid = [], repository.commit(request.match_info["revision"]).oid
    while oid:
        commit = repository.commits[oid]
        rows.append({"id": oid, "title": commit.title, "message": "", "authors": [], "date": _TIME})
        oid = commit.parent or ""
    return web.json_response(rows)


async def tree(request: web.Request) -> web.Response:
    """GET /api/KIND/REPO/tree/REVISION, or a folder below it; all levels with ?recursive."""
    _, repository = opened(request)
    files = repository.commit(request.match_info["revision"]).files
    folder = request.match_info.get("path", "").strip("/")
    start = f"{folder}/" if folder else ""
    below = {path: entry for path, entry in files.items() if path.startswith(start)}
    if folder and not below:
        raise RefusedError(404, f"{folder} does not exist", "EntryNotFound")
    deep = request.query.get("recursive", "").lower() in ("1", "true")
    rows: dict[str, dict[str, Any]] = {}
    for path, entry in below.items():
        parts = path.removeprefix(start).split("/")
        for depth in range(1, len(parts) if deep else min(len(parts), 2)):
            place = start + "/".join(parts[:depth])
            rows.setdefault(place, {"type": "directory", "oid": "0" * 40, "size": 0, "path": place})
        if deep or len(parts) == 1:
            rows[path] = _row(path, entry)
    return web.json_response(list(rows.values()))


async def paths(request: web.Request) -> web.Response:
    """POST /api/KIND/REPO/paths-info/REVISION; paths that are not there are left out."""
    _, repository = opened(request)
    files = repository.commit(request.match_info["revision"]).files
    if request.content_type == "application/json":
        asked = list(orjson.loads(await request.read())["paths"])
    else:
        asked = [str(path) for path in (await request.post()).getall("paths", [])]
    return web.json_response([_row(path, files[path]) for path in asked if path in files])


def _row(path: str, entry: Entry) -> dict[str, Any]:
    row: dict[str, Any] = {"type": "file", "oid": entry.oid, "size": entry.size, "path": path}
    return row | ({"lfs": {"oid": entry.sha256, "size": entry.size, "pointerSize": 130}} if entry.sha256 else {})


async def resolve(request: web.Request) -> web.Response:
    """GET or HEAD /REPO/resolve/REVISION/PATH: a file, or a part of it."""
    (_, repo_id), repository = opened(request)
    commit = repository.commit(request.match_info["revision"])
    check_gate(repository, caller(request), repo_id.partition("/")[0])
    headers = {"X-Repo-Commit": commit.oid, "Accept-Ranges": "bytes"}
    entry = commit.files.get(request.match_info["path"])
    if entry is None:
        raise RefusedError(404, "Entry not found", "EntryNotFound", headers)
    headers["ETag"] = f'"{entry.blob}"'
    if entry.sha256:
        headers |= {"X-Linked-ETag": f'"{entry.sha256}"', "X-Linked-Size": str(entry.size)}
    content, status = request.app[REPOSITORIES].blob(entry.blob).read_bytes(), 200
    if found := _RANGE.fullmatch(request.headers.get("Range", "")):
        first, last = int(found[1]), int(found[2] or entry.size - 1)
        headers["Content-Range"] = f"bytes {first}-{min(last, entry.size - 1)}/{entry.size}"
        content, status = content[first : last + 1], 206
    return web.Response(body=content, status=status, headers=headers, content_type="application/octet-stream")
