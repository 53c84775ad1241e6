"""Puts what steps of the set-up wrote where a plan has a token for it: `${{steps.<id>.outputs.<name>}}` for what went
to $GITHUB_OUTPUT, `${{env.<name>}}` for $GITHUB_ENV. Used inside the set-up and, for the check, beside it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

_TOKEN = re.compile(r"\$\{\{(?:steps\.([\w./-]{1,200})\.outputs\.([\w-]{1,100})|env\.([\w-]{1,100}))\}\}")


def output(step: str, name: str) -> str:
    """How a value that the step with this id wrote is called."""
    return f"{step}.outputs.{name}"


def filled(text: str, ids: Collection[str], outputs: Mapping[str, str], exports: Mapping[str, str]) -> str:
    """The text with the tokens replaced. What a step with a known id did not write is empty, as on GitHub; a token of
    another is no token of ours. Values are not looked into again.
    """

    def value(match: re.Match[str]) -> str:
        step, name, exported = match.groups()
        if exported is not None:
            return exports.get(exported, match[0])
        return outputs.get(output(step, name), "") if step in ids else match[0]

    return _TOKEN.sub(value, text) if "${{" in text else text
