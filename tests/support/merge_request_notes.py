"""What stands in for GitLab's API: the comments of one merge request."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from typing import Self

TOKEN: Final = "the-token-of-the-bot"  # noqa: S105 - of a stand-in
BOT, EVE = 7, 8
_NOTES: Final = "/api/v4/projects/42/merge_requests/5/notes"


@dataclass
class Notes:
    """The comments of merge request 5 of project 42, in pages of two.

    Attributes:
        notes: the comments, in the order of the pages.
        calls: the method and the path of each call that was allowed.
    """

    notes: list[dict[str, Any]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        notes = self

        class Handler(BaseHTTPRequestHandler):
            def handle_one(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(size)) if size else {}
                allowed = self.headers.get("PRIVATE-TOKEN") == TOKEN
                answer = notes.answer(str(self.command), self.path, body) if allowed else None
                self.send_response(401 if answer is None else 200)
                content, page = answer or ({}, "")
                text = json.dumps(content).encode()
                self.send_header("Content-Length", str(len(text)))
                self.send_header("X-Next-Page", page)
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PUT = handle_one  # noqa: N815 - the names of the base

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def variables(self) -> dict[str, str]:
        """The variables of a job for this merge request."""
        return {
            "CI_API_V4_URL": f"http://127.0.0.1:{self._server.server_port}/api/v4",
            "CI_PROJECT_ID": "42",
            "CI_MERGE_REQUEST_IID": "5",
            "PINSYNC_COMMENT_TOKEN": TOKEN,
        }

    def add(self, author: int, body: str) -> None:
        """Add a comment."""
        number = len(self.notes) + 1
        self.notes.append({"id": number, "author": {"id": author}, "body": body})

    def answer(self, method: str, path: str, body: dict[str, str]) -> tuple[object, str]:
        """Return the answer of a call, and the number of the next page."""
        parts = urlsplit(path)
        self.calls.append(f"{method} {parts.path}")
        if parts.path == "/api/v4/user":
            return {"id": BOT}, ""
        if method == "POST" and parts.path == _NOTES:
            self.add(BOT, body["body"])
            return self.notes[-1], ""
        if found := re.fullmatch(rf"{_NOTES}/(\d+)", parts.path):
            note = self.notes[int(found[1]) - 1]
            note["body"] = body["body"]
            return note, ""
        assert (method, parts.path) == ("GET", _NOTES)
        page = int(parse_qs(parts.query)["page"][0])
        is_last = len(self.notes) <= page * 2
        return self.notes[page * 2 - 2 : page * 2], "" if is_last else str(page + 1)
