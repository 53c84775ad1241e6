"""Checkouts whose own configuration, hooks or attributes start a program, or call somewhere, as soon as git looks."""

from __future__ import annotations

from collections.abc import Callable

from tests.workers.git.hostile.ground import Ground, Hostile
from tests.workers.git.hostile.planted import plant

_CHANGE = "echo 'x = 3' > a.py; "
_HOOKS = ("pre-commit", "post-checkout", "reference-transaction", "post-index-change", "commit-msg")


def _configured(text: str) -> Callable[[Ground], None]:
    return lambda ground: ground.configure(text)


def _filtered(attribute: str, text: str) -> Callable[[Ground], None]:
    """Attributes that no commit holds, and the drivers that they name."""

    def build(ground: Ground) -> None:
        (ground.git_dir / "info").mkdir(exist_ok=True)
        (ground.git_dir / "info" / "attributes").write_text(f"* {attribute}\n")
        ground.configure(text)
        (ground.source / "a.py").touch()

    return build


def _hooks(ground: Ground) -> None:
    for hook in _HOOKS:
        path = ground.git_dir / "hooks" / hook
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(ground.script.read_bytes())
        path.chmod(0o755)


def _hooks_elsewhere(ground: Ground) -> None:
    _hooks(ground)
    (ground.git_dir / "hooks").rename(ground.git_dir / "traps")
    ground.configure("[core]\n\thooksPath = .git/traps")


def _included(how: str) -> Callable[[Ground], None]:
    def build(ground: Ground) -> None:
        (ground.git_dir / "more").write_text(f"[core]\n\tfsmonitor = {ground.script}\n")
        ground.configure(f"{how}\n\tpath = more")

    return build


def _work_tree(ground: Ground) -> None:
    ground.configure("[extensions]\n\tworktreeConfig = true")
    (ground.git_dir / "config.worktree").write_text(f"[core]\n\tfsmonitor = {ground.script}\n")


def _everything(ground: Ground) -> None:
    plant(ground.source, ground.trap)


SETTINGS = (
    Hostile("everything at once", _everything, _CHANGE + "git status"),
    Hostile("fsmonitor", _configured("[core]\n\tfsmonitor = {script}"), "git status"),
    Hostile("hooks", _hooks, "git commit --allow-empty -m x"),
    Hostile("hooks of another folder", _hooks_elsewhere, "git commit --allow-empty -m x"),
    Hostile("a filter that cleans", _filtered("filter=evil", '[filter "evil"]\n\tclean = {script}'),
            _CHANGE + "git status"),
    Hostile("a filter that smudges", _filtered("filter=evil", '[filter "evil"]\n\tsmudge = {script}'),
            "rm a.py; git checkout a.py"),
    Hostile("a filter that is required", _filtered("filter=lfs", '[filter "lfs"]\n\tprocess = {script}\n'
            "\trequired = true"), _CHANGE + "git add a.py"),
    Hostile("a text conversion", _filtered("diff=evil", '[diff "evil"]\n\ttextconv = {script}'), _CHANGE + "git diff"),
    Hostile("a diff of its own", _configured("[diff]\n\texternal = {script}"), _CHANGE + "git diff"),
    Hostile("a merge driver", _filtered("merge=evil", '[merge "evil"]\n\tdriver = {script}'),
            "git checkout -qb o; echo 'x = 5' > a.py; git commit -qam o; git checkout -q main; " + _CHANGE
            + "git commit -qam x; git merge o"),
    Hostile("an editor", _configured("[core]\n\teditor = {script}"), _CHANGE + "git commit -a"),
    Hostile("a signing program", _configured("[commit]\n\tgpgSign = true\n[gpg]\n\tprogram = {script}"),
            "git commit --allow-empty -m x"),
    Hostile("a credential helper", _configured("[credential]\n\thelper = !{script}"),
            "printf 'protocol=https\\nhost=x\\n' | git credential fill"),
    Hostile("an ssh program", _configured('[core]\n\tsshCommand = {script}\n[remote "origin"]\n\turl = ssh://x/y'),
            "git fetch origin"),
    Hostile("a remote that is a program", _configured('[remote "origin"]\n\turl = ext::{script}\n[protocol "ext"]\n'
            "\tallow = always"), "git fetch origin"),
    Hostile("an address that becomes another", _configured('[url "ext::{script} "]\n\tinsteadOf = https://\n'
            '[protocol "ext"]\n\tallow = always'), "git fetch https://github.com/octo/shop"),
    Hostile("an upload program", _configured('[remote "origin"]\n\turl = {victim}\n\tuploadpack = {script}'),
            "git fetch origin"),
    Hostile("a submodule's update", _configured('[submodule "inner"]\n\tactive = true\n\turl = {victim}\n'
            "\tupdate = !{script}"), "git init -q inner; cd inner; git commit -q --allow-empty -m x; "
            "sha=$(git rev-parse HEAD); git commit -q --allow-empty -m y; cd ..; git config -f .gitmodules "
            "submodule.inner.path inner; git config -f .gitmodules submodule.inner.url x; "
            "git update-index --add --cacheinfo 160000,$sha,inner; git submodule update"),
    Hostile("an included file", _included("[include]"), "git status"),
    Hostile("a file included for a folder", _included('[includeIf "gitdir:**"]'), "git status"),
    Hostile("a work tree's own settings", _work_tree, "git status"),
    Hostile("a remote that hears", _configured('[remote "origin"]\n\turl = http://127.0.0.1:{port}/x'),
            "git fetch origin", "call"),
    Hostile("a proxy that hears", _configured("[http]\n\tproxy = http://127.0.0.1:{port}"),
            "git ls-remote http://github.com/octo/shop", "call"),
)  # fmt: skip
