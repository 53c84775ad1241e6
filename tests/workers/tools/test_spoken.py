"""Which tool is heard in a step: by its own words behind a script's name, before the program that started it."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from sandbox.spec import Ending, Evidence, Output, Plan, Result, Step, TestCase
from tests.workers.recipe.trees import MemoryTree
from workers import diagnosis
from workers.domain import Diagnosis, FailureClass, Finding, JobReport
from workers.scripts import invocations
from workers.tools import TOOLS

CASES = Path(__file__).parent / "cases"
NPM = "\n> shop@1.0.0 test\n> whatever\n\n{}\nnpm error Lifecycle script `test` failed with error:\nnpm error code 1\n"
MAKE = "whatever\n{}\nmake: *** [Makefile:4: check] Error 1"
MAVEN = "{}\n[INFO] BUILD FAILURE\n[ERROR] Failed to execute goal org.acme:any-plugin:1:run on project x: it failed"


def heard(script: str, output: str) -> Diagnosis:
    before = Result(Ending.FAILED, 1, Output(output), (), b"", 1.0, 0, Evidence("", "", "", "", ""))
    return diagnosis.read(Plan("node", (), Step("check", script)), before, JobReport("test"), MemoryTree({}))


@pytest.mark.parametrize(
    ("script", "around", "case", "tool", "cls", "message"),
    [
        ("npm test", NPM, "jest_snapshots", "jest", FailureClass.SNAPSHOT, "expect(received).toMatchSnapshot()"),
        ("yarn test", "{}", "vitest_mixed", "vitest", FailureClass.ERROR, "AssertionError: expected 2 to be 3"),
        ("npm test", NPM, "mocha_mixed", "mocha", FailureClass.ERROR, "AssertionError [ERR_ASSERTION]"),
        ("pnpm test", "{}", "node --test_spec", "node --test", FailureClass.ERROR, "AssertionError"),
        ("npm test", NPM, "ava_one", "ava", FailureClass.TEST, "Difference"),
        ("npm run lint", NPM, "eslint_problem_matcher", "eslint", FailureClass.LINT, "'count' is never reassigned"),
        ("make lint", MAKE, "prettier_version_2", "prettier", FailureClass.FORMAT, "would be reformatted"),
        ("npm run lint", NPM, "stylelint_usual", "stylelint", FailureClass.SYNTAX, "Unclosed block"),
        ("npm run lint", NPM, "biome_format", "biome", FailureClass.FORMAT, "Formatter would have printed"),
        ("npm run build", NPM, "tsc_types", "tsc", FailureClass.TYPE, "Type 'string' is not assignable"),
        ("npm run build", NPM, "node_syntax", "node", FailureClass.SYNTAX, "SyntaxError: Unexpected token"),
        ("make lint", MAKE, "golangci-lint_v1", "golangci-lint", FailureClass.LINT, "ineffectual assignment to err"),
        ("make lint", MAKE, "gofmt_diff", "gofmt", FailureClass.FORMAT, "is not formatted"),
        ("make test", MAKE, "go_test_build_failed", "go", FailureClass.BUILD, '"os" imported and not used'),
        ("make test", MAKE, "go test_panic", "go test", FailureClass.ERROR, "Add(1, 1) = 2, want 3"),
        ("make test", MAKE, "cargo_compile", "cargo", FailureClass.BUILD, "cannot find value `missing_name`"),
        ("make test", MAKE, "cargo test_panics", "cargo test", FailureClass.ERROR, "assertion `left == right` failed"),
        ("make lint", MAKE, "rustfmt_check", "rustfmt", FailureClass.FORMAT, "is not formatted"),
        ("mvn verify", MAVEN, "javac_errors", "javac", FailureClass.BUILD, "package org.junit.jupiter.api does not"),
        ("./gradlew build", "{}", "kotlinc_gradle", "kotlinc", FailureClass.BUILD, "Unresolved reference 'missing'."),
        ("mvn verify", MAVEN, "junit_surefire", "junit", FailureClass.ERROR, "org.opentest4j.AssertionFailedError"),
        ("./gradlew check", "{}", "junit_gradle", "junit", FailureClass.ERROR, "org.opentest4j.AssertionFailedError"),
        ("./gradlew check", "{}", "ktlint_gradle", "ktlint", FailureClass.LINT, "Unused import"),
        ("mvn verify", MAVEN, "checkstyle_maven", "checkstyle", FailureClass.LINT, "'x' hides a field."),
        ("./gradlew check", "{}", "spotless_gradle", "spotless", FailureClass.FORMAT, "is not formatted"),
        (
            "make test",
            MAKE,
            "deno test_usual",
            "deno test",
            FailureClass.ERROR,
            "AssertionError: Values are not equal.",
        ),
        ("make test", MAKE, "bun test_usual", "bun test", FailureClass.ERROR, "expect(received).toBe(expected)"),
        ("make lint", MAKE, "deno_lint", "deno", FailureClass.LINT, "`x` is never used"),
        ("npm ci && npm test", "{}", "npm_lock_drift", "npm", FailureClass.RESOLUTION, "Missing: is-even@1.0.0"),
        ("make install", MAKE, "pnpm_lock_drift", "pnpm", FailureClass.RESOLUTION, "Cannot install with"),
        ("make install", MAKE, "yarn_lock_drift", "yarn", FailureClass.RESOLUTION, "Your lockfile needs to be"),
        ("make", MAKE, "maven_dependencies", "maven", FailureClass.RESOLUTION, "Failed to execute goal on project"),
        ("make", MAKE, "gradle_no_task", "gradle", FailureClass.WORKFLOW, "Task 'tset' not found"),
    ],
)
def test_the_tool_inside_is_heard(
    script: str, around: str, case: str, tool: str, cls: FailureClass, message: str
) -> None:
    """A step that only names a script is diagnosed as if it had called the tool."""
    output = (CASES / f"{case}.txt").read_text().split("\n--- output\n", 1)[1].split("\n--- expected\n", 1)[0]
    found = heard(script, around.replace("{}", output))
    assert (found.tool, found.cls) == (tool, cls)
    assert found.findings[0].message.startswith(message)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.NAME)
def test_a_tool_hears_nothing_in_a_clean_output(tool: object) -> None:
    """The output of a run without a complaint has no finding, whichever of the tools reads it."""
    for case in CASES.glob("*_clean.txt"):
        output = case.read_text().split("\n--- output\n", 1)[1].split("\n--- expected\n", 1)[0]
        assert not next(one for one in TOOLS if one is tool).findings(output, ())


@pytest.mark.parametrize(
    ("script", "prefix"),
    [
        ("npx --no-install eslint src", ("npx", "--no-install")),
        ("yarn eslint src", ("yarn",)),
        ("yarn run eslint src", ("yarn", "run")),
        ("pnpm exec eslint src", ("pnpm", "exec")),
        ("npm exec -- eslint src", ("npm", "exec", "--")),
        ("bunx eslint src", ("bunx",)),
        ("./node_modules/.bin/eslint src", ()),
    ],
)
def test_a_tool_is_seen_behind_what_starts_it(script: str, prefix: tuple[str, ...]) -> None:
    """The package managers' ways to call an installed program."""
    (call,) = invocations(script, "eslint")
    assert (call.prefix, call.args) == (prefix, ("src",))


@pytest.mark.parametrize("path", ["$(touch x)", "`id`", "a;b", "-rf", "'"])
@pytest.mark.parametrize(
    ("tool", "command", "rule"),
    [
        ("eslint", "npm run lint", "semi"),
        ("prettier", "yarn prettier -c .", "unformatted"),
        ("stylelint", "npx stylelint .", "block-no-empty"),
        ("biome", "npm run lint", "format"),
        ("gofmt", "test -z $(gofmt -l .)", "unformatted"),
        ("deno", "deno fmt --check", "unformatted"),
        ("ktlint", "ktlint", "standard:x"),
    ],
)
def test_a_file_name_never_becomes_a_command_or_an_option(tool: str, command: str, rule: str, path: str) -> None:
    """File names come from a log: the shell sees each as one word, which no tool takes for an option."""
    (fix,) = next(one for one in TOOLS if tool == one.NAME).fix_commands(command, [Finding("x", path, 1, None, rule)])
    *before, last = shlex.split(fix)
    assert last == path if "--" in before else last == path.replace("-rf", "./-rf")


def test_a_report_names_a_jest_test_at_the_path_with_spaces() -> None:
    """The place in a stack counts, though only parentheses say where a path with spaces begins."""
    said = (
        "TypeError: no\n    at f (/ws/node_modules/x/i.js:1:1)\n    at Object.<anonymous> (/ws/my dir/a.test.js:5:17)"
    )
    (found,) = next(one for one in TOOLS if one.NAME == "jest").findings("", (TestCase("a > b", "failed", 0, said),))
    assert (found.path, found.line, found.rule) == ("/ws/my dir/a.test.js", 5, "TypeError")
