"""The worker of the replay: claims real runs and tells GitHub of each, but heals none, so that a thousand deliveries
take minutes. What it writes goes through the product's own forge."""

from __future__ import annotations

import sys
from dataclasses import replace

from workers.attend import Told
from workers.domain import Case, Outcome, Published, Report
from workers.github import App, GitHubForge
from workers.ports import Notice, Proposal
from workers.settings import WorkerSettings
from workers.store.lease import Lease
from workers.tasks import run_worker

SLOTS = 2


def app_of(settings: WorkerSettings) -> App:
    """The App, unpaced. Raises as `App.of`."""
    return replace(App.of(settings), pace=0)


def told(settings: WorkerSettings) -> Told:
    """A story that shows itself, proposes one new file on a branch of its own, and says that it is done."""
    app = app_of(settings)

    def story(case: Case, lease: Lease) -> Report:
        mirrors = settings.state_dir.expanduser() / "mirrors"
        with GitHubForge(app, mirrors, case, lease.redactor, lease.guard) as forge:
            forge.tell(case, Notice("Looking", "Looking into it."))
            done = lease.recall("publish", 0, Published) or publish(forge, case)
            lease.record("publish", 0, done, 0.0)
            forge.tell(case, ended(case), done)
        return Report(case, Outcome.FIXED, "", published=done)

    return story


def ended(case: Case) -> Notice:
    """The last word about a run, with a comment that names it."""
    return Notice("Done", "Done.", comment=f"Done in run {case.run}.", final=True)


def publish(forge: GitHubForge, case: Case) -> Published:
    """A pull request that adds one file, from a branch named after the run."""
    tree = forge.tree(case)
    patch = tree.diff({f"replayed/{case.run}.txt": b"done\n"})
    branch = f"heal/replay-{case.run}"
    text = f"fix: {case.job or 'the check'} in run {case.run}"
    proposal = Proposal(branch, case.branch, text[:72], text, f"{text}\n", draft=False)
    return forge.publish(replace(case, pull_request=None), tree, patch, proposal)


if __name__ == "__main__":
    run_worker(int(sys.argv[1]), told)
