"""Jobs whose steps, matrix or workflow stand elsewhere, and what each step of them becomes here."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from sandbox.spec import Fidelity, Plan, Skipped
from tests.workers.recipe.test_plans import PYTHON, case, job, make
from tests.workers.recipe.trees import MemoryTree
from workers import logs, recipe
from workers.domain import JobReport, Outcome
from workers.errors import Stop
from workers.repo_config import RepoConfig

FAILED = "##[error]Process completed with exit code 1.\n"


def printed(title: str, script: str = "", env: Mapping[str, str] = {}, *, exits: bool = True) -> str:
    """What the runner prints of one step: an action without a script, a script that fails unless `exits`."""
    body = "".join(f"\x1b[36;1m{line}\x1b[0m\n" for line in script.split("\n")) if script else ""
    pairs = "".join(f"  {name}: {value}\n" for name, value in env.items())
    head = "shell: /usr/bin/bash -e {0}\n" + (f"env:\n{pairs}" if pairs else "") if script else f"with:\n{pairs}"
    return f"##[group]Run {title}\n{body}{head}##[endgroup]\n" + ("" if exits else FAILED)


def scripts(plan: Plan) -> list[str]:
    return [step.script for step in (*plan.setup, plan.check, *plan.after)]


def refusal(*arguments: object, **more: object) -> str:
    with pytest.raises(Stop) as stopped:
        make(*arguments, **more)  # type: ignore[arg-type]
    assert stopped.value.outcome is Outcome.UNSUPPORTED
    return stopped.value.detail


# ------------------------------------------------------------------ environment, defaults, shells

LEVELS = """
on: push
env: {A: workflow, B: workflow, C: workflow, D: workflow}
defaults: {run: {shell: bash, working-directory: outer}}
jobs:
  test:
    runs-on: ubuntu-latest
    env: {B: job, C: "job ${{ github.ref_name }}", D: job}
    container: {image: "python:3.12", env: {C: container, D: container}}
    defaults: {run: {working-directory: "./inner/"}}
    steps:
      - run: pip install pytest
      - run: pytest "${{ env.D }}" "${{ env.A }}" "${{ env.NONE }}"
        env: {D: "step, not ${{ env.D }}"}
        if: env.D == 'step, not container' && env.C == 'container'
"""


def test_the_nearest_level_wins() -> None:
    """workflow < job < container < step; a step's own variables are seen by its script and its condition."""
    found = make(LEVELS)
    assert {name: found.env[name] for name in "ABCD"} == {
        "A": "workflow", "B": "job", "C": "container", "D": "container",
    }  # fmt: skip
    assert found.check.env["D"] == "step, not container"
    assert found.check.script == 'pytest "step, not container" "workflow" ""'
    assert (found.check.workdir, found.check.shell) == ("inner", "bash --noprofile --norc -e -o pipefail {0}")


@pytest.mark.parametrize(
    ("written", "container", "called"),
    [
        ("", "", "bash -e {0}"),
        ("", "container: node:22", "sh -e {0}"),
        ("bash", "container: node:22", "bash --noprofile --norc -e -o pipefail {0}"),
        ("bash", "", "bash --noprofile --norc -e -o pipefail {0}"),
        ("sh", "", "sh -e {0}"),
        ("python", "", "python {0}"),
        ("bash -l {0}", "", "bash -l {0}"),
        ("perl {0}", "", "perl {0}"),
        ("${{ 'sh' }}", "", "sh -e {0}"),
    ],
)
def test_a_shell_is_called_as_the_runner_calls_it(written: str, container: str, called: str) -> None:
    """None is bash, or sh in a container; a name is one of GitHub's command lines; anything else is one itself."""
    shell = f', shell: "{written}"' if written else ""
    extra = "runs-on: ubuntu-latest" + (f"\n    {container}" if container else "")
    assert make(job(f"{{run: pytest{shell}}}", extra)).check.shell == called


@pytest.mark.parametrize("shell", ["pwsh", "powershell", "cmd", "pwsh -Command {0}", "zsh"])
def test_a_shell_that_is_not_here_is_refused_with_its_step(shell: str) -> None:
    """By step and job; a word without `{0}` does not say where the script goes."""
    told = refusal(job(f"{{name: Unit, run: pytest, shell: '{shell}'}}"))
    assert told.startswith(f"The step 'Unit' of the job 'test' uses the shell '{shell}', which")
    log = printed("pytest", "pytest", exits=False).replace("/usr/bin/bash -e", "/usr/bin/pwsh -command")
    assert "uses the shell 'pwsh -command {0}'" in refusal(job("run: pytest"), log=log)
    assert make(job(f"run: pytest\n{{run: x, shell: '{shell}'}}")).skipped[-1].weakens_proof


def test_a_step_for_another_system_is_no_reason_to_refuse() -> None:
    """Its condition is false here, so its shell does not matter."""
    text = job("{run: choco install x, shell: pwsh, if: runner.os == 'Windows'}\nrun: pytest")
    assert scripts(make(text))[-1] == "pytest"


# ------------------------------------------------------------------ conditions


@pytest.mark.parametrize(
    ("condition", "runs"),
    [
        ("github.event_name == 'push'", True),
        ("github.event_name == 'pull_request'", False),
        ("${{ github.ref == 'refs/heads/main' }}", True),
        ("startsWith(github.ref, 'refs/tags/')", False),
        ("matrix.x == 'y'", False),
        ("success()", True),
        ("failure()", False),
        ("false", False),
        ("github.event.pull_request.draft == true", False),
        ("github.event.inputs.debug", False),
        ("inputs.debug", False),
        ("runner.os == 'Linux' && !cancelled()", True),
    ],
)
def test_a_steps_condition_decides(condition: str, runs: bool) -> None:
    """As far as the event is known: a push has no pull request and no inputs."""
    text = job(f'{{run: make extra, if: "{condition}"}}\nrun: pytest')
    assert ("make extra" in scripts(make(text))) is runs


def test_a_condition_that_only_github_can_judge_leaves_the_step_out() -> None:
    """It is named with what it needs."""
    found = make(job("{name: Gen, run: make gen, if: vars.GEN == 'yes'}\nrun: pytest"))
    assert Skipped("Gen", "its condition needs vars.GEN, which only GitHub knows", True) in found.skipped
    wrong = make(job("{name: Gen, run: make gen, if: a ==}\nrun: pytest")).skipped[0].reason
    assert wrong == "its condition has an expression that is not valid: it ends too early"


def test_what_the_job_api_says_ran_needs_no_judging() -> None:
    """A step that GitHub skipped is not there, one that passed was wanted."""
    text = job("{name: One, run: make one, if: vars.A}\n{name: Two, run: make two}\n{name: Unit, run: pytest}")
    steps = (("One", "success"), ("Two", "skipped"), ("Unit", "failure"))
    found = recipe.plan(JobReport("test", workflow=text, steps=steps), MemoryTree(PYTHON), RepoConfig(), case())
    assert scripts(found) == ["make one", "python -m pip install pytest", "pytest"]


def test_a_job_that_ci_would_skip_is_said() -> None:
    """Where nobody says that CI ran it; a job without a name is rather looked for elsewhere."""
    text = """
on: push
jobs:
  test: {runs-on: ubuntu-latest, if: "github.event_name == 'schedule'", steps: [{run: pytest slow}]}
  check: {runs-on: ubuntu-latest, if: "vars.A", steps: [{run: pytest quick}]}
  lint: {runs-on: ubuntu-latest, if: "!failure()", steps: [{run: pytest plain}]}
"""
    assert (
        "CI would skip the job here: its condition is github.event_name == 'schedule'" in make(text, name="test").notes
    )
    assert "whether CI runs the job depends on vars.A, which only GitHub knows" in make(text, name="check").notes
    assert make(text).check.script == "pytest quick"


def test_a_job_may_go_on_when_a_step_fails() -> None:
    """An installing step that may fail does not end the set-up; one that checks decides nothing."""
    text = job(
        "{run: pip install extra, continue-on-error: '${{ 1 == 1 }}'}\n{run: mypy ., continue-on-error: true}\n"
        "run: pytest"
    )
    found = make(text)
    assert found.setup[0].shell == "sh -c 'bash -e {0} || true'"
    assert found.check.script == "pytest"


def test_reporters_after_the_failing_step_prove_nothing() -> None:
    """`always()` and its like; a step that is only joined with success is run."""
    found = make(job('run: pytest\n{run: a, if: always()}\n{run: b, if: "!cancelled()"}\n{run: c, if: success()}'))
    assert [step.script for step in found.after] == ["c"]
    assert all(not one.weakens_proof for one in found.skipped)


def test_a_steps_own_time_limit_counts() -> None:
    """The failing step's, else the job's, and never more than the sandbox's."""
    assert make(job("{run: pytest, timeout-minutes: 2}")).timeout_s == 120
    assert make(job("{run: pytest}", "runs-on: ubuntu-latest\n    timeout-minutes: 3")).timeout_s == 180
    assert make(job("{run: pytest, timeout-minutes: 90}")).timeout_s == 600


# ------------------------------------------------------------------ outputs and variables of earlier steps


def test_outputs_that_a_script_plainly_echoes_are_known() -> None:
    """Also for conditions, and for jobs that need this one."""
    text = """
on: push
jobs:
  first:
    runs-on: ubuntu-latest
    outputs: {tool: "${{ steps.pick.outputs.tool }}", cells: "${{ steps.pick.outputs.cells }}"}
    steps:
      - id: pick
        run: |
          echo "tool=pytest" >> $GITHUB_OUTPUT
          echo 'cells=[3, 4]' >> "$GITHUB_OUTPUT"
  test:
    needs: first
    strategy: {matrix: {x: "${{ fromJSON(needs.first.outputs.cells) }}"}}
    runs-on: ubuntu-latest
    steps:
      - {run: "pip install ${{ needs.first.outputs.tool }}", if: needs.first.result == 'success'}
      - run: pytest -n ${{ matrix.x }}
"""
    found = make(text, name="test (4)")
    assert scripts(found) == ["pip install pytest", "pytest -n 4"]


def test_what_a_step_of_the_set_up_writes_is_put_in_while_it_runs() -> None:
    """The plan carries a token and the step's id; the sandbox replaces it."""
    text = job(
        "{id: v, run: ./version >> $GITHUB_OUTPUT}\nrun: pip install x==${{ steps.v.outputs.number }}\n"
        "{run: 'pip install y==$(z) && echo Q=$(z) >> $GITHUB_ENV'}\n"
        "{run: 'pytest ${{ env.Q }}', env: {V: 'v${{ steps.v.outputs.number }}'}}"
    )
    steps = (("Run pytest ${{ env.Q }}", "failure"),)
    found = recipe.plan(JobReport("test", workflow=text, steps=steps), MemoryTree(PYTHON), RepoConfig(), case())
    assert found.setup[0].id == "v"
    assert found.setup[1].script == "pip install x==${{steps.v.outputs.number}}"
    assert found.check.script == "pytest ${{env.Q}}"
    primed = make(job("{id: v, run: ./v >> $GITHUB_OUTPUT}\nrun: tox -e ${{ steps.v.outputs.env }}"))
    assert primed.setup[1].script == "tox run --notest -e '${{steps.v.outputs.env}}'"
    assert found.check.env["V"] == "v${{steps.v.outputs.number}}"


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        (
            "{id: a, uses: me/x@v1}\nrun: make ${{ steps.a.outputs.b }}",
            "it needs steps.a.outputs.b, which only GitHub knows",
        ),
        (
            "{id: a, run: ./a, if: vars.X}\nrun: make ${{ steps.a.outputs.b }}",
            "it needs steps.a.outputs.b, which a step writes that is not part of the set-up",
        ),
        (
            "{id: a, run: ./a >> $GITHUB_OUTPUT}\nrun: make ${{ steps.a.outputs.b == '1' }}",
            "it needs steps.a.outputs.b, which only GitHub knows",
        ),
        ("run: make ${{ github.run_id }}", "it needs github.run_id, which only GitHub knows"),
        ("run: make ${{ vars.X }}", "it needs vars.X, which only GitHub knows"),
        ("{run: 'make ${{ 1 == }}'}", "it has an expression that is not valid: it ends too early"),
        ("{run: make, env: {A: '${{ needs.a.outputs.b }}'}}", "it needs needs.a.outputs.b, which only GitHub knows"),
    ],
)
def test_what_cannot_be_resolved_leaves_the_step_out_with_the_reason(steps: str, reason: str) -> None:
    """Never silently empty."""
    found = make(job(f"{steps}\nrun: pytest"))
    assert any(one.reason == reason and one.weakens_proof for one in found.skipped)
    assert "pytest" in scripts(found)[-1]


def test_a_folder_may_be_known_later_or_never() -> None:
    """A token while the job runs; without one the step is left out, or with its log run in the workspace."""
    text = job("{id: v, run: ./v >> $GITHUB_OUTPUT}\n{run: pytest, working-directory: 'a/${{ steps.v.outputs.x }}'}")
    assert make(text).check.workdir == "a/${{steps.v.outputs.x}}"
    text = job(
        "{name: A, run: mypy, working-directory: '${{ vars.D }}'}\n"
        "{run: pytest, working-directory: '${{ github.workspace }}/b/'}"
    )
    found = make(text)
    assert (found.check.workdir, found.skipped[0].reason) == ("b", "it needs vars.D, which only GitHub knows")
    logged = make(text, log=printed("mypy", "mypy", exits=False))
    assert (logged.check.workdir, logged.fidelity) == (".", Fidelity.APPROXIMATE)
    assert "'A' ran in a folder that is not known here (vars.D): taken is the workspace" in logged.notes


def test_what_stands_beside_the_job_is_there_before_its_steps() -> None:
    """A variable that a step adds later is empty for the container, as on GitHub."""
    found = make(
        job(
            "{run: 'echo I=x >> $GITHUB_ENV'}\nrun: pytest",
            "runs-on: ubuntu-latest\n    container: 'python${{ env.I }}'",
        )
    )
    assert found.image == "python:latest"


def test_a_cache_was_empty() -> None:
    """So what runs only without a cached result runs."""
    text = job(
        "{id: c, uses: actions/cache@v4}\n"
        "{run: pip install -r requirements.txt, if: steps.c.outputs.cache-hit != 'true'}\nrun: pytest"
    )
    assert scripts(make(text)) == ["pip install -r requirements.txt", "pytest"]


# ------------------------------------------------------------------ composite actions of the repository

SETUP = """
name: Set up
inputs:
  Python: {default: "3.11"}
  extras: {required: false}
  where: {default: "${{ github.ref_name }}"}
outputs:
  path: {value: "${{ steps.inner.outputs.path }}"}
  fixed: {value: "f-${{ inputs.python }}"}
runs:
  using: composite
  steps:
    - uses: actions/setup-python@v5
      with: {python-version: "${{ inputs.python }}"}
    - {run: "pip install .[${{ inputs.extras }}] # ${{ inputs.where }} $OUT", shell: bash, working-directory: lib}
    - {id: inner, run: ./find >> $GITHUB_OUTPUT, shell: bash}
"""
CALLER = """
on: push
defaults: {run: {working-directory: app}}
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - {id: up, uses: ./.github/actions/up, with: {extras: dev}, env: {OUT: "1"}}
      - {name: Unit, run: "pytest ${{ steps.up.outputs.path }} ${{ steps.up.outputs.fixed }}"}
"""
UP = ".github/actions/up/action.yml"


def test_a_composite_action_of_the_repository_is_inlined() -> None:
    """With its inputs and their defaults, its own folder and shell, the calling step's variables, and its outputs."""
    found = make(CALLER, {**PYTHON, UP: SETUP})
    install, find = found.setup
    assert (install.script, install.workdir) == ("pip install .[dev] # main $OUT", "lib")
    assert (install.env["OUT"], install.shell) == ("1", "bash --noprofile --norc -e -o pipefail {0}")
    assert (find.id, find.workdir) == ("up/inner", ".")
    assert found.check.script == "pytest ${{steps.up/inner.outputs.path}} f-3.11"
    assert (found.check.workdir, found.skipped) == ("app", ())


def test_a_composite_actions_steps_in_the_log_are_not_run_twice() -> None:
    """The log shows them after the action's own header; their folders are the action file's."""
    log = (
        printed("actions/checkout@v4") + printed("./.github/actions/up", env={"extras": "dev"})
        + printed("actions/setup-python@v5", env={"python-version": "3.11"})
        + printed("pip install .[dev]", "pip install .[dev] # main $OUT", {"OUT": "1"})
        + printed("./find", "./find >> $GITHUB_OUTPUT") + printed("pytest", "pytest /x f-3.11", exits=False)
    )  # fmt: skip
    found = make(CALLER, {**PYTHON, UP: SETUP}, log=log)
    assert scripts(found) == ["pip install .[dev] # main $OUT", "./find >> $GITHUB_OUTPUT", "pytest /x f-3.11"]
    assert [step.workdir for step in found.setup] == ["lib", "."]
    assert (found.fidelity, found.skipped, found.check.name) == (Fidelity.EXACT, (), "Unit")


def test_the_condition_of_an_action_is_that_of_all_its_steps() -> None:
    """False leaves all of them out, unknown says so once."""
    files = {**PYTHON, UP: SETUP}
    plain = CALLER.split(" ${{ steps.up")[0] + '"}'
    assert scripts(make(plain.replace("{id: up,", "{id: up, if: false,"), files)) == [
        "python -m pip install pytest",
        "pytest",
    ]
    found = make(plain.replace("{id: up,", "{name: Up, if: vars.X,"), files)
    assert [one for one in found.skipped if "vars.X" in one.reason] == [
        Skipped("Up", "its condition needs vars.X, which only GitHub knows", True)
    ]


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ("runs: {using: node20, main: x.js}", "runs by node20, which is not run here"),
        ("runs: {using: docker, image: Dockerfile}", "runs in a container, which is not run here"),
        ("runs: [", "cannot be read: The action file is not valid YAML"),
        ("name: x", "does not say what the action runs by"),
        ("", "does not say what the action runs by"),
    ],
)
def test_a_local_action_that_is_no_list_of_steps_is_skipped_with_a_note(action: str, reason: str) -> None:
    """It weakens what is proven, and never ends the plan."""
    found = make(job("{uses: ./up, id: up}\nrun: pytest"), {**PYTHON, "up/action.yaml": action})
    assert reason in found.skipped[0].reason
    assert found.skipped[0].weakens_proof
    gone = make(job("uses: ./up/\nrun: pytest"))
    assert gone.skipped[0].reason == "its action in up cannot be read: there is no action.yml"


def test_the_other_way_to_name_ones_own_action() -> None:
    """`$/` is the repository of the workflow, `./` the workspace, where the checkout may lie in a folder."""
    files = {**PYTHON, UP: SETUP}
    assert scripts(make(CALLER.replace("./.github", "$/.github"), files)) == scripts(make(CALLER, files))
    text = CALLER.replace("checkout@v4", "checkout@v4\n        with: {path: src/app}").replace(
        "./.git", "./src/app/.git"
    )
    found = make(text, files)
    assert found.setup[0].script == "mkdir -p src\nln -sfn .. src/app"
    assert scripts(found)[1:] == scripts(make(CALLER, files))
    assert "CI has the checkout in the folder src/app, which is a link to it here" in found.notes


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ("{repository: other/one, path: one}", "it checks out another repository (other/one)"),
        ("{ref: v1.0, path: old}", "it checks out another commit (v1.0)"),
        ("{path: ../x}", "it checks out to a place outside the workspace"),
        ("{path: /x}", "it checks out to a place outside the workspace"),
    ],
)
def test_a_checkout_of_something_else_is_not_here(inputs: str, reason: str) -> None:
    """It weakens the proof; one's own repository by its full name is the tree."""
    found = make(job(f"{{uses: actions/checkout@v4, with: {inputs}}}\nrun: pytest"))
    assert [(one.reason, one.weakens_proof) for one in found.skipped] == [(reason, True)]
    assert make(job("{uses: actions/checkout@v4, with: {repository: O/R}}\nrun: pytest")).skipped == ()


def test_what_an_action_is_given_may_be_unknown() -> None:
    """It is said, and never handed on as it is written."""
    found = make(job("{uses: actions/setup-python@v5, with: {python-version: '${{ vars.PY }}'}}\nrun: pytest"))
    told = "'Run actions/setup-python@v5' is given a python-version that is not known here (${{ vars.PY }})"
    assert told in found.notes
    assert not any("sandbox has" in note for note in found.notes)


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ("uses: me/deploy@v1", "'Run me/deploy@v1': the sandbox does not know this action."),
        ("uses: codecov/codecov-action@v4", "it only installs, reports or hands files on."),
        ("{name: A, run: make, if: vars.X}", "'A': its condition needs vars.X, which only GitHub knows."),
    ],
)
def test_a_job_without_a_command_is_refused_with_its_steps(steps: str, words: str) -> None:
    """A guess about the whole repository would be another job."""
    assert refusal(job(steps), name="test") == f"The job 'test' has no step that can be run here: {words}"


def nested(uses: str) -> str:
    return f"runs: {{using: composite, steps: [{{uses: {uses}}}, {{run: echo, shell: sh}}]}}"


def test_actions_that_call_each_other_for_ever_are_refused() -> None:
    """In a sentence that names them; so are those nested deeper than GitHub allows."""
    files = {**PYTHON, "a/action.yml": nested("./b"), "b/action.yml": nested("./a/")}
    told = refusal(job("uses: ./a\nrun: pytest"), files)
    assert told == "The job 'test' cannot run: in the step 'Run ./a/' the action a calls itself by way of a and b."
    deep = {f"a{n}/action.yml": nested(f"./a{n + 1}") for n in range(12)}
    assert "nested deeper than 10 levels" in refusal(job("uses: ./a0\nrun: pytest"), deep)
    empty = {
        f"a{n}/action.yml": f"runs: {{using: composite, steps: [{', '.join([f'{{uses: ./a{n + 1}}}'] * 9)}]}}"
        for n in range(9)
    }
    empty["a9/action.yml"] = "runs: {using: composite, steps: []}"
    assert "pytest" in scripts(make(job("run: pytest\nuses: ./a0"), {**PYTHON, **empty}))[-1]
    many = {
        f"a{n}/action.yml": f"runs: {{using: composite, steps: [{', '.join([f'{{uses: ./a{n + 1}}}'] * 9)}]}}"
        for n in range(9)
    }
    assert "pytest" in scripts(make(job("run: pytest\nuses: ./a0"), {**PYTHON, **many}))[-1]


# ------------------------------------------------------------------ reusable workflows of the repository

CALLS = """
on: push
jobs:
  tests:
    name: Tests ${{ matrix.os }}
    strategy: {matrix: {os: [ubuntu, other]}}
    uses: ./.github/workflows/called.yml
    with: {python: "3.11", os: "${{ matrix.os }}"}
    secrets: inherit
  foreign: {uses: org/repo/.github/workflows/x.yml@v1}
  loop: {uses: ./.github/workflows/loop.yml}
  gone: {uses: ./.github/workflows/gone.yml}
  bad: {uses: ./.github/workflows/bad.yml}
"""
CALLED = """
on:
  workflow_call:
    inputs:
      python: {type: string, required: true}
      os: {type: string}
      slow: {type: boolean, default: true}
      level: {type: number}
      word: {type: string}
jobs:
  unit:
    runs-on: ubuntu-latest
    name: unit (${{ inputs.python }})
    steps:
      - run: pip install x-${{ inputs.os }}-${{ inputs.slow }}-${{ inputs.level }}-${{ inputs.word }}
      - {run: pytest slow, if: inputs.slow}
      - run: pytest
"""
CALLEES = {
    **PYTHON,
    ".github/workflows/called.yml": CALLED,
    ".github/workflows/loop.yml": "on: workflow_call\njobs: {a: {uses: ./.github/workflows/loop.yml}}",
    ".github/workflows/bad.yml": "jobs: [",
}


def test_a_job_of_a_reusable_workflow_is_found_by_both_names() -> None:
    """With the inputs of the caller's combination, and defaults or empty values of their types for the others."""
    found = make(CALLS, CALLEES, name="Tests other / unit (3.11)")
    assert scripts(found) == ["pip install x-other-true-0-", "pytest slow", "pytest"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "foreign / test",
            "The job 'foreign' calls org/repo/.github/workflows/x.yml@v1, a workflow of another repository",
        ),
        ("loop / a / a", "The job 'loop / a' calls .github/workflows/loop.yml, which calls itself"),
        ("gone / x", "The job 'gone' calls .github/workflows/gone.yml, which is not in the repository."),
        ("bad / x", "calls .github/workflows/bad.yml, which cannot be read: The workflow file is not valid YAML"),
        ("other", "only: Tests ubuntu / unit (3.11), Tests other / unit (3.11), foreign, loop / a, gone, bad"),
    ],
)
def test_a_called_workflow_that_cannot_be_read_is_refused_in_a_sentence(name: str, words: str) -> None:
    """Another repository's, one that calls itself, one that is not there, one that is none."""
    assert words in refusal(CALLS, CALLEES, name=name)


def test_workflows_that_call_each_other_in_many_combinations_cost_nothing() -> None:
    """However deep: the walk is bounded, and a job beyond the bound is simply not found."""
    axes = "{a: [1, 2, 3, 4, 5, 6, 7, 8], b: [1, 2, 3, 4, 5, 6, 7, 8]}"
    files = {
        f".github/workflows/w{n}.yml": f"on: workflow_call\njobs: {{j: {{strategy: {{matrix: {axes}}}, "
        f"uses: ./.github/workflows/w{n + 1}.yml}}}}"
        for n in range(9)
    }
    files[".github/workflows/w9.yml"] = "on: workflow_call\njobs: {x: 1}"
    assert "has no job named 'deep'" in refusal(files[".github/workflows/w0.yml"], files, name="deep")
    wide = {f"j{n}": {"needs": [f"j{m}" for m in range(200)], "outputs": {"a": "${{ steps.x.outputs.y }}"},
            "steps": [{"id": "x", "run": "echo y=1 >> $GITHUB_OUTPUT\n" * 5}]} for n in range(200)}  # fmt: skip
    assert "has no job named 'deep'" in refusal(json.dumps({"jobs": wide}), PYTHON, name="deep")


def test_a_log_is_enough_for_another_repositorys_workflow() -> None:
    """Its scripts are there; that the file is not is said."""
    log = printed("pip install x", "pip install x") + printed("pytest", "pytest", exits=False)
    found = make(CALLS, CALLEES, log, name="foreign / test")
    assert scripts(found) == ["pip install x", "pytest"]
    assert any("a workflow of another repository" in note for note in found.notes)


# ------------------------------------------------------------------ matrices that only GitHub can compute

DYNAMIC = """
on: push
jobs:
  test:
    name: test (${{ matrix.python }}, ${{ matrix.extra }})
    runs-on: ubuntu-latest
    strategy: {matrix: "${{ fromJSON(needs.plan.outputs.matrix) }}"}
    steps:
      - uses: actions/setup-python@v5
        with: {python-version: "${{ matrix.python }}"}
      - run: pip install x==${{ matrix.version }}
      - {name: Unit, run: "pytest -k ${{ matrix.extra }}"}
  other:
    runs-on: ubuntu-latest
    strategy: {matrix: {a: "${{ fromJSON(needs.plan.outputs.a) }}", b: [1, 2]}}
    steps: [{run: "pytest ${{ matrix.a }} ${{ matrix.b }}"}]
  single:
    runs-on: ubuntu-latest
    strategy: {matrix: {include: "${{ fromJSON(needs.plan.outputs.a) }}"}}
    steps: [{run: "pytest ${{ matrix.only }}"}]
"""


def test_the_name_tells_the_combination() -> None:
    """By the holes of the job's name, or by the order of the matrix's lists; what it does not tell is unresolved."""
    found = make(DYNAMIC, name="test (3.11, slow and more)")
    assert found.check.script == "pytest -k slow and more"
    assert (
        Skipped("Run pip install x==${{ matrix.version }}", "it needs matrix.version, which only GitHub knows", True)
        in found.skipped
    )
    computed = "the matrix is computed at run time (needs.plan.outputs.matrix)"
    note = f"{computed}: the job's name tells python 3.11, extra slow and more"
    assert note in found.notes
    assert make(DYNAMIC, name="other (x, 2)").check.script == "pytest x 2"
    assert make(DYNAMIC, name="single (y)").check.script == "pytest y"


def test_the_log_tells_what_the_name_does_not() -> None:
    """Where the file has nothing but `matrix.x`, in an action's input or in a script."""
    log = (
        printed("actions/setup-python@v5", env={"python-version": "3.11"}) + printed("pip", "pip install x==7")
        + printed("pytest", "pytest -k z", exits=False)
    )  # fmt: skip
    found = make(DYNAMIC, log=log, name="test (3.11, z)")
    assert scripts(found) == ["pip install x==7", "pytest -k z"]
    assert "tells python 3.11, extra z, version 7" in " ".join(found.notes)


def test_the_log_confirms_one_of_several_combinations_with_the_same_name() -> None:
    """A name that does not say all of the matrix fits several; what the log shows decides, else it is said."""
    text = """
on: push
jobs:
  test:
    name: Unit ${{ matrix.where }}
    runs-on: ${{ matrix.os }}
    strategy: {matrix: {os: [windows-latest, ubuntu-latest], django: [4, 5], where: [a]}}
    steps:
      - run: pip install django==${{ matrix.django }}
      - {run: pytest, working-directory: "app${{ matrix.django }}", env: {OS: "${{ matrix.os }}"}}
"""
    log = printed("pip", "pip install django==5") + printed("pytest", "pytest", {"OS": "ubuntu-latest"}, exits=False)
    assert make(text, log=log, name="Unit a").check.workdir == "app5"
    unsure = make(text, name="Unit a")
    assert unsure.check.workdir == "app4"
    assert (
        "several combinations of the matrix are called 'Unit a': taken is os ubuntu-latest, django 4, where a"
        in unsure.notes
    )


# ------------------------------------------------------------------ the log


def test_an_action_of_another_repository_that_prints_its_steps_is_run_by_them() -> None:
    """A composite action's scripts are in the log: they are what ran. One that needs its own files is not."""
    text = job(
        "uses: actions/checkout@v4\nuses: me/prepare@v1\nuses: me/own@v1\nuses: pre-commit/action@v3.0.1\nrun: pytest"
    )
    log = (
        printed("actions/checkout@v4") + printed("me/prepare@v1") + printed("make x", "make x")
        + printed("actions/cache@v4") + printed("me/own@v1") + printed("run", "$GITHUB_ACTION_PATH/run.sh")
        + printed("pre-commit/action@v3.0.1") + printed("install", "python -m pip install pre-commit")
        + printed("pre-commit run", "pre-commit run --all-files", exits=False)
    )  # fmt: skip
    found = make(text, log=log)
    assert [step.script for step in found.setup] == [
        "make x",
        "python -m pip install pre-commit",
        "pre-commit install-hooks",
    ]
    assert (found.check.script, [step.script for step in found.after]) == ("pre-commit run --all-files", ["pytest"])
    assert [one.step for one in found.skipped if one.weakens_proof] == ["me/own@v1"]


def test_an_action_that_failed_inside_another_is_no_command() -> None:
    """What came before it is not taken for it; the job API names a step that only printed an error."""
    log = (
        printed("me/prepare@v1") + printed("make x", "make x") + printed("me/inner@v1") + "##[error]It failed.\n"
        + printed("pytest", "pytest")
    )  # fmt: skip
    text = job("{name: Prepare, uses: me/prepare@v1}\nrun: pytest")
    assert "The step that failed is the action me/prepare@v1" in refusal(text, log=log)
    job_log = printed("echo", "echo x") + "##[error]only said\n" + printed("psf/black@stable") + "##[error]failed\n"
    report = JobReport(
        "test",
        logs.parse(job_log),
        job("run: echo x\n{name: Style, uses: psf/black@stable}"),
        steps=(("Style", "failure"),),
    )
    assert recipe.plan(report, MemoryTree(PYTHON), RepoConfig(), case()).check.script == "black --check --diff ."


def test_a_jobs_defaults_are_not_for_the_steps_that_an_action_prints() -> None:
    """They are for the job's own; a step after one of GitHub's own actions is such a one, whatever its first line."""
    text = job("uses: me/prepare@v1\nuses: actions/cache@v4\n{run: make y}\nrun: pytest").replace(
        "    steps:", "    defaults: {run: {working-directory: app}}\n    steps:"
    )
    log = (
        printed("me/prepare@v1") + printed("make x", "make x") + printed("actions/cache@v4")
        + printed("y", "make other")
        + printed("pytest", "pytest", exits=False)
    )  # fmt: skip
    found = make(text, log=log)
    assert [(step.script, step.workdir) for step in found.setup[:2]] == [("make x", "."), ("make other", "app")]
    assert found.check.workdir == "app"


def test_later_steps_have_the_jobs_variables_and_what_was_written() -> None:
    """They are not in the log: the file gives both, and a token stands for an output of a step that ran."""
    text = "env: {A: '1'}\n" + job(
        "{id: v, run: ./v >> $GITHUB_OUTPUT}\nrun: pytest\n{run: 'use ${{ steps.v.outputs.x }}', env: {B: '2'}}"
    )
    found = make(
        text,
        log=printed("v", "./v >> $GITHUB_OUTPUT", {"A": "1"}) + printed("pytest", "pytest", {"A": "1"}, exits=False),
    )
    assert found.after[0].script == "use ${{steps.v.outputs.x}}"
    assert {"A": "1", "B": "2"}.items() <= found.after[0].env.items()


def test_two_steps_with_one_name_are_judged_by_their_conditions() -> None:
    """One was skipped and one passed: which of them the job API does not say."""
    text = job(
        "{name: Up, run: make w, if: runner.os == 'Windows'}\n{name: Up, run: make l}\n{name: Unit, run: pytest}"
    )
    steps = (("Up", "skipped"), ("Up", "success"), ("Unit", "failure"))
    found = recipe.plan(JobReport("test", workflow=text, steps=steps), MemoryTree(PYTHON), RepoConfig(), case())
    assert scripts(found)[0] == "make l"


def test_a_step_that_failed_and_was_borne_is_not_the_failure() -> None:
    """With `continue-on-error` the job goes on: the failing step is the one after which it did not."""
    text = job("{name: Spelling, run: codespell ., continue-on-error: true}\nrun: pytest")
    log = printed("codespell", "codespell .", exits=False) + printed("pytest", "pytest", exits=False)
    found = make(text, log=log)
    assert scripts(found)[-1] == "pytest"
    assert Skipped("Spelling", "it failed in CI too and the job went on", False) in found.skipped


def test_a_step_that_is_not_in_the_log_did_not_run() -> None:
    """Whatever its condition: GitHub has judged it."""
    text = job("{run: make docs, if: vars.DOCS}\nrun: make gen\nrun: pytest")
    log = printed("make gen", "make gen") + printed("pytest", "pytest", exits=False)
    assert [one for one in scripts(make(text, log=log)) if one != "python -m pip install pytest"] == [
        "make gen",
        "pytest",
    ]


def test_a_log_with_too_many_steps_is_not_the_runners() -> None:
    """A program printed them: the file says what ran, and nothing takes long."""
    log = printed("pytest", "pytest ${{", exits=False) * 2_001
    assert "without a log" in make(job("\n".join(["run: pytest a"] * 400)), log=log).notes[0]


def test_the_runners_own_folders_are_elsewhere_here() -> None:
    """What `github.workspace` and `runner.temp` became in a script leads to ours; a container's too."""
    script = "cat /home/runner/work/r/r/x /home/runner/work/_temp/y /__w/r/r/z /home/runner/work/r/rr"
    log = printed("cat", script, {"A": "/home/runner/work/r/r/lib", "B": "/home/runner/.cache"}, exits=False)
    found = make(job("run: cat ${{ github.workspace }}/x"), log=log)
    assert found.check.script == "cat /ws/x /tmp/runner/y /ws/z /home/runner/work/r/rr"
    assert (found.check.env["A"], "B" in found.check.env) == ("/ws/lib", False)


def test_a_secret_in_the_failing_command_is_refused() -> None:
    """Without it the failure would be another one; in a variable it is empty and said so."""
    masked = printed("x", "pytest --key ***", exits=False)
    told = refusal(job("{name: Unit, run: 'pytest --key ${{ secrets.KEY }}'}"), log=masked)
    assert told == "The failing step 'Unit' has secrets.KEY in its command; no secret ever reaches the sandbox."
    assert "has a secret in its command" in refusal(log=masked)
    text = job("{name: Unit, run: 'pytest --key ${{ secrets.KEY }}'}\n{name: Types, run: mypy .}")
    steps = (("Unit", "failure"),)
    with pytest.raises(Stop, match=r"has secrets\.KEY in its command"):
        recipe.plan(JobReport("test", workflow=text, steps=steps), MemoryTree(PYTHON), RepoConfig(), case())
    unsure = make(text)
    assert (unsure.check.name, unsure.skipped[0].reason) == (
        "Types",
        "its command has secrets.KEY, which is empty here",
    )


def test_a_word_that_is_masked_by_chance_is_read_in_the_file() -> None:
    """A secret whose value is a common word hides it everywhere: the file has what was written."""
    log = printed("x", "pytest *** -q", exits=False)
    assert make(job("run: pytest tests -q"), log=log).check.script == "pytest tests -q"


# ------------------------------------------------------------------ what is refused, and what is only near


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ("windows-2022", "The job 'test' runs on windows-2022; the sandbox runs Linux on x86-64 only."),
        (
            "'${{ matrix.os }}'\n    strategy: {matrix: {os: [macos-15]}}",
            "The job 'test' runs on macos-15; the sandbox",
        ),
        ("ubuntu-24.04-arm", "runs on ubuntu-24.04-arm, another kind of processor; the sandbox"),
        ("[self-hosted, gpu]", "runs on self-hosted, gpu, a machine with a GPU, which the sandbox does not have."),
    ],
)
def test_a_machine_that_is_not_here_is_refused(labels: str, words: str) -> None:
    """By job and label."""
    assert words in refusal(job("run: pytest", f"runs-on: {labels}"))


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ("[self-hosted, linux]", "the job runs on a machine of its own (self-hosted, linux): what is installed"),
        ("big-ubuntu", "the job runs on a machine of its own (big-ubuntu)"),
        ("'${{ vars.RUNNER }}'", "which runner the job has (${{ vars.RUNNER }}) is known to GitHub only"),
    ],
)
def test_a_machine_of_their_own_is_only_come_near_to(labels: str, words: str) -> None:
    """Linux, as far as is known: the plan says so."""
    found = make(job("run: pytest", f"runs-on: {labels}"))
    assert found.fidelity is Fidelity.APPROXIMATE
    assert words in " ".join(found.notes)
    for usual in ("ubuntu-22.04", "ubuntu-latest-8-cores", "{group: large, labels: [ubuntu-24.04]}"):
        assert make(job("run: pytest", f"runs-on: {usual}")).fidelity is Fidelity.CLOSE


def test_a_cloud_login_is_refused_with_its_step() -> None:
    """With GitHub's identity token, when the job may ask for one."""
    text = job("{name: Login, uses: aws-actions/configure-aws-credentials@v4}\nrun: pytest")
    assert refusal(text).startswith(
        "The step 'Login' of the job 'test' uses aws-actions/configure-aws-credentials@v4: "
    )
    told = refusal(text.replace("    steps:", "    permissions: {id-token: write}\n    steps:"))
    assert "an identity token of GitHub's (permissions: id-token: write)" in told
    assert "identity token" in refusal("permissions: {id-token: write}\n" + text)
    assert "identity token" in refusal("permissions: write-all\n" + text)


def test_docker_in_the_job_is_refused_with_its_step() -> None:
    """There is no engine inside the sandbox."""
    told = refusal(job("{name: Up, run: 'sudo docker compose up -d'}\nrun: pytest"))
    assert told == "The step 'Up' calls Docker (sudo docker compose up -d), which the sandbox does not offer."


def test_a_pull_request_is_known_as_one() -> None:
    """Its number, branch and merge ref; a workflow that only runs on pushes saw a push."""
    text = job("run: 'pytest ${{ github.event_name }} ${{ github.ref }} ${{ github.event.pull_request.head.ref }}'")
    found = make(text.replace("on: push", "on: [push, pull_request]"), pull_request=7, branch="fix")
    assert found.check.script == "pytest pull_request refs/pull/7/merge fix"
    pushed = make(text.replace(" ${{ github.event.pull_request.head.ref }}", ""), pull_request=7, branch="fix")
    assert pushed.check.script == "pytest push refs/heads/fix"


@pytest.mark.parametrize(
    ("version", "told"), [("Version: 20251102.4.0\n", "ubuntu-24.04, 20251102.4.0"), ("", "ubuntu-24.04")]
)
def test_the_machine_that_ci_ran_on_is_told(version: str, told: str) -> None:
    """The log's preamble names the image of the runner, and mostly its version: where they differ, people know what to
    look for."""
    image = f"##[group]Runner Image\nImage: ubuntu-24.04\n{version}##[endgroup]\n"
    found = make(job("run: pytest"), log=image + printed("pytest", "pytest", exits=False))
    assert f"CI's machine was {told}" in found.notes
