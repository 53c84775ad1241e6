"""How an answer of the agent is read: one command, the end, or nothing, whatever a model writes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.fixers.agent.actions import LONGEST, Malformed, Run, Submit, read

LS = "```bash\nls\n```"


@pytest.mark.parametrize(
    ("answer", "script"),
    [
        (f"I look.\n\n{LS}", "ls"),
        (LS.replace("bash", "sh"), "ls"),
        (LS.replace("bash", "Shell"), "ls"),
        (LS.replace("bash", ""), "ls"),
        ("<think>\n```bash\nrm -r .\n```\n</think>\n" + LS, "ls"),
        (f"It says:\n```python\nx = 1\n```\nSo I look.\n{LS}", "ls"),
        ("```bash\ncat > a.py <<'EOF'\nx = 1\n\nEOF\nls\n```", "cat > a.py <<'EOF'\nx = 1\n\nEOF\nls"),
        ("- ```bash\n  ls -l\n  ```", "ls -l"),
        (LS.replace("\n", "\r\n"), "ls"),
        ("```bash\nsubmit --help\n```", "submit --help"),
        ("I look.\n<bash>\nls -l\n</bash>", "ls -l"),
        ("<function=execute_bash>\n<parameter=command>ls | head</parameter>\n</function>", "ls | head"),
        ('<tool_call>\n{"name": "bash", "arguments": {"command": "ls\\npwd"}}\n</tool_call>', "ls\npwd"),
        ('I look.\n```json\n{"command": "ls"}\n```', "ls"),
        ('```\n{"cmd": "ls"}\n```', "ls"),
        ('{"command": "ls"}', "ls"),
    ],
)
def test_one_command(answer: str, script: str) -> None:
    """The one block of a shell, also without a label; blocks of other languages and thoughts are talk."""
    assert read(answer) == Run(script)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("", "no block"),
        ("I would run ls.", "no block"),
        ("```python\nprint(1)\n```", "no block"),
        (f"{LS}\n{LS}", "2 blocks"),
        ("```bash\n\n```", "empty"),
        ("```bash\nsed -i s/a/", "not closed"),
        ("```bash\necho \0\n```", "zero byte"),
        ("```bash\n" + "é" * (LONGEST // 2 + 1) + "\n```", "bytes"),
        ("```bash\npytest -q\nsubmit\n```", "alone"),
        ('{"command": 1}', "no block"),
        ('{"path": "ls"}', "no block"),
        ("[" * 5_000, "no block"),
        ("<bash>ls</bash> or <bash>pwd</bash>", "no block"),
        ("<bash>ls", "no block"),
        ('```json\n{"command": "ls"}\n```\n```json\n{"command": "pwd"}\n```', "no block"),
    ],
)
def test_what_is_no_command(answer: str, why: str) -> None:
    """Why, in words for the model; nothing is guessed."""
    action = read(answer)
    assert isinstance(action, Malformed)
    assert why in action.why


def test_the_end_brings_its_words() -> None:
    """What stands before the block says why."""
    assert read("`-` had to be `+`.\n\n```bash\nsubmit\n```") == Submit("`-` had to be `+`.")
    assert isinstance(read('Done.\n<tool_call>{"name": "submit", "arguments": {}}</tool_call>'), Submit)


@pytest.mark.parametrize(
    ("script", "idle"),
    [
        ("echo I think it is calc.py", True),
        ("# nothing\ntrue\n:", True),
        ("echo $(ls)", False),
        ("echo x > calc.py", False),
        ("echo a && ls", False),
        ("echo a; ls", False),
        ("ls", False),
        ("printf 'a'", True),
    ],
)
def test_words_for_nobody(script: str, idle: bool) -> None:
    """A command that only talks does nothing, and one that writes or asks does."""
    assert Run(script).idle is idle


@given(st.text(alphabet="`~bash\n submit\0é<think>/{}\"':", max_size=300))
def test_no_answer_raises(answer: str) -> None:
    """Whatever a model writes is read as something."""
    assert isinstance(read(answer), Run | Submit | Malformed)
