"""Simple chains of thought: the VLM looks at the picture and answers, several times a question."""

from collections.abc import Iterable, Iterator

import polars as pl

from lgt_assets.engines.base import ImageReference, Request
from lgt_assets.identity import row_id, seed_of
from lgt_assets.prompts.templates import PromptSet
from lgt_assets.settings import Profile
from lgt_assets.synthesis.behaviours import count_behaviours
from lgt_assets.synthesis.facts import in_order
from lgt_assets.synthesis.parsed import CUT_OFF
from lgt_assets.synthesis.parsing import ParsedTrace, Rejected, parse_trace
from lgt_assets.synthesis.planned import Answered, Outcome, Planned
from lgt_assets.synthesis.shown import show, user_messages
from lgt_assets.synthesis.trace_filters import simple_fault

ASSET = "distilled_cots"
COPIED = ("question_id", "image_id", "sample_index", "choices_shown", "right_index", "answer_format")


def plan_cots(
    images: pl.DataFrame, questions: pl.DataFrame, *, profile: Profile, prompts: PromptSet
) -> Iterator[Planned]:
    """``profile.distill.samples`` requests for each question, equal but for seed and sample_index.

    Args:
        images: rows of ``images`` of one shard.
        questions: rows of ``seed_questions`` and ``composed_questions`` in one frame of their common columns.
    """
    sampling, template_hash = profile.role("vlm").sampling.sampling(), prompts.template_hash("vlm")
    pictures = {row["image_id"]: ImageReference(row["sha256"], row["uri"]) for row in images.to_dicts()}
    for question in in_order(questions, "hops", "ordinal", "question_id"):
        shown = show(question, profile.distill.answer_formats)
        messages = user_messages(prompts, question["question"], shown, images=(pictures[question["image_id"]],))
        for index in range(profile.distill.samples):
            seed = seed_of(question["question_id"], "vlm", index)
            context = {
                "question_id": question["question_id"], "image_id": question["image_id"], "question": question["question"],
                "sample_index": index, "choices_shown": list(shown.choices), "right_index": shown.right_index,
                "answer_format": shown.answer_format,
            }  # fmt: skip
            request = Request(messages, sampling, seed, sample_index=index, template_hash=template_hash)
            yield Planned(request, context)


def build_cots(shard: str, answered: Iterable[Answered], *, profile: Profile) -> Outcome:
    """Rows of ``distilled_cots`` from the VLM's replies, in plan order.

    Rejection reasons: those of :func:`.parsing.parse_trace`, where what ran into its length limit without an answer is
    ``cut_off``; then those of :func:`.trace_filters.simple_fault`.
    """
    outcome = Outcome()
    for answer in answered:
        outcome.asked += 1
        context, trace = answer.context, parsed_trace(answer)
        if isinstance(trace, Rejected):
            reason, detail = trace.reason, ""
        else:
            outcome.parsed += 1
            fault = simple_fault(trace, context["question"], context["choices_shown"], profile.distill)
            if fault is None:
                outcome.rows.append(_row(shard, len(outcome.rows), trace, answer))
                continue
            reason, detail = fault.reason, fault.detail
        outcome.reject(
            shard, ASSET, reason, request_key=answer.request_key, parent_id=context["question_id"],
            raw=answer.completion.text, detail=f"sample {context['sample_index']}{': ' if detail else ''}{detail}",
        )  # fmt: skip
    return outcome


def parsed_trace(answer: Answered, prefix: str = "") -> ParsedTrace | Rejected:
    """The trace in a reply; one that ran into its length limit before an answer was complete is cut off."""
    trace = parse_trace(answer.completion.text, answer.context["choices_shown"], prefix=prefix)
    if isinstance(trace, Rejected) and answer.completion.finish_reason == "length":
        return Rejected(CUT_OFF, trace.raw)
    return trace


def _row(shard: str, ordinal: int, trace: ParsedTrace, answer: Answered) -> dict:
    context = answer.context
    cot_id = row_id(ASSET, shard, context["question_id"], context["sample_index"], trace.thought, trace.answer)
    return {name: context[name] for name in COPIED} | {
        "shard": shard, "ordinal": ordinal, "cot_id": cot_id, "thought": trace.thought, "answer": trace.answer,
        "answer_index": trace.answer_index, "is_correct": trace.answer_index == context["right_index"],
        "behaviours": count_behaviours(trace.thought), "request_key": answer.request_key,
    }  # fmt: skip
