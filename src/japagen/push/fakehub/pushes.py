"""What the fake hub answers to those who push: who they are, new repositories and branches, uploads, commits."""

from __future__ import annotations

import base64
import hashlib
from typing import Any, cast

import orjson
from aiohttp import web

from japagen.push.fakehub.access import PREFIXES, REPOSITORIES, RefusedError, caller, opened, writer
from japagen.push.fakehub.cards import complaints
from japagen.push.fakehub.repositories import Entry, Name, NotThereError, RepoType, is_large


def url_of(request: web.Request, name: Name) -> str:
    """The page of a repository."""
    return f"{request.url.origin()}/{PREFIXES[name[0]]}{name[1]}"


async def body_of(request: web.Request) -> Any:
    """The JSON of a call."""
    try:
        return orjson.loads(await request.read())
    except orjson.JSONDecodeError as error:
        raise RefusedError(400, "the body is no JSON") from error


async def whoami(request: web.Request) -> web.Response:
    """GET /api/whoami-v2."""
    token = caller(request)
    if token is None:
        raise RefusedError(401, "Invalid username or password.")
    access = {"displayName": "fake", "role": token.role}
    orgs = [{"type": "org", "name": org, "roleInOrg": "admin"} for org in token.orgs]
    auth = {"type": "access_token", "accessToken": access}
    return web.json_response({"type": "user", "name": token.user, "orgs": orgs, "auth": auth})


async def create(request: web.Request) -> web.Response:
    """POST /api/repos/create."""
    asked = await body_of(request)
    token = caller(request)
    namespace = asked.get("organization") or (token.user if token else "")
    writer(request, namespace)
    name: Name = (cast(RepoType, asked.get("type") or "model"), f"{namespace}/{asked['name']}")
    repositories, url = request.app[REPOSITORIES], url_of(request, name)
    if repositories.has(name):
        return web.json_response({"error": f"You already created this {name[0]} repo", "url": url}, status=409)
    private = asked.get("visibility") == "private" or bool(asked.get("private"))
    repositories.create(name, private=private)
    return web.json_response({"url": url, "name": name[1]})


async def validate_card(request: web.Request) -> web.Response:
    """POST /api/validate-yaml."""
    asked = await body_of(request)
    errors = [{"message": text} for text in complaints(asked["content"], asked["repoType"])]
    return web.json_response({"errors": errors, "warnings": []}, status=400 if errors else 200)


async def branch(request: web.Request) -> web.Response:
    """POST /api/KIND/REPO/branch/BRANCH."""
    name, repository = opened(request, write=True)
    new, asked = request.match_info["branch"], await body_of(request)
    if new in repository.branches:
        raise RefusedError(409, f"Reference refs/heads/{new} already exists")
    request.app[REPOSITORIES].branch(name, new, asked.get("startingPoint") or "main")
    return web.json_response({})


async def preupload(request: web.Request) -> web.Response:
    """POST /api/KIND/REPO/preupload/REVISION: how each file is to be sent, and what is there now."""
    _, repository = opened(request, write=True)
    present = repository.commit(request.match_info["revision"]).files
    answer = []
    for file in (await body_of(request))["files"]:
        mode = "lfs" if is_large(file["path"], file["size"]) else "regular"
        row = {"path": file["path"], "uploadMode": mode, "shouldIgnore": False}
        answer.append(row | ({"oid": present[file["path"]].blob} if file["path"] in present else {}))
    return web.json_response({"files": answer})


async def batch(request: web.Request) -> web.Response:
    """POST /REPO.git/info/lfs/objects/batch: where to put large files; no place for those that are there."""
    opened(request, write=True)
    objects = []
    for asked in (await body_of(request))["objects"]:
        row = {"oid": asked["oid"], "size": asked["size"]}
        if not request.app[REPOSITORIES].blob(asked["oid"]).is_file():
            place = f"{request.url.origin()}/_lfs/{asked['oid']}"
            row["actions"] = {"upload": {"href": place}, "verify": {"href": f"{place}/verify"}}
        objects.append(row)
    return web.json_response({"transfer": "basic", "objects": objects})


async def put(request: web.Request) -> web.Response:
    """PUT /_lfs/DIGEST: a large file; the address is the permission, as it is with signed ones."""
    content = await request.read()
    digest = request.match_info["digest"]
    if hashlib.sha256(content).hexdigest() != digest:
        raise RefusedError(400, "the content is another one")
    place = request.app[REPOSITORIES].blob(digest)
    partial = place.with_suffix(".partial")
    partial.write_bytes(content)
    partial.replace(place)
    return web.Response()


async def verify(request: web.Request) -> web.Response:
    """POST /_lfs/DIGEST/verify."""
    asked = await body_of(request)
    place = request.app[REPOSITORIES].blob(request.match_info["digest"])
    if not place.is_file() or place.stat().st_size != asked["size"]:
        raise RefusedError(404, "there is no such object, or it has another size", "EntryNotFound")
    return web.json_response({})


async def commit(request: web.Request) -> web.Response:
    """POST /api/KIND/REPO/commit/REVISION: a header, then one line for each file."""
    name, repository = opened(request, write=True)
    repositories, revision = request.app[REPOSITORIES], request.match_info["revision"]
    if revision not in repository.branches:
        raise NotThereError("RevisionNotFound", f"Invalid rev id: {revision}")
    title, added, removed = "", dict[str, Entry](), list[str]()
    try:
        for line in (await request.read()).splitlines():
            row = orjson.loads(line)
            match row["key"], row["value"]:
                case "header", value:
                    title = value["summary"]
                    if value.get("parentCommit", repository.branches[revision]) != repository.branches[revision]:
                        raise RefusedError(412, "A commit has happened since. Please refresh and try again.")
                case "file", value:
                    content = base64.b64decode(value["content"], validate=True)
                    added[_checked(value["path"])] = repositories.add_content("", content)
                case "lfsFile", value:
                    if not repositories.blob(value["oid"]).is_file():
                        raise RefusedError(400, f"Your push was rejected: {value['path']} was not uploaded")
                    added[_checked(value["path"])] = repositories.large(value["oid"], value["size"])
                case "deletedFile" | "deletedFolder", value:
                    removed.append(_checked(value["path"].rstrip("/")))
                case key, _:
                    raise RefusedError(400, f"unknown operation: {key}")
    except (KeyError, TypeError, ValueError) as error:
        raise RefusedError(400, f"this is no commit: {error}") from error
    made = repositories.add_commit(name, revision, title, added, tuple(removed))
    answer = {"success": True, "commitOid": made.oid, "commitUrl": f"{url_of(request, name)}/commit/{made.oid}"}
    return web.json_response(answer)


def _checked(path: str) -> str:
    parts = path.split("/")
    if not path or ".git" in parts or any(part in ("", ".", "..") for part in parts):
        raise RefusedError(400, f"invalid path: {path!r}")
    return path
