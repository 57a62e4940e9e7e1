"""A stand-in for W&B's server on the loopback interface, for the real client libraries to talk to.

It answers the requests that wandb 0.31 and wandb-workspaces 0.4 make when runs are logged and send_runs and
reports are saved, keeps what arrives, and stops by itself: at the end of the `with` block, or after `LIFE` seconds.
Like the server, it keeps one list of history lines a run, in which a client says where its lines begin:
what is sent again for a line replaces it.
"""

import gzip
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

LIFE = 300.0  # seconds
LARGEST = 50_000_000  # bytes of a request
ENTITY, KEY = "tester", "local-" + "0" * 40


@dataclass
class StubRun:
    """What has arrived of one run."""

    id: str
    project: str
    attributes: dict[str, Any]
    config: dict[str, Any] = field(default_factory=dict)
    lines: dict[int, dict[str, Any]] = field(default_factory=dict)  # of history, by where they stand
    summary: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    exit_codes: list[int] = field(default_factory=list)
    received: int = 0  # lines of history, each time they were sent

    @property
    def rows(self) -> list[dict[str, Any]]:
        """History in order, flat: {"loss/train": …, "trainer/global_step": …}."""
        return [self.lines[i] for i in sorted(self.lines)]


class WandbStub:
    """What has arrived, by kind."""

    def __init__(self, projects: tuple[str, ...] = ()) -> None:
        self.projects = list(projects)
        self.runs: dict[str, StubRun] = {}
        self.reports: list[dict[str, Any]] = []
        self.operations: list[str] = []
        self.unknown: list[str] = []
        self.sweep = ""  # its configuration, as YAML
        self.to_run: list[dict[str, Any]] = []  # what agents of the sweep are told, one at a time
        self.url = ""
        self.lock = threading.Lock()

    # --- GraphQL

    def answer(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        """The data of one operation; what is not known is noted and answered with an error."""
        found = re.search(r"(?:query|mutation)\s+(\w+)", query)
        name = found[1] if found else ""
        self.operations.append(name)
        answers = {
            "Viewer": self._viewer,
            "UpsertBucket": self._run,
            "RunResumeStatus": self._resume_status,
            "CreateRunFiles": self._upload_places,
            "GetProjects": self._projects,
            "GetProject": self._project,
            "upsertView": self._report,
            "ServerFeaturesQuery": lambda _: {"serverInfo": {"features": []}},
            "OrganizationCoreWeaveOrganizationID": lambda _: {"entity": None},
            "SweepWithRuns": lambda _: {"project": {"sweep": {"config": self.sweep, "runs": {"edges": []}}}},
            "CreateAgent": lambda _: {"createAgent": {"agent": {"id": "agent"}}},
            "Heartbeat": self._heartbeat,
            "RunStoppedStatus": lambda _: {"project": {"run": {"stopped": False}}},
        }
        if name not in answers:
            self.unknown.append(query)
            return {"errors": [{"message": f"unknown operation {name}"}]}
        return {"data": answers[name](variables)}

    def _viewer(self, variables: dict[str, Any]) -> dict[str, Any]:
        return {"viewer": self._person()}

    def _heartbeat(self, variables: dict[str, Any]) -> dict[str, Any]:
        busy = any(json.loads(variables["runState"]).values())
        told = [] if busy else [self.to_run.pop(0)] if self.to_run else [{"type": "exit"}]
        return {"agentHeartbeat": {"agent": {"id": "agent"}, "commands": json.dumps(told)}}

    @staticmethod
    def _person() -> dict[str, Any]:
        return {
            **{"id": "1", "name": ENTITY, "username": ENTITY, "entity": ENTITY, "email": None, "admin": False},
            **{"flags": "{}", "deletedAt": None, "apiKeys": {"edges": []}, "teams": {"edges": []}},
        }

    def _run(self, variables: dict[str, Any]) -> dict[str, Any]:
        name, project = variables["name"], variables["project"] or "uncategorized"
        new = name not in self.runs
        if project not in self.projects:
            self.projects.append(project)
        run = self.runs.setdefault(name, StubRun(name, project, {}))
        run.attributes |= {key: value for key, value in variables.items() if value is not None}
        if variables.get("config"):
            run.config = {key: item["value"] for key, item in json.loads(variables["config"]).items()}
        if variables.get("summaryMetrics"):
            run.summary = json.loads(variables["summaryMetrics"])
        bucket = {
            **{"id": name, "name": name, "displayName": run.attributes.get("displayName"), "sweepName": None},
            **{"description": None, "config": self._wrapped(run), "historyLineCount": len(run.lines)},
            "project": self._named(project),
        }
        return {"upsertBucket": {"bucket": bucket, "inserted": new}}

    def _resume_status(self, variables: dict[str, Any]) -> dict[str, Any]:
        run = self.runs.get(variables["name"])
        if run is None:
            return {"model": {**self._named(variables["project"] or ""), "bucket": None}}
        tail = json.dumps([json.dumps(row) for row in run.rows[-1:]])
        bucket = {
            **{
                "id": run.id,
                "name": run.id,
                "summaryMetrics": json.dumps(run.summary),
                "displayName": run.attributes.get("displayName"),
            },
            **{"historyLineCount": len(run.lines), "eventsLineCount": 0, "logLineCount": 0, "historyTail": tail},
            **{"eventsTail": "[]", "config": self._wrapped(run), "tags": [], "wandbConfig": json.dumps({"t": 1})},
        }
        return {"model": {**self._named(run.project), "bucket": bucket}}

    @staticmethod
    def _wrapped(run: StubRun) -> str:
        return json.dumps({key: {"value": value} for key, value in run.config.items()})

    @staticmethod
    def _named(project: str) -> dict[str, Any]:
        return {"id": project, "name": project, "entity": {"id": ENTITY, "name": ENTITY}}

    def _upload_places(self, variables: dict[str, Any]) -> dict[str, Any]:
        run, files = variables["run"], variables["files"]
        places = [{"name": file, "uploadUrl": f"{self.url}/storage/{run}/{file}"} for file in files]
        return {"createRunFiles": {"runID": run, "uploadHeaders": [], "files": places}}

    def _projects(self, variables: dict[str, Any]) -> dict[str, Any]:
        if variables["entity"] != ENTITY:
            return {"models": None}
        edges = [{"node": self._as_project(name), "cursor": name} for name in self.projects]
        return {"models": {"edges": edges, "pageInfo": {"endCursor": None, "hasNextPage": False}}}

    def _project(self, variables: dict[str, Any]) -> dict[str, Any]:
        name = variables.get("name")
        return {"project": self._as_project(str(name)) if name in self.projects else None}

    def _as_project(self, name: str) -> dict[str, Any]:
        return {
            **{"id": name, "internalId": name, "name": name, "entityName": ENTITY, "createdAt": "2026-01-01T00:00:00"},
            **{"isBenchmark": False, "isPublished": False, "runCount": 1},
            "user": self._person(),
        }

    def _report(self, variables: dict[str, Any]) -> dict[str, Any]:
        self.reports.append(variables | {"spec": json.loads(variables["spec"])})
        place = {"id": "1", "name": variables["projectName"], "entityName": variables["entityName"]}
        view = {
            **{"id": "VmlldzoxMjM=", "type": variables["type"], "name": variables["name"], "project": place},
            **{"displayName": variables["displayName"], "description": variables["description"]},
            **{"spec": variables["spec"], "updatedAt": "2026-01-01T00:00:00"},
        }
        return {"upsertView": {"view": view, "inserted": True}}

    # --- file stream and storage

    def stream(self, run_id: str, sent: dict[str, Any]) -> None:
        """One piece of a run's file stream: lines of history from an offset on, summaries, the end."""
        run = self.runs[run_id]
        for file, piece in sent.get("files", {}).items():
            if file == "wandb-history.jsonl":
                run.received += len(piece["content"])
                run.lines |= {n: json.loads(line) for n, line in enumerate(piece["content"], piece["offset"])}
            elif file == "wandb-summary.json":
                run.summary = json.loads(piece["content"][-1])
        if sent.get("complete"):
            run.exit_codes.append(sent["exitcode"])


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    stub: WandbStub

    def do_POST(self) -> None:
        stub, body = self.stub, json.loads(self._body())
        with stub.lock:
            if self.path == "/graphql" and "query" not in body:
                self.send_error(400)
                return
            if self.path == "/graphql":
                answer = stub.answer(body["query"], body.get("variables") or {})
            else:
                run = re.fullmatch(r"/files/[^/]+/[^/]+/([^/]+)/file_stream", self.path)
                stub.stream(run[1], body) if run else stub.unknown.append(self.path)
                answer = {}
        self._reply(json.dumps(answer).encode())

    def do_PUT(self) -> None:
        _, _, run, file = self.path.split("/", 3)
        body = self._body()
        with self.stub.lock:
            self.stub.runs[run].files[unquote(file)] = body
        self._reply(b"")

    def do_GET(self) -> None:
        self.stub.unknown.append(self.path)
        self._reply(b"{}")

    def _body(self) -> bytes:
        size = int(self.headers.get("Content-Length") or 0)
        if size > LARGEST:
            raise ValueError(f"a request of {size} bytes")
        body = self.rfile.read(size)
        return gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body

    def _reply(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing: what arrived is in the stub."""


@contextmanager
def serving(*projects: str, request: type[_Request] = _Request) -> Iterator[WandbStub]:
    """A stub that listens on 127.0.0.1, at its `url`, while the block runs and no longer than `LIFE`."""
    stub = WandbStub(projects)
    handler = type("Request", (request,), {"stub": stub})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        stub.url = f"http://127.0.0.1:{server.server_port}"
        life = threading.Timer(LIFE, server.shutdown)
        life.daemon = True
        life.start()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield stub
        finally:
            life.cancel()
            server.shutdown()
            thread.join()
