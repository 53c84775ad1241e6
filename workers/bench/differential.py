"""The judge that compares a patched function with a reference on many inputs, inside the sandbox.

It proves a patch wrong, and makes it likely to be right; it is no proof of that.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

from sandbox.spec import Limits, Step
from workers.bench.case import Fixed, Ruling

_INSIDE = Path(__file__).with_name("inside") / "compare.py"
_WALL_S = 240.0
_FEWEST = 20
"""With fewer inputs that the reference answers, nothing is said."""

Text = Annotated[str, Field(max_length=4000)]


class Said(BaseModel):
    """What the script inside says; untrusted, for the patched code ran beside it."""

    compared: int = Field(default=0, ge=0)
    different: int = Field(default=0, ge=0)
    examples: list[tuple[Text, Text, Text]] = Field(default=[], max_length=10)
    problem: Text = ""


@dataclass(frozen=True)
class Differential:
    """A patch is right when the functions of `path` answer as those of `reference` do, on `wanted` inputs.

    `inputs` are calls: the function's name and its arguments as a literal tuple, more of them than are wanted, for the
    reference may refuse some. `adapter` is the text of a module that makes arguments of literals and looks at results.
    """

    path: str
    reference: bytes
    inputs: Sequence[tuple[str, str]]
    wanted: int
    adapter: bytes = b""
    folders: tuple[str, ...] = (".",)
    """Where modules that the file imports lie."""

    def __call__(self, fixed: Fixed) -> Ruling:
        """Run the comparison on the patched files."""
        plan = {
            "candidate": self.path,
            "reference": "/heal/in/reference.py",
            "adapter": "/heal/in/adapter.py" if self.adapter else "",
            "module": "heal_compared",
            "path": list(self.folders),
            "inputs": [list(one) for one in self.inputs],
            "wanted": self.wanted,
        }
        files = {
            "compare.py": _INSIDE.read_bytes(),
            "reference.py": self.reference,
            "plan.json": json.dumps(plan).encode(),
            **({"adapter.py": self.adapter} if self.adapter else {}),
        }
        step = Step("judge", "python /heal/in/compare.py /heal/in/plan.json")
        done = fixed.environment.run(
            step, fixed.tree.tar(), fixed.patch.encode(), Limits(wall_s=_WALL_S), files, fixed.cancel
        )
        return ruled(done.report, done.ending.value)


def ruled(report: bytes, ending: str) -> Ruling:
    """The ruling that follows from what the script said."""
    try:
        said = Said.model_validate_json(report)
    except ValidationError:
        return Ruling(None, f"the comparison ended without an answer ({ending})")
    if said.problem or said.compared < _FEWEST:
        return Ruling(None, said.problem or f"only {said.compared} inputs could be compared")
    if said.different == 0:
        return Ruling(True, f"equal to the reference on {said.compared} inputs")
    call, want, have = said.examples[0] if said.examples else ("", "", "")
    return Ruling(False, f"{said.different} of {said.compared} inputs differ: {call} is {want}, not {have}")
