"""What people write to Heal and what Heal writes of others' words: commands, reviews, settings, Markdown, redaction."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace

import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel

from bot import views
from tests.fuzz.shapes import ODD, STRANGE, changed, nested, soup
from tests.workers.test_injection import assert_names_nobody
from tests.workers.test_redact import CANARIES
from workers import commands, remarks
from workers.commands import Command, Mistake
from workers.messages import sticky
from workers.messages.markup import details, fence, inert, line, plain, quote, visible
from workers.redact import MARK, Redactor, redact, without_key_blocks
from workers.repo_config import ConfigError, RepoConfig, parse, schema
from workers.repo_config.bounds import Bounds, Rules
from workers.repo_config.fields import leaves
from workers.repo_config.layers import Files, merge
from workers.repo_config.reading import read
from workers.witness.reported import without_hidden

SAID = ("/heal", "/heal fix", " fix", " retry", " pause", " ignore", " status", " explain", "abc1234", "job=",
        "test=", "for=7d", "for=", "budget=1.5", "model=openai:x", "hint=", '"a b"', "\u201ca b\u201d", "```", "~~~",
        "<!--", "-->", "> ", "    ", "\n", "`", "@heal")  # fmt: skip


@given(soup(SAID, glue=("", " ", "\n")))
def test_a_comment_holds_commands_or_mistakes(body: str) -> None:
    """At most three, each within its bounds; what is quoted, coded or hidden is none of them."""
    found = commands.find_all(body)
    assert len(found) <= commands.MOST
    assert (commands.find(body) is None) == (not found)
    for one in found:
        assert isinstance(one, Command | Mistake)
        if isinstance(one, Command):
            assert one.seconds is None or 0 < one.seconds <= 90 * 86_400
            assert one.budget_usd is None or one.budget_usd > 0
    assert commands.find("".join(f"> {row}\n" for row in body.split("\n"))) is None
    assert commands.find(f"<!--\n{body.replace('-->', '')}") is None


REVIEWED = ("please rename this", "nit:", "this is wrong", "not the right approach", "close this", "looks good",
            "why?", "```suggestion\n", "x = 1\n", "```", "~~~", "<!--", "-->", "> quoted", "/heal stop", ". ", "! ",
            "don't", "should", "no", "\r\n", "https://x.y")  # fmt: skip


@given(soup(REVIEWED), soup(REVIEWED), st.sampled_from(["approved", "changes_requested", "commented", ""]))
def test_a_remark_asks_for_one_thing(body: str, other: str, state: str) -> None:
    """Hidden words change nothing, and a review without words rejects nothing."""
    assert remarks.asked(body) in remarks.Ask
    assert (
        remarks.asked(f"{body}<!-- {other.replace('-->', '')} -->") is remarks.asked(body)
        or "<!--" in body
        or "`" in body
    )
    remarks.rejected(state, body, [other])
    assert not remarks.rejected(state, "", [])
    assert all(one and "\n" not in one for one in remarks.sentences(body))
    without_hidden(body)


CONFIG = schema.example()
KEYS = (*dict.fromkeys(part for leaf in leaves(RepoConfig) for part in leaf.path), "x", "version ", "<<")
VALUES = (
    "auto",
    "propose",
    "push",
    "30m",
    "4g",
    "ubuntu",
    "*.py",
    "1.5",
    "never",
    "tests/**",
    "yes",
    "2022-01-01",
    "0x10",
    "api.example.org",
)
CONFIG_LINES = ("version: 2", "mode: push", "policy: {max_files: 99999}", "? x", "a: &a [*a]", "<<: *x", "- x",
                "environment:", "\tx: 1", "!!python/name:os.system x", "limits: null", "policy: []",
                "services: {a: {image: x}}", "'': 1", "# x")  # fmt: skip
ANY_CONFIG = changed([CONFIG], CONFIG_LINES) | st.dictionaries(
    st.sampled_from(KEYS), nested(KEYS, VALUES), max_size=5
).map(yaml.safe_dump)


def config(text: str, model: type[BaseModel]) -> BaseModel | None:
    """What the text says, None when it is refused, with problems that say where and show a right value."""
    try:
        return read(text, model)
    except ConfigError as error:
        assert error.problems
        for problem in error.problems:
            assert str(problem).startswith(".github/heal.yml")
            assert "\n" not in str(problem).partition("\n\n")[0] or problem.snippet
        return None


@given(ANY_CONFIG)
def test_settings_are_taken_or_refused_with_a_place(text: str) -> None:
    """A config that was taken reads as itself again."""
    found = config(text, RepoConfig)
    if isinstance(found, RepoConfig):
        again = parse(json.dumps(found.model_dump(mode="json", exclude_unset=True)))
        assert again == found
    config(text, Bounds)


@given(ANY_CONFIG, ANY_CONFIG, ANY_CONFIG)
def test_merged_settings_are_within_the_operators_bounds(mine: str, organisations: str, operators: str) -> None:
    """Whatever repository and organisation ask for: merging again under the same bounds changes nothing."""
    files = Files()
    with suppress(ConfigError):
        files = replace(files, repository=parse(mine))
    with suppress(ConfigError):
        files = replace(files, organisation=parse(organisations))
    bounds = config(operators, Bounds)
    rules = Rules(bounds=bounds) if isinstance(bounds, Bounds) else Rules()
    once = merge(files, rules, "o/r")
    again = merge(replace(files, repository=once.config), rules, "o/r")
    assert again.config == once.config


MARKUP = ("@ada", "#12", "fixes #1", "/heal", "<b>", "</details>", "<!--", "-->", "![x](y)", "[x](y)", "`", "```",
          "~~~", "|", "\\", "> ", "- ", "# ", "https://x.y", "&#64;", "\n", "\n\n", "    ", *ODD, *STRANGE)  # fmt: skip


@given(soup(MARKUP))
def test_escaping_twice_escapes_nothing_new(text: str) -> None:
    """What is already harmless stays as it is, and the words themselves survive."""
    assert visible(visible(text)) == visible(text)
    assert line(line(text)) == line(text)
    assert inert(inert(text)) == inert(text)
    assert_names_nobody(inert(text))
    assert "\n" not in quote(text) + plain(text) + line(text)
    shown = fence(text, limit=100_000)
    inside = "\n".join(shown.split("\n")[1:-1])
    assert inside.replace("\u200b", "") == visible(text).strip("\n").replace("\u200b", "")
    details("x", plain(text)).encode("utf-8", "surrogatepass")
    assert views.plain(views.plain(text)) == views.plain(text)


PARTS = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(["1" * 40, "2" * 40]), soup((*MARKUP, "<!-- heal:"))), max_size=5
)


@given(PARTS)
def test_one_comment_is_rewritten_by_parts(parts: list[tuple[str, str, str]]) -> None:
    """Saying the same again changes nothing, and the comment stays ours and within GitHub's length."""
    body = ""
    for part in parts:
        body = sticky.merged(body, sticky.Block(*part))
        assert sticky.is_sticky(body)
        assert len(body) < 65_536
        assert sticky.merged(body, sticky.Block(*part)) == body


KEYS_SEEN = tuple(str(value) for value in CANARIES.values())
AROUND = (
    "token=",
    "Bearer ",
    "https://u:",
    "@x.y",
    "E   ",
    "\x1b[31m",
    "'",
    '"',
    "\\n",
    "::add-mask::",
    "export X=",
    "=",
    ":",
    " ",
    "\n",
    ".",
)


@given(soup((*AROUND, *KEYS_SEEN)))
@example(f"{CANARIES['aws']}{CANARIES['aws']}_x")
@example(f"{CANARIES['google']}{CANARIES['openai']}")
def test_redaction_once_is_enough(text: str) -> None:
    """What is blanked stays blanked, and a second look finds nothing more."""
    once = redact(text)
    assert redact(once) == once


@given(st.sampled_from(KEYS_SEEN), soup(AROUND, most=4), soup(AROUND, most=4))
def test_a_known_secret_goes_whatever_is_around_it(secret: str, before: str, after: str) -> None:
    """As this process's own, in log lines, in JSON, and line by line."""
    redactor = Redactor(secret)
    for form in (secret, json.dumps(secret)[1:-1], repr(secret)[1:-1]):
        shown = redactor(f"{before}{form}{after}")
        assert secret not in shown
        assert MARK in shown
        assert redactor(shown) == shown
    stored = redactor.publish({"a": [f"{before}{secret}", {secret: (secret.encode(),)}]})
    assert secret not in str(stored)


@given(st.lists(st.sampled_from(["-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "MIIE" + "aB3" * 20, "",
                                 "x", "Proc-Type: 4"])| soup(AROUND, most=3), max_size=20), st.booleans())  # fmt: skip
def test_lines_of_a_key_go_and_no_line_comes(rows: list[str], inside: bool) -> None:
    """What is left are the lines that came, or marks in their places."""
    left = list(without_key_blocks(rows, inside=inside))
    assert len(left) <= len(rows)
    assert all(MARK in one or one in rows for one in left)


def test_the_example_is_a_config() -> None:
    """What is changed above is right to begin with."""
    assert parse(CONFIG)
