"""Requests of a run, by asset and role."""

from dataclasses import dataclass

from lgt_assets.planning.figures import Figures
from lgt_assets.planning.size import Size
from lgt_assets.settings import Profile


@dataclass(frozen=True)
class Work:
    """Requests of one role for one asset; ``why`` is the sum in words."""

    asset: str
    role: str
    requests: float
    why: str


def workload(size: Size, profile: Profile, figures: Figures) -> list[Work]:
    """What must be asked for ``size``, upstream first; roles with nothing to ask are left out.

    Every candidate counts with all its votes, and every parent but for the checks that a candidate has failed already saves
    some: the truth is a little lower. Hardness is measured by the requests that distilled_cots makes anyway; those for questions
    that are rejected afterwards are not counted. Captions and boxes are taken as there.
    """
    questions, compose, expand = profile.questions, profile.compose, profile.expand
    seed_candidates = size.seed_questions / figures["accepted_seed_questions"].value
    composed_candidates = size.composed_questions / figures["accepted_composed_questions"].value
    per_request = figures["candidates_per_questioner_request"].value
    seed_votes = questions.key_votes + questions.blindness_votes
    composed_votes = compose.support_votes + compose.blindness_votes + compose.necessity_votes * compose.parents
    traces = size.questions * size.chains_per_question * size.expansions
    work = [
        Work("seed_questions", "questioner", seed_candidates / per_request, f"{per_request:g} candidates a request"),
        Work("seed_questions", "verifier", seed_candidates * seed_votes, f"{seed_votes} votes a candidate"),
        Work("composed_questions", "composer", composed_candidates, "one candidate a request"),
        Work("composed_questions", "verifier", composed_candidates * composed_votes,
             f"{composed_votes} votes a candidate, of {compose.parents} parents"),
        Work("distilled_cots", "vlm", size.questions * size.samples, f"{size.samples:g} samples a question"),
        Work("expanded_traces", "reasoner", traces, f"{size.chains_per_question:g} chains x {size.expansions:g}"),
        Work("expanded_traces", "verifier", traces * expand.consistency_votes + size.shards * expand.behaviour_sample,
             f"{expand.consistency_votes} votes a trace, {expand.behaviour_sample} judgments a shard"),
    ]  # fmt: skip
    return [one for one in work if one.requests > 0]
