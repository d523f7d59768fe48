"""Long traces: the reasoning model continues a simple chain of thought after a cue, and may turn a wrong one right."""

from collections.abc import Iterable, Iterator

import polars as pl

from lgt_assets.engines.base import Request
from lgt_assets.identity import random_of, row_id, seed_of
from lgt_assets.prompts.templates import PromptSet
from lgt_assets.settings import ExpandSettings, Profile
from lgt_assets.synthesis.behaviours import count_behaviours
from lgt_assets.synthesis.distill import parsed_trace
from lgt_assets.synthesis.facts import by_key, facts_by_image, in_order
from lgt_assets.synthesis.parsing import ParsedTrace, Rejected
from lgt_assets.synthesis.planned import Answered, Outcome, Planned
from lgt_assets.synthesis.trace_filters import Continued, expanded_fault

ASSET = "expanded_traces"


def plan_expansions(
    images: pl.DataFrame, objects: pl.DataFrame, questions: pl.DataFrame, cots: pl.DataFrame, *, profile: Profile,
    prompts: PromptSet,
) -> Iterator[Planned]:  # fmt: skip
    """``profile.expand.samples`` continuations of up to ``chains_per_question`` simple chains of each question.

    Of a wrong chain, ``samples_of_wrong`` where the profile says so.

    Args:
        images, objects: rows of ``images`` and ``grounded_objects`` of one shard.
        questions: rows of ``seed_questions`` and ``composed_questions`` in one frame of their common columns.
        cots: their rows of ``distilled_cots``.

    Yields:
        Requests whose prefix is the simple thought and a cue, to be continued word for word.
    """
    sampling, template_hash = profile.role("reasoner").sampling.sampling(), prompts.template_hash("reasoner")
    facts, chains = facts_by_image(images, objects), by_key(in_order(cots), "question_id")
    for question in in_order(questions, "hops", "ordinal", "question_id"):
        picture = facts[question["image_id"]]
        for cot in choose_chains(chains.get(question["question_id"], []), profile.expand.chains_per_question):
            messages = prompts.messages(
                "reasoner", caption=picture.image["caption"], objects=picture.described(), question=question["question"],
                choices=list(cot["choices_shown"]), answer_format=cot["answer_format"],
            )  # fmt: skip
            for index in range(_samples(cot, profile.expand)):
                cue = random_of(cot["cot_id"], "cue", index).choice(profile.expand.cues)
                request = Request(
                    messages, sampling, seed_of(cot["cot_id"], "reasoner", index), prefix=prefix_of(cot["thought"], cue),
                    sample_index=index, template_hash=template_hash,
                )  # fmt: skip
                yield Planned(request, _context(question, cot, cue, index, picture.image["caption"]))


def _samples(cot: dict, settings: ExpandSettings) -> int:
    return settings.samples if cot["is_correct"] else settings.samples_of_wrong or settings.samples


def prefix_of(thought: str, cue: str) -> str:
    """The start of the assistant turn that the reasoner continues."""
    return f"<think> {thought} {cue}"


def _context(question: dict, cot: dict, cue: str, index: int, caption: str) -> dict:
    return {
        "cot_id": cot["cot_id"], "question_id": cot["question_id"], "image_id": cot["image_id"],
        "question": question["question"], "choices_shown": list(cot["choices_shown"]), "right_index": cot["right_index"],
        "simple_thought": cot["thought"], "simple_is_correct": cot["is_correct"], "cue": cue, "sample_index": index,
        "caption": caption,
    }  # fmt: skip


def choose_chains(cots: list[dict], count: int) -> list[dict]:
    """Up to ``count`` different chains of one question: right and wrong ones in turn, drawn by the question's own seed."""
    if not cots:
        return []
    ordered = sorted(cots, key=lambda row: (row["sample_index"], row["cot_id"]))
    different = list({(row["thought"], row["answer_index"]): row for row in reversed(ordered)}.values())[::-1]
    random_of(ordered[0]["question_id"], "chains").shuffle(different)
    right, wrong = ([row for row in different if row["is_correct"] is side] for side in (True, False))
    chosen = []
    while (right or wrong) and len(chosen) < count:
        chosen += [side.pop(0) for side in (right, wrong) if side]
    return chosen[:count]


def build_expansions(shard: str, answered: Iterable[Answered], *, profile: Profile) -> Outcome:
    """Rows of ``expanded_traces`` from the reasoner's continuations, in plan order; not yet seen by the verifier.

    Rejection reasons: those of :func:`.parsing.parse_trace` (``cut_off`` also for the length limit), then those of
    :func:`.trace_filters.expanded_fault`.
    """
    outcome = Outcome()
    for answer in answered:
        outcome.asked += 1
        context = answer.context
        trace = parsed_trace(answer, prefix_of(context["simple_thought"], context["cue"]))
        if isinstance(trace, Rejected):
            reason, detail = trace.reason, ""
        else:
            outcome.parsed += 1
            kept = _kept(context)
            fault = expanded_fault(trace, kept, profile.expand)
            if fault is None:
                outcome.rows.append(_row(shard, len(outcome.rows), trace, kept.added(trace.thought), answer))
                continue
            reason, detail = fault.reason, fault.detail
        outcome.reject(
            shard, ASSET, reason, request_key=answer.request_key, parent_id=context["cot_id"],
            raw=answer.completion.text, detail=detail,
        )  # fmt: skip
    return outcome


def _kept(context: dict) -> Continued:
    return Continued(
        context["simple_thought"], context["cue"], context["question"], context["choices_shown"], context["caption"]
    )


def _row(shard: str, ordinal: int, trace: ParsedTrace, added: str, answer: Answered) -> dict:
    context = answer.context
    correct = trace.answer_index == context["right_index"]
    trace_id = row_id(
        ASSET, shard, context["cot_id"], context["cue"], context["sample_index"], trace.thought, trace.answer
    )
    return {name: context[name] for name in ("cot_id", "question_id", "image_id", "cue", "sample_index")} | {
        "shard": shard, "ordinal": ordinal, "trace_id": trace_id, "thought": trace.thought, "added_thought": added,
        "answer": trace.answer, "answer_index": trace.answer_index, "is_correct": correct,
        "transition": f"{'O' if context['simple_is_correct'] else 'X'}{'O' if correct else 'X'}",
        "behaviours": count_behaviours(trace.thought), "judged_behaviours": None, "consistency": None, "votes": [],
        "request_key": answer.request_key,
    }  # fmt: skip
