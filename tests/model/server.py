"""The server: /v1/chat/completions (streamed or not) and /v1/models after a script or a persona, /control for tests."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.model.personas import PREFIX, Scene, asked, play


class State:
    """The script that is left or the persona that answers, and the requests that came, guarded by one lock."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.script: deque[dict[str, Any]] = deque()
        self.requests: list[dict[str, Any]] = []
        self.persona = ""
        self.scene = Scene({}, {})

    def cast(self, persona: str, scene: Scene) -> None:
        """From now on this persona answers; with an empty one those that requests name, and else the script."""
        with self.lock:
            self.persona, self.scene, self.requests = persona, scene, []

    def next(self, request: dict[str, Any]) -> dict[str, Any]:
        """The reply for a request; conditional replies that do not concern it are kept out of its way."""
        with self.lock:
            named = str(request.get("model", ""))
            persona = named if named.startswith(PREFIX) else self.persona
            if persona:
                try:
                    return play(persona, self.scene, asked(request, len(self.requests)))
                except ValueError as error:
                    return {"kind": "error", "status": 400, "message": str(error), "headers": {}}
            while self.script:
                reply = self.script.popleft()
                if _concerns(reply, request):
                    return reply
        return {"kind": "error", "status": 400, "message": "the test's script has no more replies", "headers": {}}


def _concerns(reply: dict[str, Any], request: dict[str, Any]) -> bool:
    if reply["kind"] == "too_long":
        return sum(len(str(turn["content"])) for turn in request["messages"]) > int(reply["limit"])
    if reply["kind"] == "unsupported":
        if reply["param"] == "system":
            return any(turn["role"] == "system" for turn in request["messages"])
        return reply["param"] in request
    return True


class Handler(BaseHTTPRequestHandler):
    """One connection. The server's state is shared by all."""

    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Quiet."""

    def do_GET(self) -> None:
        state = self.server.state
        if self.path == "/v1/models":
            self._json(
                200,
                {
                    "object": "list",
                    "data": [{"id": "test-model", "object": "model", "created": 0, "owned_by": "tests"}],
                },
            )
        elif self.path == "/control/requests":
            with state.lock:
                self._json(200, state.requests)
        else:
            self._json(404, {"error": {"message": f"unknown path {self.path}"}})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        state = self.server.state
        if self.path == "/control/script":
            with state.lock:
                state.script, state.requests, state.persona = deque(body), [], ""
            self._json(200, {})
        elif self.path == "/control/persona":
            state.cast(body["persona"], Scene(**body["scene"]))
            self._json(200, {})
        elif self.path == "/v1/chat/completions":
            with state.lock:
                headers = {name.lower(): value for name, value in self.headers.items()}
                state.requests.append({"body": body, "headers": headers, "at": time.time()})
            self._reply(body, state.next(body))
        else:
            self._json(404, {"error": {"message": f"unknown path {self.path}"}})

    def _reply(self, request: dict[str, Any], reply: dict[str, Any]) -> None:
        time.sleep(float(reply.get("delay", 0)))
        kind = reply["kind"]
        if kind == "text" and request.get("stream"):
            self._stream(request, reply)
        elif kind in {"text", "refusal", "no_choices"}:
            self._json(200, _completion(request, reply))
        elif kind == "raw":
            self._json(200, reply["body"])
        elif kind == "html":
            page = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
            self._send(int(reply["status"]), "text/html", page)
        elif kind in {"cut", "dropped"}:
            self._break_off(kind)
        else:
            self._error(reply)

    def _error(self, reply: dict[str, Any]) -> None:
        status, code = int(reply.get("status", 400)), reply.get("code")
        if reply["kind"] == "too_long":
            code, message = "context_length_exceeded", "This model's maximum context length is 8192 tokens."
        else:
            message = reply["message"]
        error = {"message": message, "type": code or "invalid_request_error", "param": reply.get("param"), "code": code}
        self._json(status, {"error": error}, reply.get("headers", {}))

    def _break_off(self, kind: str) -> None:
        if kind == "cut":
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", "5000")
            self.end_headers()
            self.wfile.write(b'{"id": "cut", "choices": [{"message": {"content": "half a')
            self.wfile.flush()
        self.close_connection = True
        self.connection.close()

    def _stream(self, request: dict[str, Any], reply: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        full = _completion(request, reply)
        content = str(reply["content"])
        pieces: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
        pieces += [{"content": content[i : i + 20]} for i in range(0, len(content), 20)]
        for number, delta in enumerate([*pieces, {}]):
            finish = reply["finish"] if number == len(pieces) else None
            chunk = {"id": full["id"], "object": "chat.completion.chunk", "created": 0, "model": full["model"],
                     "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}  # fmt: skip
            self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def _json(self, status: int, value: object, headers: dict[str, str] | None = None) -> None:
        self._send(status, "application/json", json.dumps(value).encode(), headers)

    def _send(self, status: int, kind: str, data: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


def _completion(request: dict[str, Any], reply: dict[str, Any]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": reply.get("content"), "refusal": reply.get("reason")}
    choice = {"index": 0, "message": message, "finish_reason": reply.get("finish", "stop"), "logprobs": None}
    sent = sum(len(str(turn["content"])) for turn in request["messages"])
    usage = {"prompt_tokens": sent // 4, "completion_tokens": len(str(reply.get("content", ""))) // 4,
             "total_tokens": (sent + len(str(reply.get("content", "")))) // 4}  # fmt: skip
    value: dict[str, Any] = {
        "id": "chatcmpl-test", "object": "chat.completion", "created": 0,
        "model": reply.get("model") or request["model"],
        "choices": [] if reply["kind"] == "no_choices" else [choice],
    }  # fmt: skip
    return value | ({"usage": usage} if reply.get("usage", True) else {})


class Server(ThreadingHTTPServer):
    """The listening socket with its state."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.state = State()
