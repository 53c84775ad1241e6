"""Everything at once: each setting, hook and attribute that is known to make git start a program, in one checkout."""

from __future__ import annotations

from pathlib import Path

from tests.workers.git.checkouts import git

HOOKS = ("pre-commit", "post-commit", "post-checkout", "reference-transaction", "post-index-change", "pre-applypatch",
         "post-applypatch", "applypatch-msg", "commit-msg", "prepare-commit-msg", "post-merge", "post-rewrite",
         "pre-auto-gc", "pre-push", "update", "fsmonitor-watchman")  # fmt: skip


def plant(source: Path, trap: Path) -> None:
    """Configure everything that runs a program, and make files look changed so that git wants to use it."""
    script = source / ".git" / "evil"
    script.write_text(f"#!/bin/sh\ntouch '{trap}'\ncat\n")
    script.chmod(0o755)
    settings = {
        "core.fsmonitor": script,
        "core.hooksPath": source / ".git" / "traps",
        "core.sshCommand": script,
        "core.askPass": script,
        "core.editor": script,
        "core.pager": script,
        "core.alternateRefsCommand": script,
        "core.gitProxy": script,
        "credential.helper": f"!{script}",
        "diff.external": script,
        "diff.evil.command": script,
        "diff.evil.textconv": script,
        "merge.evil.driver": script,
        "filter.evil.clean": script,
        "filter.evil.smudge": script,
        "filter.evil.process": script,
        "filter.evil.required": "true",
        "gpg.program": script,
        "commit.gpgSign": "true",
        "uploadpack.packObjectsHook": script,
        "remote.origin.url": f"ext::{script}",
        "remote.origin.uploadpack": script,
        "remote.origin.promisor": "true",
        "protocol.ext.allow": "always",
        "remote.origin.vcs": "evil",
        "url.ext::evil.insteadOf": "https://",
        "credential.https://github.com.helper": f"!{script}",
        "http.proxy": "http://127.0.0.1:9",
        "fetch.bundleURI": f"ext::{script}",
        "filter.lfs.clean": script,
        "filter.lfs.smudge": script,
        "filter.lfs.process": script,
        "filter.lfs.required": "true",
        "lfs.customtransfer.evil.path": script,
        "lfs.standalonetransferagent": "evil",
        "submodule.inner.update": f"!{script}",
        "submodule.recurse": "true",
        "gpg.ssh.program": script,
        "gpg.x509.program": script,
        "gpg.ssh.defaultKeyCommand": script,
        "log.showSignature": "true",
        "trailer.evil.command": script,
        "trailer.evil.cmd": script,
        "interactive.diffFilter": script,
        "mergetool.evil.cmd": script,
        "difftool.evil.cmd": script,
        "sequence.editor": script,
        "pager.diff": script,
        "pager.log": script,
        "gc.auto": "1",
        "gc.recentObjectsHook": script,
        "maintenance.auto": "true",
        "init.templateDir": source / ".git" / "traps",
        "core.attributesFile": source / ".git" / "attributes",
        "man.viewer": "evil",
        "man.evil.cmd": script,
        "alias.rev-parse": f"!{script}",
        "include.path": source / ".git" / "more",
    }
    (source / ".git" / "more").write_text(f"[core]\n\tfsmonitor = {script}\n")
    (source / ".git" / "attributes").write_text("* filter=evil diff=evil\n")
    (source / ".git" / "info").mkdir(exist_ok=True)
    (source / ".git" / "info" / "attributes").write_text("* filter=evil diff=evil merge=evil\n")
    for folder in ("traps", "hooks"):
        (source / ".git" / folder).mkdir(exist_ok=True)
        for hook in HOOKS:
            (source / ".git" / folder / hook).write_bytes(script.read_bytes())
            (source / ".git" / folder / hook).chmod(0o755)
    for key, value in settings.items():
        git(source, "config", "--local", key, str(value))
