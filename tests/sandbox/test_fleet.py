"""Which of several engines a run goes to: always the same while it works, another while it does not."""

from __future__ import annotations

from threading import Event
from typing import cast

import pytest

from sandbox.checks import DockerEnvironment
from sandbox.environments import DockerSandbox
from sandbox.errors import EngineBusy, EngineDown, EngineFull, ImageMissing, SandboxError, SetupFailed
from sandbox.fleet import REST_S, Fleet
from sandbox.spec import Plan, Step, Tree
from tests.sandbox.trees import tree

HOSTS = ("tcp://10.0.0.1:2376", "tcp://10.0.0.2:2376", "tcp://10.0.0.3:2376")


class Member(DockerSandbox):
    """One that says which engine it is, or what ails it; it asks no engine anything."""

    def __init__(self, host: str) -> None:
        super().__init__(host, "tests")
        self.trouble: SandboxError | None = None
        self.asked = 0

    def prepare(self, plan: Plan, tree: Tree, cancel: Event | None = None) -> DockerEnvironment:
        self.asked += 1
        if self.trouble is not None:
            raise self.trouble
        return cast(DockerEnvironment, self.engine.host)


def place(fleet: Fleet, trust: str) -> str:
    """The engine that an environment of this trust domain is made on."""
    return str(fleet.prepare(Plan("debian", (), Step("check", "true"), trust=trust), tree()))


def test_a_domain_stays_and_all_engines_are_used() -> None:
    """The same trust domain comes to the same engine; without one engine only the domains that were on it move."""
    everybody = Fleet([Member(host) for host in HOSTS])
    domains = [f"{number}:base" for number in range(60)]
    before = {domain: place(everybody, domain) for domain in domains}
    assert before == {domain: place(everybody, domain) for domain in domains}
    assert set(before.values()) == set(HOSTS)
    fewer = Fleet([Member(host) for host in HOSTS[1:]])
    assert all(place(fewer, domain) == host for domain, host in before.items() if host != HOSTS[0])


def test_an_engine_in_trouble_is_passed_over_and_asked_again_later() -> None:
    """One that is away or full is asked last for a while; one that is busy is asked again at once."""
    now = [0.0]
    members = [Member(host) for host in HOSTS]
    fleet = Fleet(members, lambda: now[0])
    usual = next(member for member in members if member.engine.host == place(fleet, "repo"))
    for trouble, asked in ((EngineDown("away"), 1), (EngineFull("full"), 1), (EngineBusy("busy"), 2)):
        usual.trouble, usual.asked = trouble, 0
        assert place(fleet, "repo") != usual.engine.host
        assert place(fleet, "repo") != usual.engine.host
        assert usual.asked == asked
        usual.trouble = None
        now[0] += REST_S + 1
        assert place(fleet, "repo") == usual.engine.host


def test_what_none_can_is_told() -> None:
    """With all in trouble, all are asked, and what passes soonest is raised; a set-up that fails is asked of one."""
    members = [Member(host) for host in HOSTS]
    fleet = Fleet(members)
    for member, trouble in zip(members, (EngineDown("away"), EngineBusy("busy"), ImageMissing("none")), strict=True):
        member.trouble = trouble
    for _ in range(2):
        with pytest.raises(EngineBusy):
            place(fleet, "repo")
    for member in members:
        member.trouble, member.asked = SetupFailed("install", 1, "log"), 0
    with pytest.raises(SetupFailed):
        place(fleet, "repo")
    assert sum(member.asked for member in members) == 1
