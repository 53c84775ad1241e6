"""What a step fetches while it runs is fetched in the set-up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.spec import Step
from tests.workers.recipe.trees import MemoryTree
from workers import priming, wheelhouse
from workers.priming import Primed
from workers.text_files import TextFiles

PIPEFAIL = "bash --noprofile --norc -e -o pipefail {0}"


def primed(script: str, files: dict[str, str] | None = None) -> Primed:
    return priming.prime(Step("s", script, PIPEFAIL, {"A": "b"}, "app"), TextFiles(MemoryTree(files or {})))


@pytest.mark.parametrize(
    ("script", "primer"),
    [
        ("tox -e py311 -- -k one", "tox run --notest -e py311"),
        ("python -m tox run -c sub/tox.ini", "python -m tox run --notest -c sub/tox.ini"),
        ("nox -s tests-3.11", "nox --install-only -s tests-3.11"),
        ("python -m pre_commit run -a", None),
        ("pre-commit run -a", "pre-commit install-hooks"),
        ("uv run pytest -x", "uv run true"),
        ("uv run --extra test --frozen -- pytest -x", "uv run --extra test --frozen true"),
        (
            "uv run --locked --no-default-groups --group dev tox run -e typing",
            "uv run --locked --no-default-groups --group dev tox run --notest -e typing\n"
            "uv run --locked --no-default-groups --group dev true",
        ),
        ("hatch run test", "hatch env create"),
        ("hatch run lint:all", "hatch env create lint"),
        ("hatch test --cover", "hatch env create hatch-test"),
        ("hatch fmt --check", "hatch env create hatch-static-analysis"),
        ("go vet ./... && go test ./...", "go mod download\ngo test -run '^$' ./... || true"),
        ("cargo fmt --check", None),
        ("pytest -q", None),
        ("npm test", None),
        ("if true; then tox; fi", "tox run --notest"),
        ("tox\nnox", "tox run --notest\nnox --install-only"),
    ],
)
def test_tools_fetch_in_the_set_up(script: str, primer: str | None) -> None:
    """Each by its own way to do only that."""
    assert priming.command(script) == primer


def test_a_tool_of_uvx_is_fetched_to_where_it_is_found_without_network() -> None:
    """Into a cache that stays, and without the files that uv insists on writing to."""
    primer = priming.command("uvx --from ruff ruff check") or ""
    assert primer.split("\n")[0] == "UV_CACHE_DIR=/env/uvx uvx --from ruff ruff --version || true"
    added = priming.command("uv run --with pytest-cov pytest -x") or ""
    assert added.split("\n")[0] == "UV_CACHE_DIR=/env/uvx uv run --with pytest-cov true || true"
    both = (priming.command("uvx pre-commit run -a") or "").split("\n")
    assert both[:2] == ["uvx pre-commit install-hooks", "UV_CACHE_DIR=/env/uvx uvx pre-commit --version || true"]


@pytest.mark.parametrize(
    ("script", "install", "check"),
    [
        ("npm ci && npm test", "npm ci", "npm test"),
        ("yarn --frozen-lockfile && yarn test", "yarn --frozen-lockfile", "yarn test"),
        ("npx playwright install --with-deps\nnpx playwright test", "npx playwright install --with-deps",
         "npx playwright test"),
        ("curl -sSf https://example.org/get.sh | sh\n./run", "curl -sSf https://example.org/get.sh | sh", "./run"),
        ("wget -qO- https://x.org/key | tee /etc/apt/keyrings/x\napt-get update\napt-get install x\n./run",
         "wget -qO- https://x.org/key | tee /etc/apt/keyrings/x\napt-get update\napt-get install x", "./run"),
        ("bun install && bun test", "bun install", "bun test"),
        ("export X=1\npip install a\npytest", "export X=1\npip install a", "export X=1\npytest"),
    ],
)  # fmt: skip
def test_a_step_that_installs_and_checks_is_cut(script: str, install: str, check: str) -> None:
    """The installing half goes to the set-up, what prepares the shell stands in both."""
    found = primed(script)
    assert found.step is not None
    assert (found.setup[0].script, found.step.script) == (install, check)


def test_a_primer_runs_where_the_tool_does() -> None:
    """In the folder and with the variables that the script has set before."""
    found = primed("cd sub\nexport X=1\ntox -e a")
    assert found.setup[0].script == "cd sub\nexport X=1\ntox run --notest -e a"


def test_a_service_of_the_check_is_not_fetched_beforehand() -> None:
    """What asks the machine itself belongs to the check."""
    assert primed("curl -f http://localhost:8080/health").setup == ()
    assert primed("curl -F file=@out.xml https://example.org/upload").setup == ()


def test_both_halves_of_a_cut_step_are_looked_at() -> None:
    """`pip install tox` goes before, and tox is primed after it."""
    found = primed("pip install tox\ntox -e py")
    assert [step.script for step in found.setup[:2]] == ["pip install tox", "tox run --notest -e py"]
    assert found.step is not None
    assert found.step.env == {**wheelhouse.OFFERED, "A": "b"}


@pytest.mark.parametrize(
    "script",
    [
        "if [ -f a.txt ]; then\n  pip install -r a.txt\nfi\npytest",
        "for d in a b; do\n  (cd $d && npm ci)\ndone\nnpm test",
    ],
)
def test_control_flow_is_tried_whole(script: str) -> None:
    """Not understood, so run once with network in its own shell and place, whatever comes of it; the check stays."""
    found = primed(script)
    (attempt,) = found.setup[:1]
    assert script in attempt.script
    assert 'timeout -k 5 600 bash --noprofile --norc -e -o pipefail "$RUNNER_TEMP/tried" || true' in attempt.script
    assert (attempt.workdir, attempt.env) == ("app", {"A": "b"})
    assert found.step is not None
    assert found.step.script == script


@pytest.mark.parametrize(
    ("script", "files", "because"),
    [
        ("make test", {"Makefile": "test:\n\tuv run pytest\n"}, "Makefile"),
        ("make test", {"Makefile": "test:\n\tpytest\n"}, ""),
        ("just check", {"justfile": "check:\n    tox -q\n"}, "justfile"),
        ("make test", {}, ""),
    ],
)
def test_what_make_fetches_is_tried(script: str, files: dict[str, str], because: str) -> None:
    """Only where the file calls something that fetches."""
    found = primed(script, files)
    assert bool(found.setup) is bool(because)
    assert because in found.note


@given(
    st.text(max_size=120),
    st.sampled_from(["tox ", "uv run ", "uvx ", "hatch run ", "nox -s", "mvn ", "if x\npip install "]),
)
def test_any_script_is_primed_without_an_exception(text: str, start: str) -> None:
    """Scripts are untrusted text; whatever is made of one, the step itself stays or is only an installation."""
    found = primed(start + text)
    assert found.step is not None or found.setup
