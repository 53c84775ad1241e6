"""Editors get the schema of heal.yml from the receiver, without a token and once a day."""

from __future__ import annotations

import pytest

from tests.bot.conftest import Site
from workers.repo_config.schema import schema


def test_the_schema_is_public_and_cacheable(site: Site) -> None:
    """The same for everybody, from any page, and not sent again to who has it."""
    answer = site.client.get("/schema/heal-v1.json")
    assert (answer.status_code, answer.json()) == (200, schema())
    assert answer.headers["content-type"] == "application/schema+json"
    assert answer.headers["cache-control"] == "public, max-age=86400"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["x-content-type-options"] == "nosniff"
    again = site.client.get("/schema/heal-v1.json", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["/schema/heal-v2.json", "/schema/", "/schema/../settings"])
def test_nothing_else_is_there(site: Site, path: str) -> None:
    """One file, no folder."""
    assert site.client.get(path).status_code == 404
