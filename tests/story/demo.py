"""`make demo`: the main job on real parts, told stage by stage, then the pull request as its maintainer sees it.

Exit code 0 only when every case ended as it should: a pull request whose branch the double's own CI found green, or,
for the flaky sample, an honest no and no pull request.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markdown import Markdown
from rich.syntax import Syntax
from rich.table import Table

from tests.story.theatre import OWNER, Theatre

ROOT = Path(__file__).resolve().parents[2]
CASES = {"wrong-operator": "FIXED", "lint-findings": "FIXED", "missing-import": "FIXED", "flaky-order": "FLAKY"}
CI_SECONDS = 240
RUN_SECONDS = 300


@dataclass(frozen=True)
class Told:
    """How one case went."""

    case: str
    outcome: str
    fixer: str
    pull_request: str
    seconds: float
    good: bool


class Demo:
    """Plays cases on a theatre and tells them on a console."""

    def __init__(self, theatre: Theatre, console: Console) -> None:
        self._theatre = theatre
        self._hub = theatre.hub
        self._say = console

    def play(self, case: str) -> Told:
        """One case from the red commit to its end."""
        repo = f"{OWNER}/{case}"
        self._say.rule(f"[bold]{case}")
        self._make_red(case, repo)
        started = time.monotonic()
        run = self._follow(repo, started)
        seconds = time.monotonic() - started
        page = self._theatre.run(run["id"])
        pulls = self._hub.repo(repo)["pulls"]
        if pulls:
            self._show_pull(pulls[0])
        else:
            self._show_answer(repo)
        self._show_stages(page)
        accepted = next((a for a in page["attempts"] if a["accepted"]), None)
        return Told(
            case=case,
            outcome=run["outcome"],
            fixer=accepted["fixer"] if accepted else "",
            pull_request=f"#{pulls[0]['number']}" if pulls else "none",
            seconds=seconds,
            good=self._as_it_should(case, run, repo, pulls),
        )

    def _make_red(self, case: str, repo: str) -> None:
        """The repository appears; the double's CI runs its workflow for real. Flaky samples replay a red run's log."""
        log = ROOT / "tests" / "repos" / f"{case}.log"
        if log.exists():
            self._theatre.sample(case)
            self._hub.finish_ci(repo, log=log.read_text(), conclusion="failure", job="test")
            self._line("0.0", "CI", "red (a recorded run: this failure comes and goes)")
            return
        started = time.monotonic()
        made = self._theatre.sample(case, ci="real", run_first=True)
        ended = self._hub.wait_ci(repo, made.sha, CI_SECONDS)
        self._line(f"{time.monotonic() - started:.1f}", "CI", f"{ended['conclusion']} on main ({made.sha[:7]})")

    def _follow(self, repo: str, started: float) -> dict[str, Any]:
        """Print each stage as it ends, until the run has."""
        seen = 0
        while time.monotonic() - started < RUN_SECONDS:
            run = next((one for one in self._theatre.runs() if one["repo"] == repo), None)
            if run is not None:
                events = self._theatre.run(run["id"])["events"]
                for event in events[seen:]:
                    self._event(event, started)
                seen = len(events)
                if run["state"] == "done":
                    return run
            time.sleep(0.1)
        raise TimeoutError(f"the run did not end within {RUN_SECONDS} s\n{self._theatre.logs()}")

    def _event(self, event: Mapping[str, Any], started: float) -> None:
        data, kind, title = event["data"], event["kind"], event["title"]
        if kind == "stage" and ":" not in title and "seconds" in data:
            self._line(f"{time.monotonic() - started:.1f}", title, f"{data['seconds']:.1f} s")
        elif kind in ("claimed", "park", "retry", "done"):
            self._line(f"{time.monotonic() - started:.1f}", kind, title)

    def _line(self, at: str, what: str, text: str) -> None:
        self._say.print(f"[dim]{at:>6} s[/]  [bold]{what:<10}[/] {text}", highlight=False)

    def _show_pull(self, pull: Mapping[str, Any]) -> None:
        state = "draft" if pull["draft"] else "ready for review"
        self._say.rule(f"pull request #{pull['number']} ({state})")
        self._say.print(f"[bold]{pull['title']}[/]   {pull['head']['ref']} -> {pull['base']['ref']}", highlight=False)
        self._say.print(Markdown(_unfolded(pull["body"])))
        for file in pull["files"]:
            self._say.print(f"[bold]{file['filename']}[/]", highlight=False)
            self._say.print(Syntax(file.get("patch") or "", "diff", theme="ansi_light", background_color="default"))

    def _show_answer(self, repo: str) -> None:
        for check in self._hub.repo(repo)["check_runs"]:
            if check["name"] == "heal":
                self._say.rule(f"check run: {check['output']['title']} ({check['conclusion']})")
                self._say.print(Markdown(f"{check['output']['summary']}\n\n{check['output']['text'] or ''}"))

    def _show_stages(self, page: Mapping[str, Any]) -> None:
        table = Table("stage", "seconds", title="how long each stage took", title_justify="left")
        for stage in page["stages"]:
            if ":" not in stage["stage"]:
                table.add_row(stage["stage"], f"{stage['seconds']:.2f}")
        self._say.print(table)

    def _as_it_should(self, case: str, run: Mapping[str, Any], repo: str, pulls: list[Any]) -> bool:
        if run["outcome"] != CASES[case]:
            return False
        if CASES[case] != "FIXED":
            return not pulls
        return len(pulls) == 1 and self._branch_is_green(case, repo, pulls[0]["head"]["sha"])

    def _branch_is_green(self, case: str, repo: str, sha: str) -> bool:
        ended = self._hub.wait_ci(repo, sha, CI_SECONDS)
        self._line("", "CI", f"{ended['conclusion']} on the branch of {case} ({sha[:7]})")
        return bool(ended["conclusion"] == "success")


def _unfolded(body: str) -> str:
    """The body without HTML: the terminal shows folded sections open."""
    lines = body.replace("<details><summary>", "**").replace("</summary>", "**").replace("</details>", "")
    return "\n".join(line for line in lines.splitlines() if not line.startswith("<!--"))


def main() -> int:
    """Play the asked cases; 0 when all ended as they should."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--case", default="wrong-operator", help=f"{', '.join(CASES)} or all")
    parser.add_argument("--model", default="", help="provider:model; needs its key in the environment")
    parser.add_argument("--keep", action="store_true", help="keep everything running afterwards, until Enter")
    options = parser.parse_args()
    cases = list(CASES) if options.case == "all" else [options.case]
    if unknown := [case for case in cases if case not in CASES]:
        parser.error(f"unknown case {unknown[0]}; there are: {', '.join(CASES)}, all")
    if options.model.startswith("openai:") and not os.environ.get("OPENAI_API_KEY"):
        parser.error("MODEL=openai:... needs OPENAI_API_KEY in the environment")
    console = Console(width=110 if not sys.stdout.isatty() else None)
    extra = {"HEAL_MODEL": options.model} if options.model else {}
    state = Path(os.environ.get("HEAL_STATE_DIR", ROOT / ".heal")) / "demo"
    logs = Path(tempfile.mkdtemp(prefix="heal-demo-"))
    console.print("starting GitHub's double, Redis, the receiver and a worker ...", highlight=False)
    with Theatre(logs, state, extra) as theatre:
        console.print(f"dashboard: {theatre.url}/   logs: {logs}", highlight=False)
        demo = Demo(theatre, console)
        told = [demo.play(case) for case in cases]
        console.print(_table(told))
        if options.keep:
            console.input(f"dashboard: {theatre.url}/   press Enter to stop ")
    return 0 if all(one.good for one in told) else 1


def _table(told: list[Told]) -> Table:
    table = Table("case", "outcome", "fixer", "pull request", "red to end", "as it should")
    for one in told:
        table.add_row(one.case, one.outcome, one.fixer or "none", one.pull_request, f"{one.seconds:.1f} s",
                      "yes" if one.good else "NO")  # fmt: skip
    return table


if __name__ == "__main__":
    sys.exit(main())
