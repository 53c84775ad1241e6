"""Which addresses of logs are read: never one that leads into the operator's own network."""

from __future__ import annotations

import pytest

from workers.github.download import readable

PUBLIC = "https://api.github.com"


@pytest.mark.parametrize(
    "url",
    [
        "http://results.blob.core.windows.net/x",
        "https://169.254.169.254/latest/meta-data",
        "https://127.0.0.1/x",
        "https://2130706433/x",
        "https://0x7f.1/x",
        "https://127.0.0.1./x",
        "https://[::1]/x",
        "https://[::ffff:10.0.0.1]/x",
        "https://localhost/x",
        "https://redis/x",
        "https://metadata.google.internal/x",
        "https://printer.local/x",
        "https://user:secret@results.blob.core.windows.net/x",
        "file:///etc/passwd",
        "ftp://host.example/x",
        "gopher://host.example/x",
        "https://",
        "https://[",
        "",
    ],
)
def test_places_inside_are_not_read(url: str) -> None:
    """A redirect of the public API to our own machines, to metadata services or to other protocols is refused."""
    assert not readable(url, PUBLIC)


@pytest.mark.parametrize(
    ("url", "api"),
    [
        ("https://productionresultssa1.blob.core.windows.net/x?sig=y", PUBLIC),
        ("https://pipelines.actions.githubusercontent.com/x", PUBLIC),
        ("https://objects.example/x", "https://api.acme.ghe.com"),
        ("https://10.1.2.3/logs", "https://github.acme.corp/api/v3"),
        ("http://127.0.0.1:9/log", "http://127.0.0.1:9/api/v3"),
    ],
)
def test_places_of_logs_are_read(url: str, api: str) -> None:
    """Where GitHub and an Enterprise Server on a private network keep logs."""
    assert readable(url, api)
