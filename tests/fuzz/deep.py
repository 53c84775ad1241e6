"""The runner of `make fuzz`, a plugin of pytest: each property again and again with new inputs until its time is up.

One number repeats a whole run. A failure names the input, shrunk, and the number of the round that found it.
"""

from __future__ import annotations

import secrets
import time
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, seed, settings

ROUND = 100
"""Inputs of a round, between two looks at the clock; a property may ask for fewer."""

settings.register_profile(
    "deep",
    max_examples=ROUND,
    derandomize=False,
    deadline=None,
    database=None,
    print_blob=True,
    phases=[Phase.explicit, Phase.generate, Phase.target, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


class Deep:
    """One run. `first` is the seed of every property's first round; the next rounds count on from it."""

    def __init__(self, seconds: float, first: int) -> None:
        self.seconds, self.first = seconds, first
        self.rounds: Counter[str] = Counter()

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
        """Take over the tests that hypothesis drives."""
        test = pyfuncitem.obj
        if not getattr(test, "is_hypothesis_test", False):
            return None
        given = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
        end = time.monotonic() + self.seconds
        while not self.rounds[pyfuncitem.nodeid] or time.monotonic() < end:
            number = self.first + self.rounds[pyfuncitem.nodeid]
            self.rounds[pyfuncitem.nodeid] += 1
            try:
                seed(number)(test)(**given)
            except BaseException as error:
                error.add_note(f"found with FUZZ_SEED={number}, in round {self.rounds[pyfuncitem.nodeid]} of its time")
                raise
        return True

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """How much was tried, and what repeats it."""
        terminalreporter.section("fuzz")
        for name, rounds in self.rounds.items():
            terminalreporter.write_line(f"{rounds:6d} rounds  {name}")
        terminalreporter.write_line(f"repeat with: make fuzz FUZZ_SEED={self.first} SECONDS_EACH={self.seconds:g}")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fuzz-seconds", type=float, default=60.0, help="time for each property")
    parser.addoption("--fuzz-seed", type=int, default=0, help="repeats a run; 0: a new one")


def pytest_configure(config: pytest.Config) -> None:
    seconds, first = config.getoption("--fuzz-seconds"), config.getoption("--fuzz-seed") or secrets.randbelow(2**31)
    settings.load_profile("deep")
    config.pluginmanager.register(Deep(seconds, first), "heal-deep")


def pytest_report_header(config: pytest.Config) -> str:
    deep = config.pluginmanager.get_plugin("heal-deep")
    assert isinstance(deep, Deep)
    return f"fuzz: {deep.seconds:g} s for each property, seed {deep.first}"
