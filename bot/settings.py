"""Everything the receiver reads from the environment, as one frozen object: the webhook secret and two addresses.

No GitHub key and no model key belong here; the process that listens has nothing worth stealing.
"""

from __future__ import annotations

from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from workers import settings as worker_settings
from workers.settings import LedgerSettings, QueueSettings, StoreSettings, secrets_in_url, secrets_of_proxies

SHORTEST_SECRET = 32


class BotSettings(LedgerSettings, StoreSettings, QueueSettings):
    """What `heal serve` needs. There is no default secret and no switch that turns the check off."""

    model_config = SettingsConfigDict(
        env_prefix="HEAL_", frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
    )

    webhook_secret: SecretStr = Field(
        default=...,  # required; said this way type checkers let the environment fill it in
        description="Secret of the App's webhook, at least 32 characters. Make one with `openssl rand -hex 32`.",
    )
    webhook_secret_previous: SecretStr | None = Field(
        default=None, description="The secret before, accepted too while a new one is being rolled out."
    )
    public_url: str = Field(
        default="http://127.0.0.1:8080", description="Where people reach the dashboard; used in links to run pages."
    )
    dashboard_token: SecretStr | None = Field(
        default=None,
        description="Token that opens the pages, at least 32 characters. Unset: pages answer this machine only.",
    )
    oauth_client_id: str = Field(
        default="", description="The GitHub App's client id: with it people log in with GitHub and see their own runs."
    )
    oauth_client_secret: SecretStr | None = Field(
        default=None, description="The GitHub App's client secret, for the login; the App's key it is not."
    )
    github_url: str = Field(default="https://github.com", description="Where people log in; your Enterprise Server.")
    github_api_url: str = Field(
        default="https://api.github.com",
        repr=False,
        description="Root of GitHub's REST API; `https://<host>/api/v3` for Enterprise Server.",
    )
    app_id: int = Field(default=0, ge=0, description="The GitHub App's id; deliveries of other Apps are dropped.")
    app_slug: str = Field(default="", description="The GitHub App's name in URLs; tells our own check runs apart.")
    allowed_hosts: tuple[str, ...] = Field(
        default=(), description='Host names that requests may ask for, as a JSON list (`["heal.example.org"]`).'
    )

    @field_validator("webhook_secret", "webhook_secret_previous", "dashboard_token")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < SHORTEST_SECRET:
            raise ValueError(f"must have at least {SHORTEST_SECRET} characters; make one with: openssl rand -hex 32")
        return value

    @model_validator(mode="after")
    def _whole_login(self) -> Self:
        if bool(self.oauth_client_id) != (self.oauth_client_secret is not None):
            raise ValueError("HEAL_OAUTH_CLIENT_ID and HEAL_OAUTH_CLIENT_SECRET go together: set both or none")
        return self

    def secrets(self) -> tuple[str, ...]:
        """Every secret value, for the redactor."""
        held = (self.webhook_secret, self.webhook_secret_previous, self.dashboard_token, self.oauth_client_secret)
        in_urls = (*secrets_in_url(self.database_url), *secrets_in_url(self.redis_url), *secrets_of_proxies())
        return (*in_urls, *(secret.get_secret_value() for secret in held if secret is not None))

    def webhook_secrets(self) -> tuple[bytes, ...]:
        """The secrets a signature may be made with, the current one first."""
        held = (self.webhook_secret, self.webhook_secret_previous)
        return tuple(secret.get_secret_value().encode() for secret in held if secret is not None)


def table() -> str:
    """The receiver's settings as a Markdown table."""
    return worker_settings.table(BotSettings)
