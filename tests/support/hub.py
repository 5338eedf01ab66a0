"""A small Hugging Face hub on loopback, for the real huggingface_hub.

It serves folders as repositories: the API's listings, and files with ETag, Range and the hub's
headers. Files of 4 KiB or more count as large (LFS) and are redirected to another name of this
machine, as the hub redirects to its storage. It counts what it sends, and can refuse requests and
break connections.
"""

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

LARGE = 4096
_CHUNK = 16 * 1024
_STORAGE = "storage/"


@dataclass
class Repository:
    """A model on the hub: name to content, at one commit.

    `refuse` answers every request for a file with this status, error code (such as `GatedRepo`) and
    message. `claims` replaces the sizes of files in the listing.
    """

    files: dict[str, bytes]
    refuse: tuple[int, str, str] | None = None
    claims: dict[str, int] = field(default_factory=dict)

    @property
    def commit(self) -> str:
        """Changes with the content."""
        digest = hashlib.sha1(usedforsecurity=False)
        for name, content in sorted(self.files.items()):
            digest.update(f"{name}\0{etag(content)}\0".encode())
        return digest.hexdigest()


@dataclass
class Hub:
    """The hub's content, a log of its actions, and its failures.

    `sent` counts the bytes sent of each file. `asked` lists method, path and Range of each request.
    `trusted` lists the places that received a token: "api", "hub" or "storage". `breaks` maps a
    file to the numbers of bytes after which its next answers end. `statuses` maps a file to the
    statuses of its next answers. With `slow`, files are sent in `_CHUNK`s, 20 ms apart. With
    `portal`, every answer is a login page. `listing` is sent in place of each list of files.
    """

    url: str = ""
    repositories: dict[str, Repository] = field(default_factory=dict)
    sent: dict[str, int] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    trusted: set[str] = field(default_factory=set)
    breaks: dict[str, list[int]] = field(default_factory=dict)
    statuses: dict[str, list[int]] = field(default_factory=dict)
    slow: bool = False
    portal: bool = False
    listing: bytes | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, model: str, folder: Path) -> Repository:
        """Adds the files in `folder` as a model."""
        files = {
            str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        self.repositories[model] = Repository(files)
        return self.repositories[model]

    def ranges(self, name: str) -> list[str]:
        """The Range of each request for a large file; empty if it asked for the entire file."""
        return [
            asked
            for _, path, asked in self.asked
            if path.startswith(_STORAGE) and path.endswith(f"/{name}")
        ]

    def forget(self) -> None:
        """Resets the counts."""
        self.sent.clear()
        self.asked.clear()


def etag(content: bytes) -> str:
    """The SHA-256 of a large file, the git blob id of any other."""
    if len(content) >= LARGE:
        return hashlib.sha256(content).hexdigest()
    return blob_id(content)


def blob_id(content: bytes) -> str:
    """As `git hash-object` says."""
    header = b"blob %d\0" % len(content)
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


@contextmanager
def running() -> Iterator[Hub]:
    """A running hub."""
    hub = Hub()

    class Handler(_Handler):
        pass

    Handler.hub = hub
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Prints nothing."""

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def _answer(self) -> None:
        url = urlsplit(self.path)
        path = unquote(url.path).strip("/")
        with self.hub.lock:
            self.hub.asked.append((self.command, path, self.headers.get("Range", "")))
            if "Authorization" in self.headers:
                place = path.split("/")[0] + "/"
                self.hub.trusted.add({"api/": "api", _STORAGE: "storage"}.get(place, "hub"))
        if self.hub.portal:
            self._send_body(b"<html>Please log in</html>", "text/html")
        elif self.hub.listing is not None and path.startswith("api/models/"):
            self._send_body(self.hub.listing, "application/json")
        elif path.startswith("api/models/"):
            self._api(path.removeprefix("api/models/"), "blobs" in parse_qs(url.query))
        elif "/resolve/" in path:
            model, _, rest = path.removeprefix(_STORAGE).partition("/resolve/")
            revision, name = rest.split("/", 1)
            if path.startswith(_STORAGE):
                self._send(name, self.hub.repositories[model])
            else:
                self._file(model, revision, name)
        else:
            self._refuse(404, "")

    def _api(self, path: str, blobs: bool) -> None:
        for word in ("/revision/", "/tree/"):
            model, found, revision = path.partition(word)
            if found:
                break
        else:
            model, word, revision = path, "", ""
        repository = self.hub.repositories.get(model)
        if repository is None:
            # The hub gives strangers the same answer for missing and for private repositories.
            self._refuse(401, "RepoNotFound", "Invalid username or password.")
        elif revision not in ("", "main", repository.commit):
            self._refuse(404, "RevisionNotFound")
        elif word == "/tree/":
            self._json([_entry(name, content) for name, content in repository.files.items()])
        else:
            self._json(_info(model, repository, blobs))

    def _file(self, model: str, revision: str, name: str) -> None:
        repository = self.hub.repositories.get(model)
        if self.hub.statuses.get(name):
            self._refuse(self.hub.statuses[name].pop(0), "")
        elif repository is None:
            self._refuse(401, "RepoNotFound", "Invalid username or password.")
        elif repository.refuse:
            self._refuse(*repository.refuse)
        elif revision not in ("main", repository.commit):
            self._refuse(404, "RevisionNotFound")
        elif name not in repository.files:
            self._refuse(404, "EntryNotFound")
        elif len(repository.files[name]) < LARGE:
            self._send(name, repository)
        else:
            self._send_elsewhere(name, repository)

    def _send(self, name: str, repository: Repository) -> None:
        content = repository.files[name]
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0])
        tag = etag(content)
        body = content[start:]
        self.send_response(HTTPStatus.PARTIAL_CONTENT if start else HTTPStatus.OK)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", f'"{tag}"')
        self.send_header("X-Repo-Commit", repository.commit)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if self.command == "GET":
            self._stream(name, body)

    def _send_elsewhere(self, name: str, repository: Repository) -> None:
        content = repository.files[name]
        port = urlsplit(self.hub.url).port
        self.send_response(HTTPStatus.FOUND)
        self.send_header("Location", f"http://localhost:{port}/{_STORAGE}{self.path.lstrip('/')}")
        self.send_header("X-Repo-Commit", repository.commit)
        self.send_header("X-Linked-Size", str(len(content)))
        self.send_header("X-Linked-ETag", f'"{etag(content)}"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _stream(self, name: str, body: bytes) -> None:
        breaks = self.hub.breaks.get(name)
        end = breaks.pop(0) if breaks else len(body)
        for begin in range(0, end, _CHUNK):
            chunk = body[begin : min(begin + _CHUNK, end)]
            try:
                self.wfile.write(chunk)
                self.wfile.flush()
            except OSError:  # the client has disconnected
                self.close_connection = True
                return
            with self.hub.lock:
                self.hub.sent[name] = self.hub.sent.get(name, 0) + len(chunk)
            if self.hub.slow:
                time.sleep(0.02)
        if end < len(body):
            self.close_connection = True

    def _json(self, value: object) -> None:
        self._send_body(json.dumps(value).encode(), "application/json")

    def _send_body(self, body: bytes, kind: str) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _refuse(self, status: int, code: str, message: str = "") -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        if message:
            self.send_header("X-Error-Message", message)
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            self.send_header("Retry-After", "77")
        self.send_header("Content-Length", "0")
        self.end_headers()


def _info(model: str, repository: Repository, blobs: bool) -> dict[str, object]:
    siblings = [
        {"rfilename": name, **(_blob(content, repository.claims.get(name)) if blobs else {})}
        for name, content in repository.files.items()
    ]
    return {"_id": model, "id": model, "sha": repository.commit, "siblings": siblings}


def _blob(content: bytes, claim: int | None) -> dict[str, object]:
    size = claim or len(content)
    if len(content) < LARGE:
        return {"size": size, "blobId": blob_id(content)}
    lfs = {"sha256": etag(content), "size": size, "pointerSize": 134}
    return {"size": size, "blobId": blob_id(b"a pointer"), "lfs": lfs}


def _entry(name: str, content: bytes) -> dict[str, object]:
    entry: dict[str, object] = {
        "type": "file",
        "path": name,
        "size": len(content),
        "oid": blob_id(content),
    }
    if len(content) >= LARGE:
        entry["lfs"] = {"oid": etag(content), "size": len(content), "pointerSize": 134}
    return entry
