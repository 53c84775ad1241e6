"""go and cargo in their real images, and the files of Java builds: tests have the names that are printed."""

from __future__ import annotations

import pytest

from sandbox.checks import DockerEnvironment
from sandbox.engine import Engine
from sandbox.environments import DockerSandbox
from sandbox.images.build import build
from sandbox.images.sources import Sources
from sandbox.spec import Ending, Plan, Step
from tests.sandbox.conftest import CA_BUNDLE, STATE
from tests.sandbox.results.conftest import ran, statuses
from tests.sandbox.trees import tree

pytestmark = pytest.mark.engine
GO = {
    "go.mod": "module example.com/rec\n\ngo 1.20\n",
    "rec_test.go": """package rec

import (
	"fmt"
	"os"
	"testing"
)

func TestAdd(t *testing.T) {
	t.Run("zero\\n\\"q\\" \u00e9 \\x1b[31m", func(t *testing.T) {})
	t.Run("one two", func(t *testing.T) { t.Errorf("got %d, want 3", 1-2) })
}

func TestFine(t *testing.T) { fmt.Println("--- FAIL: TestFake (0.00s)") }

func TestDies(t *testing.T) {
	if os.Getenv("DIE") != "" {
		panic("boom")
	}
}
""",
    "sub/sub_test.go": 'package sub\n\nimport "testing"\n\nfunc TestOk(t *testing.T) {}\n',
}
BROKEN = {**GO, "bad/bad.go": 'package bad\n\nfunc X() int { return "a" }\n', "bad/bad_test.go": "package bad\n"}
RUST = {
    "Cargo.toml": '[package]\nname = "rec"\nversion = "1.0.0"\nedition = "2021"\n',
    "src/lib.rs": """pub fn add(a: i32, b: i32) -> i32 { a - b }

#[cfg(test)]
mod tests {
    #[test] fn adds() { println!("test fake ... ok"); assert_eq!(super::add(1, 2), 3, "\\"q\\" \u00e9 \\x1b[31m"); }
    #[test] fn fine() {}
    #[test] #[ignore = "slow"] fn slow() {}
}
""",
    "tests/it.rs": '#[test] fn a() {}\n#[test] fn b() { if std::env::var("DIE").is_ok() { std::process::abort() } }\n',
}


def made(engine: Engine, sandbox: DockerSandbox, language: str, setup: str, files: dict[str, str]) -> DockerEnvironment:
    build(engine, STATE, [language], Sources(ca_bundle=CA_BUNDLE))
    step = Step("check", "true")
    return sandbox.prepare(Plan(language, (Step("compile", setup),), step, trust="tests"), tree(files))


@pytest.fixture(scope="session")
def with_go(engine: Engine, sandbox: DockerSandbox) -> DockerEnvironment:
    return made(engine, sandbox, "go", "go test -run '^$' ./...", GO)


@pytest.fixture(scope="session")
def with_rust(engine: Engine, sandbox: DockerSandbox) -> DockerEnvironment:
    return made(engine, sandbox, "rust", "cargo test --no-run", RUST)


def test_go(with_go: DockerEnvironment) -> None:
    """Quiet: failing tests and whole packages; with -v or -json: every test, and none of what tests print."""
    quiet = ran(with_go, "go test ./...", BROKEN)
    expected = {"example.com/rec::TestAdd": "failed", "example.com/rec::TestAdd/one_two": "failed",
                "example.com/rec/sub": "passed", "example.com/rec/bad": "error"}  # fmt: skip
    assert expected.items() <= statuses(quiet).items(), quiet.output.text
    assert (quiet.ending, quiet.exit_code, quiet.source) == (Ending.FAILED, 1, "log of go test")
    messages = {test.id: test.message for test in quiet.tests}
    assert "rec_test.go:11: got -1, want 3" in messages["example.com/rec::TestAdd/one_two"]
    assert "cannot use" in messages["example.com/rec/bad"]
    for option in ("-v", "-json"):
        named = statuses(ran(with_go, f"go test {option} ./...", GO))
        assert {"example.com/rec::TestFine": "passed", "example.com/rec/sub::TestOk": "passed"}.items() <= named.items()
        assert not any("Fake" in name for name in named)
        assert len(named) == 6


def test_go_that_dies_keeps_what_it_had(with_go: DockerEnvironment) -> None:
    """A panic fails its own test, and those before it keep their names; packages without tests have none."""
    died = statuses(ran(with_go, "go test -v .", GO, DIE="1"))
    assert (died["example.com/rec::TestDies"], died["example.com/rec::TestFine"]) == ("failed", "passed")
    none = ran(with_go, "go test ./...", {"go.mod": GO["go.mod"], "a.go": "package rec\n"})
    assert (none.ending, none.tests) == (Ending.PASSED, ())


def test_cargo(with_rust: DockerEnvironment) -> None:
    """Every test of every crate by name, the failing one with its message, and one that aborts."""
    red = ran(with_rust, "cargo test --offline --no-fail-fast", RUST)
    expected = {"rec::tests::adds": "failed", "rec::tests::fine": "passed", "rec::tests::slow": "skipped",
                "it::a": "passed", "it::b": "passed"}  # fmt: skip
    assert statuses(red) == expected, red.output.text
    assert (red.exit_code, red.source, red.told) == (101, "log of cargo test", 4)
    assert "assertion" in next(test.message for test in red.tests if test.status == "failed")
    died = ran(with_rust, "cargo test --offline --test it -- --test-threads=1", RUST, DIE="1")
    assert statuses(died) == {"it::a": "passed", "it::b": "error"}, died.output.text


SUITE = '<testsuite name="x"><testcase classname="com.x.A" name="{name}" time="0.1">{more}</testcase>'
RED = SUITE.format(name="adds", more='<failure message="want 3">AssertionError: want 3 at A.java:7</failure>')
FINE = SUITE.format(name="fine", more="") + "</testsuite>"


def test_files_of_a_build_are_gathered(bare: DockerEnvironment) -> None:
    """What the command leaves in the places of reports is read, what the commit brought there is not."""
    reports = "a/target/surefire-reports"
    script = f"mkdir -p {reports}; cp red.txt {reports}/TEST-A.xml; cp fine.txt {reports}/'TEST-b \u00e9.xml'; exit 1"
    files = {
        "red.txt": f"{RED}</testsuite>",
        "fine.txt": FINE,
        "b/target/surefire-reports/TEST-com.x.Old.xml": SUITE.format(name="old", more="") + "</testsuite>",
    }
    result = ran(bare, script, files)
    assert statuses(result) == {"com.x.A::adds": "failed", "com.x.A::fine": "passed"}, result.notes
    assert (result.source, result.exit_code, result.notes) == ("JUnit XML", 1, ())


def test_odd_files_in_the_place_of_a_report_are_refused(bare: DockerEnvironment) -> None:
    """A link, a pipe, a huge or an unreadable file is named and left alone; one that breaks off yields what it has."""
    script = """mkdir test-results; cd test-results
ln -s /etc/passwd link.xml; mkfifo pipe.xml; truncate -s 1500M huge.xml; echo x >secret.xml; chmod 0 secret.xml
echo 'no report' >other.xml; cp ../red.txt half.xml; touch "$(printf 'new\\nline.xml')" """
    result = ran(bare, script, {"red.txt": RED})
    assert statuses(result) == {"com.x.A::adds": "failed"}
    told = "\n".join(result.notes)
    for name in (
        "link.xml is a symbolic link",
        "pipe.xml is no readable",
        "huge.xml",
        "secret.xml",
        "other.xml is no JUnit",
    ):
        assert name in told
    assert all(note.startswith("report refused: ") for note in result.notes)


def test_reports_share_one_limit(bare: DockerEnvironment) -> None:
    """The reporter's lines go first; of the files comes what still fits, and a note says which did not."""
    script = """mkdir test-results; for n in 1 2 3; do
{ cat red.txt; head -c 6M /dev/zero | tr '\\0' ' '; echo '</testsuite>'; } >test-results/$n.xml; done"""
    result = ran(bare, script, {"red.txt": RED})
    assert statuses(result) == {"com.x.A::adds": "failed"}
    assert any("does not fit" in note for note in result.notes)


def test_a_reporter_goes_before_xml(with_pytest: DockerEnvironment) -> None:
    """The same tests told twice are counted once, by the better source, and a difference is noted."""
    files = {"test_a.py": "def test_a(): pass\n\n\ndef test_b(): assert 0\n", "forged.txt": FINE}
    both = ran(with_pytest, "pytest -q --junitxml=junit.xml", files)
    assert (statuses(both), both.source) == (
        {"test_a.py::test_a": "passed", "test_a.py::test_b": "failed"},
        "pytest reporter",
    )
    assert both.notes == ()
    forged = ran(with_pytest, "pytest -q || true; cp forged.txt junit.xml", files)
    assert statuses(forged) == statuses(both)
    assert any("the reporter is believed" in note for note in forged.notes)
    only = ran(with_pytest, "pytest -q -p no:heal_report --junitxml=junit.xml", files)
    assert (statuses(only), only.source) == ({"test_a::test_a": "passed", "test_a::test_b": "failed"}, "JUnit XML")


POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>com.x</groupId><artifactId>calc</artifactId><version>1</version>
<properties><maven.compiler.source>17</maven.compiler.source><maven.compiler.target>17</maven.compiler.target>
<project.build.sourceEncoding>UTF-8</project.build.sourceEncoding></properties>
<dependencies><dependency><groupId>junit</groupId><artifactId>junit</artifactId><version>4.x</version>
<scope>test</scope></dependency></dependencies></project>
"""
JAVA = {
    "pom.xml": POM,
    "src/test/java/com/x/CalcTest.java": """package com.x;

import static org.junit.Assert.*;
import org.junit.*;

public class CalcTest {
  @Test public void adds() { assertEquals("odd \\"q\\" <\u00e9>", 3, 1 - 2); }
  @Test public void breaks() { throw new IllegalStateException("no room"); }
  @Test public void fine() { System.out.println("[ERROR] Tests run: 9, Failures: 9, Errors: 0, Skipped: 0"); }
  @Ignore("later") @Test public void skipped() { }
}
""",
    "src/test/java/com/x/ZDiesTest.java": """package com.x;

public class ZDiesTest {
  @org.junit.Test public void dies() { if (System.getenv("DIE") != null) Runtime.getRuntime().halt(3); }
}
""",
}


@pytest.fixture(scope="session")
def with_maven(engine: Engine, sandbox: DockerSandbox) -> DockerEnvironment:
    """Debian's own Maven repository: Maven's index is not reachable from everywhere."""
    packages = (
        "libsurefire-java libmaven-compiler-plugin-java libmaven-resources-plugin-java junit4 maven-debian-helper"
    )
    setup = f"sudo apt-get update -qq; sudo apt-get install -y -qq --no-install-recommends {packages} >/dev/null"
    return made(engine, sandbox, "java", setup, {})


def test_maven(with_maven: DockerEnvironment) -> None:
    """Every test by class and name from surefire's own files, also when the last class ends the process."""
    command = "mvn -B -q -o -s /etc/maven/settings-debian.xml -Dmaven.repo.local=/usr/share/maven-repo test"
    command += " -Dsurefire.runOrder=alphabetical"
    expected = {"com.x.CalcTest::adds": "failed", "com.x.CalcTest::breaks": "error",
                "com.x.CalcTest::fine": "passed", "com.x.CalcTest::skipped": "skipped"}  # fmt: skip
    red = ran(with_maven, command, JAVA)
    assert statuses(red) == {**expected, "com.x.ZDiesTest::dies": "passed"}, red.output.text
    assert (red.ending, red.exit_code, red.source, red.notes) == (Ending.FAILED, 1, "JUnit XML", ())
    assert "expected:<3> but was:<-1>" in next(test.message for test in red.tests if test.status == "failed")
    died = ran(with_maven, command, JAVA, DIE="1")
    assert statuses(died) == expected, died.output.text
