"""Simple chains of thought: the VLM looks at the picture and answers, several times a question."""

import polars as pl

from lgt_assets.engines.base import ImageReference, Request
from lgt_assets.identity import row_id, seed_of
from lgt_assets.prompts.templates import PromptSet
from lgt_assets.settings import Profile
from lgt_assets.synthesis.facts import in_order
from lgt_assets.synthesis.parsing import ParsedTrace, Rejected, parse_trace
from lgt_assets.synthesis.planned import Answered, Outcome, Planned
from lgt_assets.synthesis.shown import show, user_messages

ASSET = "distilled_cots"
CUT_OFF = "cut_off"


def plan_cots(images: pl.DataFrame, questions: pl.DataFrame, *, profile: Profile, prompts: PromptSet) -> list[Planned]:
    """``profile.distill.samples`` requests for each question, equal but for seed and sample_index.

    Args:
        images: rows of ``images`` of one shard.
        questions: rows of ``seed_questions`` and ``composed_questions`` in one frame of their common columns.
    """
    sampling, template_hash = profile.role("vlm").sampling.sampling(), prompts.template_hash("vlm")
    pictures = {row["image_id"]: ImageReference(row["sha256"], row["uri"]) for row in images.to_dicts()}
    planned = []
    for question in in_order(questions, "hops", "ordinal", "question_id"):
        shown = show(question, profile.distill.answer_formats)
        messages = user_messages(prompts, question["question"], shown, images=(pictures[question["image_id"]],))
        for index in range(profile.distill.samples):
            seed = seed_of(question["question_id"], "vlm", index)
            context = {
                "position": len(planned), "question_id": question["question_id"], "image_id": question["image_id"],
                "sample_index": index, "choices_shown": list(shown.choices), "right_index": shown.right_index,
                "answer_format": shown.answer_format,
            }  # fmt: skip
            request = Request(messages, sampling, seed, sample_index=index, template_hash=template_hash)
            planned.append(Planned(request, context))
    return planned


def build_cots(shard: str, answered: list[Answered]) -> Outcome:
    """Rows of ``distilled_cots`` from the VLM's replies, whatever order these come in.

    Rejection reasons: those of :func:`.parsing.parse_trace`; what ran into its length limit without an answer is ``cut_off``.
    """
    outcome = Outcome()
    for answer in sorted(answered, key=lambda answer: answer.context["position"]):
        outcome.asked += 1
        trace = parsed_trace(answer)
        if isinstance(trace, Rejected):
            outcome.reject(
                shard, ASSET, trace.reason, request_key=answer.request_key, parent_id=answer.context["question_id"],
                raw=trace.raw, detail=f"sample {answer.context['sample_index']}",
            )  # fmt: skip
            continue
        outcome.parsed += 1
        outcome.rows.append(_row(shard, len(outcome.rows), trace, answer))
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
    return {name: value for name, value in context.items() if name != "position"} | {
        "shard": shard, "ordinal": ordinal, "cot_id": cot_id, "thought": trace.thought, "answer": trace.answer,
        "answer_index": trace.answer_index, "is_correct": trace.answer_index == context["right_index"],
        "request_key": answer.request_key,
    }  # fmt: skip
