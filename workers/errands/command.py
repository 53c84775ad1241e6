"""The errand `command`: a comment with `/heal` lines is acknowledged, its author's right is asked for, then it is done.

In this order: a reaction at once; who it is, by GitHub's own answer; how much they asked for lately; then each line.
Whoever may not do anything here gets a reaction and no word: refusing must cost a stranger's noise nothing more.
"""

from __future__ import annotations

from collections.abc import Mapping

from workers.commands import Command, Mistake, Verb, find_all
from workers.commands.rights import Role, lacking
from workers.errands import healing, steering, telling, undoing
from workers.errands.desk import Desk
from workers.errands.model import CommandGiven, Kind
from workers.errands.request import Act, Answer, Request, no
from workers.errands.who import standing, too_much
from workers.errors import Stop
from workers.github import pulls
from workers.github.conversation import Conversation, Reaction
from workers.github.session import Purpose, Session
from workers.messages import replies
from workers.messages.markup import LIMIT, cut, plain
from workers.messages.wishes import switched_off

ACTS: Mapping[Verb, Act] = {
    Verb.FIX: healing.heal,
    Verb.RETRY: healing.heal,
    Verb.EXPLAIN: telling.explain,
    Verb.STATUS: telling.status,
    Verb.STOP: steering.stop,
    Verb.PAUSE: steering.pause,
    Verb.RESUME: steering.resume,
    Verb.IGNORE: steering.ignore,
    Verb.UNIGNORE: steering.unignore,
    Verb.UNDO: undoing.undo,
    Verb.CONFIG: telling.config,
    Verb.HELP: telling.usage,
}
WHILE_OFF = frozenset({Verb.RESUME, Verb.STATUS, Verb.HELP})
"""What works where Heal is switched off."""


def do_command(desk: Desk) -> str:
    """Answer the comment of the errand."""
    given = desk.errand.payload
    if not isinstance(given, CommandGiven):
        raise TypeError(f"not a command: {given!r}")
    lines = find_all(given.body)
    if not lines:
        return "no command"
    session = desk.session(given.place)
    try:
        return _answered(desk, session, given, lines)
    finally:
        session.close()


def _answered(desk: Desk, session: Session, given: CommandGiven, lines: tuple[Command | Mistake, ...]) -> str:
    talk = Conversation(session, given.number, given.comment_id, given.review_comment)
    talk.react(Reaction.SEEN)
    pull = (
        pulls.by_number(session.api(Purpose.READ), session.repository, given.number) if given.on_pull_request else None
    )
    who = standing(session, given.place, pull)
    if too_much(desk, given.place, who.role, Kind.COMMAND):
        talk.react(Reaction.UNCLEAR)
        return f"{given.place.sender} has asked for too much lately"
    trigger = f"{'line' if given.review_comment else 'command'}:{given.comment_id}"
    request = Request(desk, session, given.place, given.number, pull, who, trigger, given.at)
    answers = [_tried(request, line) for line in lines]
    words = "\n\n---\n\n".join(answer.text for answer in answers if answer.text)
    if words:
        talk.reply(cut(desk.redactor(words), LIMIT))
    silent = any(not answer.ok and not answer.text for answer in answers)
    done = all(answer.ok for answer in answers)
    talk.react(Reaction.DONE if done else Reaction.NO if silent else Reaction.UNCLEAR)
    return "; ".join(_noted(line, answer) for line, answer in zip(lines, answers, strict=True))


def _tried(request: Request, line: Command | Mistake) -> Answer:
    """What GitHub refuses for good is an answer too: whoever asked must not wait for one in vain."""
    try:
        return _one(request, line)
    except Stop as refused:
        return no(plain(refused.detail))


def _one(request: Request, line: Command | Mistake) -> Answer:
    """One line's answer. Only people who may do something here are told what is wrong with what they wrote."""
    known = request.who.role >= Role.WRITE or request.who.author
    if isinstance(line, Mistake):
        return no(replies.mistake(line) if known else "")
    need = lacking(line, request.who)
    if need is not None:
        told = replies.lacks_role(line.verb, need, request.who.role, request.session.repository.full_name)
        return no(told if request.who.role >= Role.WRITE else "")
    off = request.off
    if off is not None and line.verb not in WHILE_OFF:
        return no(replies.off_here(switched_off(off.scope, off.who, off.why, off.until)))
    return ACTS[line.verb](request, line)


def _noted(line: Command | Mistake, answer: Answer) -> str:
    name = line.verb if isinstance(line, Command) else f"mistake ({line.wrong})"
    return f"{name}: {'done' if answer.ok else answer.text or 'refused'}"
