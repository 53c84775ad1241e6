"""What the agent's loop promises, with a scripted model and a scripted shell: its limits, its end, and that an episode
which is taken up again goes the way it went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.spec import Ending
from workers.domain import Usage
from workers.fixers.agent.loop import Bounds, Change, End, Episode, conversation
from workers.fixers.agent.observations import Observation
from workers.llm.exchange import Message
from workers.llm.talk import Reply
from workers.patch import PatchError

OPENING = [Message("system", "rules"), Message("user", "task")]
SUBMIT = "The cause.\n```bash\nsubmit\n```"
COST = Usage(100, 10, 0.01)


def run(script: str) -> str:
    return f"```bash\n{script}\n```"


@dataclass
class Scripted:
    """A `Desk`: answers in their order; a command `set X` makes X the difference, `fail` fails, all others pass."""

    answers: list[str | Reply]
    seconds: float = 1.0
    asked: list[list[Message]] = field(default_factory=list)
    spent: list[Usage] = field(default_factory=list)
    ran: list[tuple[int, str, bytes]] = field(default_factory=list)

    def ask(self, turns: list[Message], spent: Usage) -> Reply:
        self.asked.append(turns)
        self.spent.append(spent)
        answer = self.answers[len(self.asked) - 1]
        return answer if isinstance(answer, Reply) else Reply(answer, "tiny", COST)

    def observe(self, n: int, script: str, before: Observation | None) -> Observation:
        diff, elapsed = (before.diff, before.elapsed) if before else (b"", 0.0)
        self.ran.append((n, script, diff))
        after = script[4:].encode() if script.startswith("set ") else diff
        code = int(script.startswith("fail"))
        ending = Ending.FAILED if code else Ending.PASSED
        output = "o" * 9_000 if script.startswith("flood") else f"did {script}"
        return Observation(ending, code, output, 0.1, after, elapsed + self.seconds)

    def change(self, diff: bytes) -> Change:
        if diff == b"bad":
            raise PatchError("it does not apply")
        if diff == b"tests":
            return Change("", ("tests/t.py",))
        return Change(diff.decode(), flaw="nothing defines it" if b"undefined" in diff else "")

    def show(self, observation: Observation, left: int) -> str:
        return f"{observation.how}: {observation.output} ({left} left)"

    def mistaken(self, why: str) -> str:
        return f"mistaken: {why}"

    def flawed(self, why: str) -> str:
        return f"flawed: {why}"

    def unchanged(self, dropped: Sequence[str]) -> str:
        return f"unchanged: {', '.join(dropped)}"


def play(desk: Scripted, bounds: Bounds = Bounds(), rejections: Sequence[str] = ()) -> End:
    return Episode(desk, bounds, OPENING).play([(words, Usage(1, 1, 0.001)) for words in rejections])


def test_it_works_until_it_submits() -> None:
    """Each command sees the files of the one before, each answer what the command printed; the end is the difference,
    the words and the bill."""
    desk = Scripted([run("ls"), run("set fixed"), run("pytest"), SUBMIT])
    end = play(desk)
    assert end == End(Usage(400, 40, 0.04), "tiny", "fixed", "The cause.")
    assert desk.ran == [(1, "ls", b""), (2, "set fixed", b""), (3, "pytest", b"fixed")]
    assert desk.asked[1] == [
        *OPENING,
        Message("assistant", run("ls")),
        Message("user", "exit code 0: did ls (39 left)"),
    ]
    assert all(later[: len(sooner)] == sooner for sooner, later in zip(desk.asked, desk.asked[1:], strict=False))
    assert desk.spent[3] == Usage(300, 30, 0.03)


def test_a_rejected_submission_is_gone_on_from() -> None:
    """The same conversation and the same files, told why; only what came since is billed."""
    desk = Scripted([run("set wrong"), SUBMIT, run("set right"), SUBMIT])
    end = play(desk, rejections=["still red"])
    assert (end.patch, end.usage) == ("right", Usage(200, 20, 0.02))
    assert desk.asked[2][-1] == Message("user", "still red")
    assert desk.ran[1] == (2, "set right", b"wrong")
    assert desk.spent[2] == Usage(201, 21, 0.021)


MANY = [run(f"ls {n}") for n in range(50)]


@pytest.mark.parametrize(
    ("answers", "bounds", "why", "asked"),
    [
        (["no", "no", "no"], Bounds(), "3 answers in a row without a command", 3),
        (["no", "no", run("ls"), "no", "no", "no"], Bounds(), "3 answers in a row", 6),
        (MANY, Bounds(steps=4), "ran 4 commands without a fix", 5),
        (MANY, Bounds(seconds=5), "longer than", 5),
        ([run("fail")] * 5, Bounds(), "the same failing command 3 times", 3),
        ([run("echo hm")] * 5, Bounds(), "do nothing", 3),
        ([SUBMIT, SUBMIT], Bounds(), "submitted no change", 2),
        ([run("set tests"), SUBMIT, SUBMIT], Bounds(), "submitted no change", 3),
        ([run("set bad"), SUBMIT], Bounds(), "is no patch: it does not apply", 2),
        ([run("set undefined"), SUBMIT, SUBMIT, SUBMIT], Bounds(), "3 changes that cannot work: nothing defines it", 4),
        ([Reply("", "tiny", COST, "the model refused: no")], Bounds(), "the model refused: no", 1),
    ],
)
def test_what_ends_it_without_a_patch(answers: list[str | Reply], bounds: Bounds, why: str, asked: int) -> None:
    """Every limit says itself, what was asked until then is billed, and nothing is asked beyond it."""
    desk = Scripted(answers)
    end = play(desk, bounds)
    assert end.patch == ""
    assert why in end.why
    assert len(desk.asked) == asked
    assert end.usage.input_tokens == 100 * asked
    again = play(Scripted(answers), bounds)
    assert again == end


def test_a_submission_after_the_last_command_still_counts() -> None:
    """The limit is one of commands."""
    assert play(Scripted([run("set a"), SUBMIT]), Bounds(steps=1)).patch == "a"


def test_a_mistake_is_told_and_forgiven() -> None:
    """What was wrong goes back; nothing was run for it."""
    desk = Scripted(["no block here", run("set a"), SUBMIT])
    assert play(desk).patch == "a"
    assert desk.asked[1][-1].content == "mistaken: there is no block of commands"
    assert [script for _, script, _ in desk.ran] == ["set a"]


def test_nothing_to_submit_is_told_once() -> None:
    """With what cannot be part of a fix."""
    desk = Scripted([run("set tests"), SUBMIT, run("set a"), SUBMIT])
    assert play(desk).patch == "a"
    assert desk.asked[2][-1].content == "unchanged: tests/t.py"


def test_a_submission_that_cannot_work_goes_back() -> None:
    """It is told why and goes on; no run is spent on it."""
    desk = Scripted([run("set undefined"), SUBMIT, run("set a"), SUBMIT])
    assert play(desk).patch == "a"
    assert desk.asked[2][-1].content == "flawed: nothing defines it"


def test_without_a_model_it_is_over_at_once() -> None:
    """An endpoint that cannot be asked is not asked for less."""
    end = play(Scripted([run("ls 1"), run("ls 2"), Reply("", "", Usage(), "no credit", away=True)]))
    assert (end.why, end.away) == ("no credit", True)


def test_where_there_is_no_answer_less_is_shown_once() -> None:
    """A conversation that does not fit into the model is asked once more without its early outputs."""
    none = Reply("", "tiny", Usage(), "the failure does not fit into the model's context")
    desk = Scripted([*[run(f"flood {n}") for n in range(9)], none, run("set a"), SUBMIT])
    assert play(desk).patch == "a"
    full, less = (sum(len(message.content) for message in turns) for turns in desk.asked[9:11])
    assert less < full - 15_000
    assert [message.content for message in desk.asked[10][-2:]] == [message.content for message in desk.asked[9][-2:]]


def test_a_long_conversation_loses_early_outputs_only() -> None:
    """All answers stay, and the latest outputs; many go at once, so that most turns only add to the one before."""
    turns = [(run(f"ls {n}"), f"{n % 10}" * 5_000) for n in range(20)]
    rows = [conversation(OPENING, turns[:n], room=50_000) for n in range(len(turns) + 1)]
    assert all(sum(len(message.content) for message in row) <= 50_000 for row in rows)
    assert [message.content for message in rows[-1] if message.role == "assistant"] == [answer for answer, _ in turns]
    assert rows[-1][-1].content == turns[-1][1]
    assert rows[-1][3].content == "[5000 characters of an early output are left out]"
    assert sum(later[: len(sooner)] == sooner for sooner, later in pairwise(rows)) >= 14


class Died(Exception):  # noqa: N818 - what happens, not a mistake
    """The process ended here."""


@dataclass
class Journaled(Scripted):
    """A desk that keeps what it was told, as the journal does, and dies at some of its calls before they are kept."""

    dies: set[int] = field(default_factory=set)
    replies: dict[str, Reply] = field(default_factory=dict)
    seen: dict[int, Observation] = field(default_factory=dict)
    calls: int = 0

    def _call(self) -> None:
        self.calls += 1
        if self.calls in self.dies:
            raise Died

    def ask(self, turns: list[Message], spent: Usage) -> Reply:
        key = repr(turns)
        if key not in self.replies:
            self._call()
            self.replies[key] = super().ask(turns, spent)
        return self.replies[key]

    def observe(self, n: int, script: str, before: Observation | None) -> Observation:
        if n not in self.seen:
            self._call()
            self.seen[n] = super().observe(n, script, before)
        return self.seen[n]


ANSWERS = st.sampled_from([run("ls"), run("set a"), run("set b"), run("set tests"), run("fail x"), "no", SUBMIT])


@given(
    answers=st.lists(ANSWERS, min_size=1, max_size=12), dies=st.sets(st.integers(1, 20), max_size=3), told=st.booleans()
)
def test_an_episode_in_pieces_is_the_same_episode(answers: list[str], dies: set[int], told: bool) -> None:
    """Wherever the process dies, and however often: the end is the same, and nothing is asked or run twice."""
    rejections, bounds = ["red"] if told else [], Bounds(steps=6)
    answers = [*answers, *["no"] * 3]
    whole = Scripted(list(answers))
    expected = play(whole, bounds, rejections)
    desk = Journaled(list(answers), dies=dies)
    for _ in range(len(dies) + 1):
        try:
            found = play(desk, bounds, rejections)
            break
        except Died:
            continue
    assert found == expected
    assert (desk.asked, desk.ran) == (whole.asked, whole.ran)
