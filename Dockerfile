# Two targets from one build: `bot` (the receiver and the pages) and `worker` (adds git, drives the sandbox engine).
#   docker build --target bot -t heal-bot . && docker build --target worker -t heal-worker .
# BASE is any Debian with Python 3.11 or newer; pin it by digest in production. Extra certificate authorities for the
# build go into deploy/ca/*.crt (git ignores them).
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
ENV UV_PROJECT_ENVIRONMENT=/opt/heal UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1
WORKDIR /src
COPY deploy/ca/ /usr/local/share/ca-certificates/
COPY deploy/pins/uv.txt /tmp/uv.txt
RUN cat /usr/local/share/ca-certificates/*.crt /etc/ssl/certs/ca-certificates.crt > /tmp/ca.pem 2>/dev/null || true; \
    export SSL_CERT_FILE=/tmp/ca.pem PIP_CERT=/tmp/ca.pem; \
    python3 -m venv /tmp/tools && /tmp/tools/bin/pip install --quiet --no-cache-dir --no-deps --require-hashes -r /tmp/uv.txt
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN SSL_CERT_FILE=/tmp/ca.pem /tmp/tools/bin/uv sync --locked --no-default-groups --no-install-project --quiet
COPY bot bot
COPY workers workers
COPY sandbox sandbox
RUN SSL_CERT_FILE=/tmp/ca.pem /tmp/tools/bin/uv sync --locked --no-default-groups --no-editable --quiet

FROM ${BASE} AS bot
RUN groupadd --gid 10001 heal && useradd --system --uid 10001 --gid 10001 --create-home --home-dir /var/lib/heal heal
COPY --from=build /opt/heal /opt/heal
ENV PATH=/opt/heal/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HEAL_STATE_DIR=/var/lib/heal
USER 10001
EXPOSE 8080
ENTRYPOINT ["heal"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8080"]

FROM bot AS worker
USER 0
COPY deploy/ca/ /usr/local/share/ca-certificates/
RUN command -v git >/dev/null || \
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends git ca-certificates && rm -rf /var/lib/apt/lists/*; }; \
    update-ca-certificates
# One bundle for git, the GitHub client, the model's client and the sandbox's set-up phase.
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt REQUESTS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt
USER 10001
CMD ["worker"]
