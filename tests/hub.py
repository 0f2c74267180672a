"""The Hugging Face Hub on this machine: the few endpoints that genlib's use of it reaches, over real HTTP."""

from __future__ import annotations

import base64
import json
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

OWNER, WRITER, READER = "me", "hf_writer", "hf_reader"  # the writer's token may write to its own namespace


@dataclass
class Repository:
    """One of a kind ("model", "space"), with one branch, main."""

    files: dict[str, bytes] = field(default_factory=dict)
    private: bool = False
    gated: bool = False
    commit: str = "1" * 40
    created: dict[str, Any] = field(default_factory=dict)

    def add(self, files: dict[str, bytes]) -> None:
        self.files |= files
        self.commit = f"{int(self.commit[0]) + 1}" * 40


class Job(Protocol):
    """What a rented machine makes of a request: it tells its stage whenever that is asked, and the lines it prints."""

    message: str | None

    def stage(self) -> str: ...

    def lines(self) -> Iterable[str]: ...

    def cancel(self) -> None: ...


class Hub(ThreadingHTTPServer):
    """`repositories` by "models/owner/name" or "spaces/owner/name"; `asked` is every request as "METHOD path".

    `machine` makes a job of a request for one; the requests are kept in `requests`, their jobs in `jobs` by id. With
    `no_jobs` requests are refused by that status; where it is -1 the job is started and the answer lost. With
    `no_repositories` new ones are.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.repositories: dict[str, Repository] = {}
        self.asked: list[str] = []
        self.down = False
        self.machine: Callable[[dict[str, Any]], Job] | None = None
        self.requests: list[dict[str, Any]] = []
        self.jobs: dict[str, Job] = {}
        self.no_jobs = 0
        self.no_repositories = 0
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up in the middle of an answer, as one that stops following does, is no error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def model(self, name: str, **options: Any) -> Repository:
        return self.repositories.setdefault(f"models/{name}", Repository(**options))


class _Refused(Exception):
    pass


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self._answer()

    do_HEAD = do_POST = do_DELETE = do_GET

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path).strip("/")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append(f"{self.command} {path}")
        parts = path.split("/")
        try:
            if self.server.down:
                self._refuse(503)
            if path == "api/validate-yaml":
                self._json({"warnings": [], "errors": []})
            elif path == "api/repos/create":
                self._create(json.loads(body))
            elif path == "api/repos/delete":
                wanted = json.loads(body)
                self._may_write(f"{wanted['organization']}/{wanted['name']}")
                self.server.repositories.pop(f"models/{wanted['organization']}/{wanted['name']}")
                self._json({})
            elif path == "api/whoami-v2":
                self._known()
                self._json({"type": "user", "name": OWNER})
            elif path.startswith("api/jobs/"):
                self._jobs(parts[2], parts[3:], body)
            elif parts[0] == "api":
                self._api(parts[1], "/".join(parts[2:4]), parts[4:], body)
            elif parts[2] == "resolve":
                self._file(self._found("models", "/".join(parts[:2])), parts[3], "/".join(parts[4:]))
            else:
                self._refuse(404)
        except _Refused:
            pass

    def _api(self, kind: str, name: str, rest: list[str], body: bytes) -> None:
        if rest and rest[0] in ("preupload", "commit"):
            self._may_write(name)
        repository = self._found(kind, name)
        match rest:
            case ["preupload", _]:
                files = [
                    {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False}
                    for file in json.loads(body)["files"]
                ]
                self._json({"files": files})
            case ["commit", _]:
                self._commit(repository, [json.loads(line) for line in body.splitlines()])
            case ["paths-info", revision]:
                self._at(repository, revision)
                self._json([self._entry(repository, path) for path in parse_qs(body.decode())["paths"]], lacking=False)
            case ["commits", _]:  # the first files of a repository are those that it was made with
                commit = {"id": repository.commit, "authors": [], "date": "2026-01-01T00:00:00.000Z"}
                self._json([commit | {"title": "", "message": ""}] * max(1, int(repository.commit[0]) - 1))
            case ["tree", revision, *_]:
                self._at(repository, revision)
                self._json([self._entry(repository, path) for path in repository.files])
            case [] | ["revision", _]:
                self._at(repository, rest[1] if rest else "main")
                siblings = [{"rfilename": path} for path in repository.files]
                about = {"id": name, "modelId": name, "sha": repository.commit, "private": repository.private}
                self._json(about | {"siblings": siblings, "tags": [], "downloads": 0, "likes": 0})
            case _:
                self._refuse(404)

    @property
    def _token(self) -> str:
        return (self.headers.get("Authorization") or "").removeprefix("Bearer ")

    def _jobs(self, owner: str, rest: list[str], body: bytes) -> None:
        self._known()
        if rest and rest[0] not in self.server.jobs:
            self._refuse(404, message="Job not found")
        match (self.command, rest):
            case ("POST", []):
                self._start(owner, json.loads(body))
            case ("GET", []):
                wanted = parse_qs(urlsplit(self.path).query).get("label", [])
                found = [self._job(number) for number in self.server.jobs]
                held = [{f"{key}={text}" for key, text in job["labels"].items()} for job in found]
                self._json([job for job, labels in zip(found, held, strict=True) if labels >= set(wanted)])
            case ("GET", [number]):
                self._json(self._job(number))
            case ("GET", [number, "logs"]):
                self._log(self.server.jobs[number].lines())
            case ("POST", [number, "cancel"]):
                self.server.jobs[number].cancel()
                self._json({})
            case _:
                self._refuse(404)

    def _start(self, owner: str, wanted: dict[str, Any]) -> None:
        if self._token != WRITER or owner != OWNER:
            self._refuse(403, message="missing permissions: job.write")
        if self.server.no_jobs > 0:
            self._refuse(self.server.no_jobs, message="refused")
        assert self.server.machine is not None
        number = f"{len(self.server.requests):024x}"
        self.server.requests.append(wanted)
        self.server.jobs[number] = self.server.machine(wanted)
        if self.server.no_jobs < 0:
            self.close_connection = True
            raise _Refused
        self._json(self._job(number))

    def _job(self, number: str) -> dict[str, Any]:
        job, wanted = self.server.jobs[number], self.server.requests[int(number, 16)]
        status = {"stage": job.stage(), "message": job.message}
        owner = {"id": "1", "name": OWNER, "type": "user"}
        return {"id": number, "owner": owner, "status": status, "labels": wanted["labels"], "flavor": wanted["flavor"]}

    def _log(self, lines: Iterable[str]) -> None:
        """Server-sent events until the lines end, and with them the connection."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for line in lines:
            event = {"timestamp": "2026-01-01T00:00:00.000Z", "data": line}
            self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
            self.wfile.flush()

    def _known(self) -> None:
        if self._token not in (WRITER, READER):
            self._refuse(401, message="Invalid credentials in Authorization header")

    def _may_write(self, name: str) -> None:
        self._known()
        if self._token != WRITER or not name.startswith(f"{OWNER}/"):
            self._refuse(403, message="You don't have the rights")

    def _found(self, kind: str, name: str) -> Repository:
        repository = self.server.repositories.get(f"{kind}/{name}")
        if repository is None or (repository.private and self._token != WRITER):
            self._refuse(404 if self._token else 401, "RepoNotFound")
        assert repository is not None
        return repository

    def _at(self, repository: Repository, revision: str) -> None:
        if revision not in ("main", repository.commit):
            self._refuse(404, "RevisionNotFound")

    def _entry(self, repository: Repository, path: str) -> dict[str, Any] | None:
        if path not in repository.files:
            return None
        return {"type": "file", "path": path, "size": len(repository.files[path]), "oid": "0" * 40}

    def _create(self, wanted: dict[str, Any]) -> None:
        name, kind = f"{wanted['organization']}/{wanted['name']}", f"{wanted.get('type', 'model')}s"
        self._may_write(name)
        if self.server.no_repositories:
            self._refuse(self.server.no_repositories, message="Payment Required")
        exists = f"{kind}/{name}" in self.server.repositories
        private = wanted.get("visibility") == "private"
        self.server.repositories.setdefault(f"{kind}/{name}", Repository(private=private, created=wanted))
        page = name if kind == "models" else f"{kind}/{name}"
        self._json({"url": f"{self.server.url}/{page}"}, 409 if exists else 200)

    def _commit(self, repository: Repository, lines: list[dict[str, Any]]) -> None:
        for line in lines:
            if line["key"] == "deletedFile":
                del repository.files[line["value"]["path"]]
        files = [line["value"] for line in lines if line["key"] == "file"]
        repository.add({file["path"]: base64.b64decode(file["content"]) for file in files})
        about = {"success": True, "commitOid": repository.commit}
        self._json(about | {"commitUrl": f"{self.server.url}/{OWNER}/x/commit/{repository.commit}"})

    def _file(self, repository: Repository, revision: str, path: str) -> None:
        self._at(repository, revision)
        if repository.gated:
            self._refuse(403, "GatedRepo")
        if path not in repository.files:
            self._refuse(404, "EntryNotFound")
        data = repository.files[path]
        self._send(200, data, {"ETag": f'"{abs(hash(data)):040x}"', "X-Repo-Commit": repository.commit})

    def _refuse(self, status: int, code: str = "", message: str = "refused") -> None:
        self._send(status, b"{}", {"X-Error-Code": code, "X-Error-Message": message})
        raise _Refused

    def _json(self, value: Any, status: int = 200, lacking: bool = True) -> None:
        value = [entry for entry in value if entry] if not lacking else value
        self._send(status, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, text in headers.items():
            self.send_header(key, text)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)
