"""cargo's own words with --verbose, where each program is printed as the command that starts it."""

from __future__ import annotations

from sandbox.results import log

PRINTED = """     Running `rustc --crate-name calc src/lib.rs -L dependency=/ws/target/debug/deps`
     Running `CARGO=/usr/bin/cargo /tmp/target/debug/deps/calc-d537317009138265 --color always`

running 1 test
test tests::adds ... FAILED

test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
"""


def test_a_program_has_the_same_name_as_without() -> None:
    """A name with the build's hash would be another one after every patch."""
    assert [test.id for found in log.parse(PRINTED) for test in found.tests] == ["calc::tests::adds"]
