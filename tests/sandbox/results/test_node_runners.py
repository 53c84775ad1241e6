"""jest, mocha, vitest and `node --test` in the real image: every test has a name, and nothing else is changed."""

from __future__ import annotations

import pytest

from sandbox.checks import DockerEnvironment
from sandbox.spec import Ending
from tests.sandbox.results.conftest import NODE, ran, statuses

pytestmark = pytest.mark.engine
ODD = 'zero "0" \u00e9 \u001b[31m\\n2nd'
"""A title as a file of JavaScript holds it: quotes, a letter beyond ASCII, a terminal escape, a new line."""
READ = 'zero "0" \u00e9 2nd'
BODY = f"""describe('outer', () => {{
  test('adds', () => {{ expect(1 - 2).toBe(3); }});
  test('{ODD}', () => {{}});
  test.skip('later', () => {{}});
}});
"""
JEST = {
    **NODE,
    "a/sum.test.js": BODY,
    "a/ok.test.js": "test('fine', () => { console.log('PASS fake.js'); });\n",
    "a/broken.test.js": "require('./nothing');\ntest('never', () => {});\n",
}
VITEST = {
    **NODE,
    "a/sum.test.mjs": f"import {{ describe, test, expect }} from 'vitest';\n{BODY}",
    "a/ok.test.mjs": "import { test } from 'vitest';\ntest('fine', () => {});\n",
}
MOCHA = {
    **NODE,
    "test/sum.js": "const assert = require('assert');\n"
    f"describe('outer', () => {{ it('adds', () => assert.equal(1 - 2, 3)); it('{ODD}', () => {{}}); it('later');\n"
    "  describe('inner', () => { before(() => { throw new Error('no room'); }); it('never', () => {}); }); });\n"
    "it('fine', () => {});\n",
}
TAP = {
    **NODE,
    "a.test.js": "const { test, describe, it } = require('node:test');\nconst assert = require('node:assert');\n"
    f"describe('outer', () => {{ it('adds', () => assert.equal(1 - 2, 3)); it('{ODD}', () => {{}}); it.skip('later');\n"
    "});\n"
    "test('fine', () => {});\n",
}
NAMES = {"outer > adds": "failed", f"outer > {READ}": "passed", "outer > later": "skipped"}


def of(file: str) -> dict[str, str]:
    return {f"{file}::{name}": status for name, status in NAMES.items()}


@pytest.mark.parametrize("workers", ["--runInBand", "--maxWorkers=2"])
def test_jest(with_node: DockerEnvironment, workers: str) -> None:
    """Each test by name, a file that cannot be loaded as itself, in one process and in several."""
    red = ran(with_node, f"npx jest {workers}", JEST)
    expected = {**of("a/sum.test.js"), "a/ok.test.js::fine": "passed", "a/broken.test.js": "error"}
    assert statuses(red) == expected, red.output.text
    assert (red.ending, red.exit_code, red.source) == (Ending.FAILED, 1, "jest reporter")
    message = next(test.message for test in red.tests if test.id.endswith("adds"))
    assert "Expected: 3" in message
    assert "a/sum.test.js:2:" in message


def test_jest_that_dies_keeps_what_it_had(with_node: DockerEnvironment) -> None:
    """Tests that had ended before `process.exit` are there; a run without tests has none, whatever its exit code."""
    dies = {**NODE, "a.test.js": "test('first', () => {});\ntest('dies', () => process.reallyExit(0));\n"}
    died = ran(with_node, "npx jest --runInBand", dies)
    assert statuses(died) == {"a.test.js::first": "passed"}, died.output.text
    none = ran(with_node, "npx jest --passWithNoTests", NODE)
    assert (none.ending, none.tests, none.told) == (Ending.PASSED, (), None)


@pytest.mark.parametrize("options", ["", "--parallel"])
def test_mocha(with_node: DockerEnvironment, options: str) -> None:
    """Each test by name; a suite whose hook fails as itself."""
    red = ran(with_node, f"npx mocha {options}", MOCHA)
    expected = {**of("test/sum.js"), "test/sum.js::fine": "passed", "test/sum.js::outer > inner": "error"}
    assert statuses(red) == expected, red.output.text
    assert (red.exit_code, red.source) == (2, "mocha reporter")


def test_mocha_that_dies_keeps_what_it_had(with_node: DockerEnvironment) -> None:
    """As for jest."""
    dies = {**NODE, "test/a.js": "it('first', () => {});\nit('dies', () => process.reallyExit(0));\n"}
    died = ran(with_node, "npx mocha", dies)
    assert statuses(died) == {"test/a.js::first": "passed"}, died.output.text


def test_vitest(with_node: DockerEnvironment) -> None:
    """Failing tests by name, passing files as themselves, and how many tests ran, all read in the log."""
    red = ran(with_node, "npx vitest run", VITEST)
    assert statuses(red) == {"a/sum.test.mjs::outer > adds": "failed", "a/ok.test.mjs": "passed"}, red.output.text
    assert (red.source, red.told, red.names_all) == ("log of vitest", 3, False)
    whole = ran(with_node, "npx vitest run --reporter=verbose", VITEST)
    assert {"a/sum.test.mjs::outer > adds", "a/sum.test.mjs::outer > later"} <= set(statuses(whole)), whole.output.text


@pytest.mark.parametrize("reporter", ["spec", "tap"])
def test_node_test(with_node: DockerEnvironment, reporter: str) -> None:
    """Each test by name, with the message of the failing one."""
    red = ran(with_node, f"node --test --test-reporter={reporter}", TAP)
    odd = next(name for name in statuses(red) if name.startswith("outer > zero"))
    assert statuses(red) == {"outer > adds": "failed", odd: "passed", "outer > later": "skipped", "fine": "passed"}
    assert (red.exit_code, red.told) == (1, 3)
    assert "a.test.js:3:" in next(test.message for test in red.tests if test.status == "failed")


SAME = r"""
plain() {
  sed -E 's/\x1b\[[0-9;]*m//g; s/[0-9.]+ ?m?s\b/T/g; s/(duration_ms|Start at) .*/\1/; s/, estimated T//' "$1" | sort
}
same() {
  set +e
  without="/tmp/without ${*//\//-}"
  [ -e "$without" ] || { env -u NODE_OPTIONS "$@" >"$without" 2>&1; echo "exit code $?" >>"$without"; }
  "$@" >/tmp/with 2>&1; echo "exit code $?" >>/tmp/with
  plain "$without" >/tmp/a; plain /tmp/with >/tmp/b
  diff /tmp/a /tmp/b || { echo "CHANGED: $*"; exit 9; }
  echo "same: $* ($(tail -n 1 /tmp/with))"
}
export NO_COLOR=1 FORCE_COLOR=0
"""
PROGRAMS = {
    **NODE,
    "a/sum.test.js": BODY,
    "a/broken.test.js": JEST["a/broken.test.js"],
    "test/sum.js": MOCHA["test/sum.js"],
    "v/sum.test.mjs": VITEST["a/sum.test.mjs"],
    "hello.js": "console.log(require('path').basename(__filename), process.execArgv);\n",
    "missing.js": "require('./nowhere');\n",
    "throws.js": "const deep = n => n ? deep(n - 1) : null.x; deep(3);\n",
    "module.mjs": "import './nowhere.mjs';\n",
    "worker.js": "const { Worker } = require('worker_threads');\n"
    "new Worker('console.log(1); null.x', { eval: true }).on('error', e => console.log(e.stack));\n",
    "wrong.ts": "const n: number = 'a';\n",
    "eslint.config.js": "module.exports = [{ rules: { 'no-undef': 'error' } }];\n",
}
COMMANDS = [
    "node hello.js", "node -p 1+1", "node missing.js", "node throws.js", "node module.mjs", "node worker.js",
    "npm run hello", "npx tsc --noEmit wrong.ts", "npx eslint hello.js", "npx jest --runInBand a", "npx mocha",
    "npx vitest run v", "node --test test",
]  # fmt: skip


def test_no_program_notices_the_reporter(with_node: DockerEnvironment) -> None:
    """What node, npm, tsc, eslint and the runners print, and their exit codes, are the same without our reporter, and
    with one that cannot write: timings aside."""
    script = SAME + "\n".join(f"same {command}" for command in COMMANDS)
    runners = [command for command in COMMANDS if "jest" in command or "mocha" in command]
    for report in ("/dev/full", "/no/such/folder"):
        script += f"\nexport HEAL_REPORT={report}\n" + "\n".join(f"same {command}" for command in runners)
    result = ran(with_node, script, PROGRAMS)
    assert result.green, result.output.text
    assert result.output.text.count("same: ") == len(COMMANDS) + 2 * len(runners)
    assert any(test.id.startswith("a/sum.test.js::") for test in result.tests)
