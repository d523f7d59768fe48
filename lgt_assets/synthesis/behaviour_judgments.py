"""The verifier's judgment of reasoning behaviours on a sample of traces, against which the counts by cues are held."""

import heapq
import re
from collections.abc import Iterable, Iterator

from lgt_assets.engines.base import Request
from lgt_assets.identity import digest, seed_of
from lgt_assets.prompts.templates import PromptSet
from lgt_assets.settings import Profile
from lgt_assets.synthesis.behaviours import CUES
from lgt_assets.synthesis.final_answers import final_answer
from lgt_assets.synthesis.plain_text import plain
from lgt_assets.synthesis.planned import Answered, Outcome, Planned

TEMPLATE = "behaviours"
_NAMES = {
    "subgoal setting": "subgoal_setting", "subgoal": "subgoal_setting", "subgoals": "subgoal_setting",
    "setting subgoals": "subgoal_setting", "backtracking": "backtracking", "back tracking": "backtracking",
    "verification": "verification", "verifying": "verification",
}  # fmt: skip
_SEPARATOR = re.compile(r"[,;\n&]|\band\b")
_VERDICT = re.compile(r"(?P<name>[^:=]{1,60})[:=] ?(?P<said>yes|no|present|absent|true|false|[01])")
_NOTHING = ("none", "no", "none of them", "none of these", "")


def plan_behaviour_judgments(outcome: Outcome, *, profile: Profile, prompts: PromptSet) -> Iterator[Planned]:
    """A request for each of the sample: the ``profile.expand.behaviour_sample`` traces whose ids have the lowest hashes."""
    size = profile.expand.behaviour_sample
    if not size:
        return
    sampling, template_hash = profile.role("verifier").sampling.sampling(), prompts.template_hash(TEMPLATE)
    sample = set(
        heapq.nsmallest(size, (row["trace_id"] for row in outcome.rows), key=lambda key: digest(TEMPLATE, key))
    )
    for row in outcome.rows:
        if row["trace_id"] in sample:
            messages = prompts.messages(TEMPLATE, thought=row["thought"])
            request = Request(messages, sampling, seed_of(row["trace_id"], TEMPLATE), template_hash=template_hash)
            yield Planned(request, {"trace_id": row["trace_id"]})


def apply_behaviour_judgments(outcome: Outcome, answered: Iterable[Answered]) -> Outcome:
    """``outcome`` with ``judged_behaviours`` on the traces of the sample; a reply that cannot be read leaves them null."""
    judged = {answer.context["trace_id"]: _judged(answer) for answer in answered}
    made = Outcome(rejections=outcome.rejections, asked=outcome.asked, parsed=outcome.parsed)
    for row in outcome.rows:
        made.rows.append(row | {"judged_behaviours": judged.get(row["trace_id"])})
    return made


def _judged(answer: Answered) -> dict:
    read = parse_behaviours(answer.completion.text)
    behaviours = dict.fromkeys(CUES) if read is None else {name: name in read for name in CUES}
    return {"request_key": answer.request_key} | behaviours


def parse_behaviours(text: str) -> set[str] | None:
    """The behaviours that a judgment names; None where it cannot be read. Pure and total.

    Example:
        >>> sorted(parse_behaviours("<answer>subgoal_setting, verification</answer>"))
        ['subgoal_setting', 'verification']
    """
    found = final_answer(text)
    if found is None:
        return None
    answer = plain(found[0].replace("_", " "))
    if answer in _NOTHING:
        return set() if answer else None
    shown = set()
    for item in filter(None, map(plain, _SEPARATOR.split(answer))):
        verdict = _VERDICT.fullmatch(item)
        name = _NAMES.get(" ".join((verdict["name"] if verdict else item).replace("-", " ").split()))
        if name is None:
            return None
        if verdict is None or verdict["said"] in ("yes", "present", "true", "1"):
            shown.add(name)
    return shown
