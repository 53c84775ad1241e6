"""Which endpoint a model's name means: `provider:model`, with the providers' OpenAI-compatible addresses.

`azure` has no address of its own: the resource's must be given as the base URL.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from workers.errors import UsageError

BASE_URLS = {
    "openai": "https://api.openai.com/v1",
    "gemini": "https://generativelanguage.googleapis.com/v1beta/openai",
    "anthropic": "https://api.anthropic.com/v1",
    "mistral": "https://api.mistral.ai/v1",
    "openrouter": "https://openrouter.ai/api/v1",
    "ollama": "http://127.0.0.1:11434/v1",
    "vllm": "http://127.0.0.1:8000/v1",
    "llamacpp": "http://127.0.0.1:8080/v1",
}
LOCAL = frozenset({"ollama", "vllm", "llamacpp"})
"""They run on the user's own machine: no key is needed and tokens cost nothing."""
BILLING = frozenset({"openrouter"})
"""They say with each answer what they charged for it, in US dollars."""


@dataclass(frozen=True)
class Endpoint:
    """Where to ask for which model."""

    provider: str
    model: str
    base_url: str


def endpoint(spec: str, base_url: str | None = None) -> Endpoint:
    """Read `provider:model`; a given base URL wins over the provider's own. Raises `UsageError`."""
    provider, colon, model = spec.partition(":")
    known = ", ".join(sorted({*BASE_URLS, "azure"}))
    if not colon or not model or provider not in {*BASE_URLS, "azure"}:
        raise UsageError(f"'{spec}' names no model: write provider:model, with a provider of {known}")
    address = base_url or BASE_URLS.get(provider)
    if address is None:
        raise UsageError(
            "azure needs the resource's address: set OPENAI_BASE_URL to https://NAME.openai.azure.com/openai/v1"
        )
    if not _is_address(address):
        raise UsageError("OPENAI_BASE_URL is no address: write http://HOST/v1 or https://HOST/v1")
    return Endpoint(provider, model, address.rstrip("/"))


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False
