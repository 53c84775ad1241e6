"""The way to an endpoint: the openai SDK without its own patience, one request at a time, faults as values.

The SDK is imported at the first question, for that takes a second. Its HTTP client honours the proxy variables.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from workers.llm.errors import BadAnswer, Unavailable
from workers.llm.faults import Fault, Kind, judge, wish
from workers.llm.providers import Endpoint

if TYPE_CHECKING:
    import openai

SOCKS = (
    "a proxy variable (ALL_PROXY, HTTPS_PROXY) names a SOCKS proxy, for which the package socksio is needed: "
    "`pip install 'heal-bot[socks]'`"
)
_PROXY = "a proxy variable (ALL_PROXY, HTTPS_PROXY) is none: http://, https:// and socks5:// addresses are known"


class Failed(Exception):  # noqa: N818 - a value on its way to who asked
    """The endpoint gave no completion."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.text)
        self.fault = fault


@dataclass
class Wire:
    """An endpoint with its key."""

    endpoint: Endpoint
    key: SecretStr | None = None
    _sdk: openai.OpenAI | None = field(default=None, init=False, repr=False)

    def send(self, request: dict[str, Any], timeout: float) -> Any:
        """The JSON of a completion, whatever it is. Raises `Failed`, `BadAnswer` for no JSON, and `Unavailable` when
        nothing can be sent."""
        import openai

        sdk = self._open()
        try:
            raw = sdk.chat.completions.with_raw_response.create(**request, timeout=timeout)
        except openai.APIError as error:
            raise Failed(_fault(error)) from None
        try:
            completion = json.loads(raw.http_response.content)
        except (ValueError, RecursionError):
            raise BadAnswer("the endpoint's reply is not a chat completion") from None
        if fault := _fault_inside(completion):
            raise Failed(fault)
        return completion

    def _open(self) -> openai.OpenAI:
        if self._sdk is None:
            import openai

            key = (self.key.get_secret_value() if self.key else "") or "none"
            if not key.isascii() or not key.isprintable():
                raise Unavailable("the model's key holds a character that no key has")
            headers = {"api-key": key} if self.endpoint.provider == "azure" else {}
            try:
                self._sdk = openai.OpenAI(
                    base_url=self.endpoint.base_url, api_key=key, max_retries=0, default_headers=headers
                )
            except ImportError:
                raise Unavailable(SOCKS) from None
            except ValueError:
                raise Unavailable(_PROXY) from None
        return self._sdk


def _fault(error: openai.APIError) -> Fault:
    import openai

    if isinstance(error, openai.APITimeoutError):
        return Fault(Kind.PASSES, "it did not answer in time", timeout=True)
    if not isinstance(error, openai.APIStatusError):
        return Fault(Kind.PASSES, "the connection failed")
    codes = frozenset(str(known) for known in (error.code, error.type, error.param) if known)
    return judge(error.status_code, codes, error.message, wish(error.response.headers))


def _fault_inside(completion: Any) -> Fault | None:
    """An error that came with a good status, as routers send them when the model behind them fails."""
    error = completion.get("error") if isinstance(completion, dict) else None
    if not isinstance(error, dict) or completion.get("choices"):
        return None
    code = error.get("code")
    status = code if isinstance(code, int) and 400 <= code < 600 else 500
    codes = frozenset(str(error[name]) for name in ("code", "type", "param") if error.get(name))
    return judge(status, codes, str(error.get("message", "")))
