"""How pages become HTML: the templates, what they may call, and what every one of them is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.responses import HTMLResponse

from bot import views
from bot.run_view import doing, elapsed, event_text
from workers.messages.plan import FIDELITY

HERE = Path(__file__).parent


def _environment() -> Environment:
    templates = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update(
        duration=views.duration,
        clock=views.clock,
        time_of_day=views.time_of_day,
        iso=views.iso,
        plain=views.plain,
        ticked=views.ticked,
        one_line=views.one_line,
        diff_lines=views.diff_lines,
        log_chunks=views.log_chunks,
        money=views.money,
        event_text=event_text,
    )
    templates.globals.update(
        chip=views.chip,
        doing=doing,
        elapsed=elapsed,
        diff_size=views.diff_size,
        stage_words=views.STAGE_WORDS,
        fidelity_words=FIDELITY,
    )
    return templates


@dataclass(frozen=True)
class Render:
    """Makes a page of a template. `can_leave`: people log in here, so they can log out."""

    can_leave: bool
    _templates: Environment = field(default_factory=_environment, init=False)

    def __call__(self, template: str, status: int = 200, *, who: str = "", **values: Any) -> HTMLResponse:
        """The page for whoever is called `who`, "" for nobody or the operator."""
        told = {"can_leave": self.can_leave, "who": who, **values}
        return HTMLResponse(self._templates.get_template(template).render(**told), status_code=status)
