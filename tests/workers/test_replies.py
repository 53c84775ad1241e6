"""What people read when they gave a command: the exact sentences, and none that a stranger's words can bend."""

from __future__ import annotations

import re

import pytest

from workers.commands import Command, Mistake, Verb, Wrong, find
from workers.commands.binding import Unbound, unbound
from workers.commands.rights import Role, Standing, lacking
from workers.domain import Outcome
from workers.messages import replies
from workers.messages.wishes import ignored, switched_off

CODE = re.compile(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)")
SHA, OTHER = "a" * 40, "b" * 40
ALL = (
    "`fix`, `retry`, `explain`, `status`, `stop`, `pause`, `resume`, `ignore`, `unignore`, `undo`, `config`, `help` "
    "(`/heal help`)."
)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("retyr", f"I do not know `/heal retyr`. Did you mean `/heal retry`? Commands: {ALL}"),
        ("dance", f"I do not know `/heal dance`. Commands: {ALL}"),
        ("fix jop=x", "I do not know `jop=`. Did you mean `job=`? It takes `job=`, `test=`, `model=`, `image=`, "
                      "`budget=`, `hint=`. Quote words that hold a `=`."),
        ("stop for=7d", "`for=` does not go with `/heal stop`. It takes nothing."),
        ("pause 7d", "I do not know what `7d` means for `/heal pause`. It takes `for=`."),
        ("fix job=", "`job=`: expected a value."),
        ("pause for=forever", "`for=forever`: expected a duration such as `12h`, `7d` (max `90d`)."),
        ("fix budget=lots", "`budget=lots`: expected US dollars such as `2` or `0.50` (max `50`)."),
        ("fix model=gpt", "`model=gpt`: expected a model as `provider:name`, such as `openai:gpt-5`."),
        ("fix image=-x", "`image=-x`: expected an image such as `python` or `ghcr.io/owner/image:tag`."),
    ],
)  # fmt: skip
def test_mistakes(line: str, said: str) -> None:
    """Each names what was written, what was expected, and the nearest known word."""
    found = find(f"/heal {line}")
    assert isinstance(found, Mistake)
    assert replies.mistake(found) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (replies.lacks_role(Verb.PAUSE, Role.MAINTAIN, Role.WRITE, "octo/shop"),
         "`/heal pause` needs the *maintain* role on `octo/shop`; you have *write*. Ask somebody who maintains it."),
        (replies.lacks_role(Verb.FIX, Role.MAINTAIN, Role.WRITE, "octo/shop"),
         "`/heal fix` with `model=` or `budget=` needs the *maintain* role on `octo/shop`; you have *write*. Ask "
         "somebody who maintains it."),
        (replies.not_bound(Unbound.CLOSED, SHA, "", 3), "#3 is closed; nothing to heal."),
        (replies.not_bound(Unbound.OTHER, SHA, "b" * 7, 3),
         "`bbbbbbb` is not the head of #3, which is `aaaaaaa` now. Nothing was run."),
        (replies.not_bound(Unbound.LATER, SHA, "", 3),
         "`aaaaaaa` may have come after your comment, so nothing was run. Look at it, then comment again, or name "
         f"it in full: `/heal {SHA}`."),
        (replies.not_bound(Unbound.FORK, SHA, "", 3),
         "This pull request comes from a fork: its code is run only for a commit that somebody with write access has "
         "looked at and names. Its head is now `aaaaaaa`: `/heal aaaaaaaaaaaa`."),
        (replies.nothing_red(SHA, 0),
         "All checks on `aaaaaaa` are green; nothing to fix. `/heal fix job=<name>` forces one."),
        (replies.nothing_red(SHA, 2), "No check on `aaaaaaa` has failed so far; 2 checks are still running."),
        (replies.no_such_job("x", SHA, ()), "No finished check named `x` on `aaaaaaa`. There is none."),
        (replies.at_work("01run56789", SHA, "verify", 121, "http://h/runs"),
         "Run [`n56789`](http://h/runs/01run56789) is already working on `aaaaaaa` (after stage *verify*, 2 min). "
         "`/heal stop` cancels it."),
        (replies.no_model("openai:x", None),
         "`model=openai:x`: no model is set up here. Whoever operates Heal sets `HEAL_MODEL`."),
        (replies.paused(604_800.0, 2),
         "Paused for this repository until 1970-01-08 00:00 UTC. 2 runs ended. `/heal resume` ends it."),
        (replies.paused(None, 0), "Paused for this repository until that is taken back. `/heal resume` ends it."),
        (switched_off("all", "operator", "an @upgrade", None),
         "Heal is paused everywhere until that is taken back, by `operator`. Reason: an @\u200bupgrade"),
        (ignored("test", "t.py::a", "mona", 0.0), "`t.py::a` is ignored until 1970-01-01 00:00 UTC, by `mona`."),
        (replies.ignoring("fingerprint", "f", None),
         "This failure is ignored until that is taken back. `/heal unignore` takes it back."),
        (replies.undone(5, "heal/x", True), "Closed #5 and deleted `heal/x`."),
        (replies.reverted(SHA, OTHER), "Reverted `aaaaaaa` with `bbbbbbb`."),
        (replies.status([("01run56789", SHA, "", None, "", 30, None), ("01run00000", SHA, "verify", Outcome.FIXED, "",
                                                                       7200, 5)], "", ""),
         "- Run `n56789` on `aaaaaaa`: waiting for its turn, opened 30 s ago\n"
         "- Run `n00000` on `aaaaaaa`: **FIXED**, opened 2 h ago, fix in #5."),
    ],
)  # fmt: skip
def test_sentences(text: str, said: str) -> None:
    """Word for word: rule, place and next step."""
    assert text == said


def test_every_command_is_in_the_help() -> None:
    """With what it does and the least role for it."""
    for verb in Verb:
        assert f"| `/heal {verb}` |" in replies.usage()


@pytest.mark.parametrize("evil", ["`/heal fix`", "@everyone", "<img src=x>", "a`b``c", "#1", "![x](http://evil)"])
def test_words_of_strangers_stay_words(evil: str) -> None:
    """A word that cannot be read is shown as inline code that it cannot leave."""
    for wrong in Wrong:
        text = replies.mistake(Mistake(wrong, evil, evil, Verb.FIX))
        assert not {"@", "<", "#", "!"} & set(CODE.sub("", text)), text
        assert "`" not in CODE.sub("", text)
    table = replies.explained("T", "", "", [("llm", "tests", f"{evil} | x")], "r", "")
    assert not re.search(r"(?<!\\)<img|@everyone|(?<!\\)!\[|#1", table)


@pytest.mark.parametrize(
    ("verb", "role", "author", "fork", "need"),
    [
        (Verb.HELP, Role.READ, False, False, None),
        (Verb.HELP, Role.NONE, True, False, Role.READ),
        (Verb.FIX, Role.TRIAGE, False, False, Role.WRITE),
        (Verb.FIX, Role.WRITE, False, True, None),
        (Verb.FIX, Role.READ, True, False, None),
        (Verb.RETRY, Role.READ, True, True, Role.WRITE),
        (Verb.STOP, Role.READ, True, True, None),
        (Verb.PAUSE, Role.WRITE, True, False, Role.MAINTAIN),
        (Verb.UNDO, Role.MAINTAIN, False, False, None),
    ],
)
def test_rights(verb: Verb, role: Role, author: bool, fork: bool, need: Role | None) -> None:
    """The author of a pull request may have this repository's own code run, a fork's never."""
    assert lacking(Command(verb), Standing(role, author, fork)) == need


def test_what_costs_needs_a_maintainer() -> None:
    """A model or a budget; an image of one's own needs write access."""
    author = Standing(Role.READ, author=True)
    assert lacking(Command(Verb.FIX, model="openai:x"), author) is Role.MAINTAIN
    assert lacking(Command(Verb.FIX, budget_usd=1.0), Standing(Role.WRITE)) is Role.MAINTAIN
    assert lacking(Command(Verb.FIX, image="python"), author) is Role.WRITE


@pytest.mark.parametrize(
    ("before", "named", "fork", "open_", "why"),
    [
        (SHA, "", False, True, None),
        (SHA, SHA[:7], True, True, None),
        ("", SHA, True, True, None),
        ("", SHA[:12], True, True, Unbound.LATER),
        (OTHER, "", False, True, Unbound.LATER),
        (OTHER, SHA[:7], False, True, Unbound.LATER),
        (SHA, OTHER[:7], False, True, Unbound.OTHER),
        (SHA, "", True, True, Unbound.FORK),
        (SHA, SHA, False, False, Unbound.CLOSED),
    ],
)
def test_which_commit_is_meant(before: str, named: str, fork: bool, open_: bool, why: Unbound | None) -> None:
    """The head that was there before the comment, or the one that was named in full."""
    assert unbound(SHA, before, named, fork=fork, open_=open_) == why
