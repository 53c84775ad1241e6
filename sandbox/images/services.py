"""The services we know: how each is told to be ready, and what Debian's archive offers where no registry answers.

One line per kind; `service-<key>` beside this module is what starts it in our own image, as user 1000 on /data.
"""

from __future__ import annotations

import io
import re
import tarfile
from dataclasses import dataclass
from pathlib import Path

from sandbox.references import DOCKER_HUB, Reference

DATA = "/data"
"""Where our own images keep what a service stores."""
_MIRRORS = (DOCKER_HUB, "public.ecr.aws", "mirror.gcr.io")
"""Registries on which `library/` is what it is on Docker's."""


@dataclass(frozen=True)
class Kind:
    """A known service. `images` are the repositories that ours stands in for, `offers` is what ours holds.

    `keeps` is False for one that stores nothing: what set-up put into it is gone before the check.
    """

    key: str
    images: tuple[str, ...]
    port: int
    offers: str
    packages: tuple[str, ...]
    keeps: bool = True

    @property
    def image(self) -> str:
        """The name of our own image, as `heal images build` takes it."""
        return f"service-{self.key}"


KINDS = (
    Kind("postgres", ("postgres",), 5432, "PostgreSQL 15", ("postgresql-15", "locales")),
    Kind("redis", ("redis", "valkey/valkey"), 6379, "Redis 7.0", ("redis-server",)),
    Kind("mariadb", ("mariadb", "mysql"), 3306, "MariaDB 10.11", ("mariadb-server",)),
    Kind("memcached", ("memcached",), 11211, "Memcached 1.6", ("memcached",), keeps=False),
    Kind("rabbitmq", ("rabbitmq",), 5672, "RabbitMQ 3.10", ("rabbitmq-server",)),
)
SERVICES = tuple(kind.image for kind in KINDS)
_RELATED = {
    "postgres": r"postgres|postgis|pgvector|timescaledb",
    "redis": r"redis|valkey|keydb|dragonfly",
    "mariadb": r"mariadb|mysql|percona",
    "memcached": r"memcached",
    "rabbitmq": r"rabbitmq",
}


def by_name(image: str) -> Kind:
    """The kind of one of our own images ("service-postgres")."""
    return next(kind for kind in KINDS if kind.image == image)


def stand_in(image: Reference) -> Kind | None:
    """The kind whose image of ours can take the place of this one: the same program, no extension missing."""
    if image.registry not in _MIRRORS:
        return None
    name = image.path.removeprefix("docker/").removeprefix("library/")
    return next((kind for kind in KINDS if name in kind.images), None)


def speaks(image: Reference) -> Kind | None:
    """The kind whose protocol an image speaks, by its name: enough to know when it is ready, not to replace it."""
    name = image.path.rpartition("/")[2]
    return next((kind for kind in KINDS if re.search(_RELATED[kind.key], name)), None)


def context(kind: Kind, base: str) -> io.BytesIO:
    """What the engine's builder gets for our own image: no VOLUME, and no user but 1000."""
    dockerfile = "\n".join(
        (
            f"FROM {base}",
            "USER 0",
            f"RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends {' '.join(kind.packages)}"
            " && rm -rf /var/lib/apt/lists/*"
            " && if [ -d /usr/share/i18n/locales ]; then localedef -i en_US -c -f UTF-8 en_US.UTF-8; fi"
            " && if ! getent passwd 1000; then groupadd -g 1000 service && useradd -u 1000 -g 1000 -M service; fi"
            f" && install -d -o 1000 -g 1000 -m 700 {DATA}",
            "COPY start /opt/heal/service-start",
            "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            f"WORKDIR {DATA}",
            "USER 1000:1000",
            'ENTRYPOINT ["/opt/heal/service-start"]',
            "",
        )
    )
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        start = (Path(__file__).parent / kind.image).read_bytes()
        for name, data in (("Dockerfile", dockerfile.encode()), ("start", start)):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o755
            archive.addfile(entry, io.BytesIO(data))
    buffer.seek(0)
    return buffer
