"""What the tasks in this folder call. It stands alone beside the release's ``rewards.py``, and needs lmms-eval and nothing else.

The packaged tasks look for a letter at a reply's beginning; these replies begin with a thought, so they are given what stands in
``<answer>`` alone, and nothing where a reply has no answer. Samples are logged whole, with their thoughts.
"""

import importlib.util
from functools import partial
from pathlib import Path

_PLACE = importlib.util.spec_from_file_location("lgt_rewards", Path(__file__).with_name("rewards.py"))
rewards = importlib.util.module_from_spec(_PLACE)
_PLACE.loader.exec_module(rewards)


def told(reply: str) -> str:
    """What the reply's last ``<answer>`` holds; empty where it has none."""
    return reply.rpartition("<answer>")[2].partition("</answer>")[0].strip() if "<answer>" in reply else ""


def suite_visual(doc: dict) -> list:
    """The picture of a held-out question."""
    return [doc["images"][0].convert("RGB")]


def suite_text(doc: dict, lmms_eval_specific_kwargs: dict | None = None) -> str:
    """Its prompt, as the models were trained with."""
    return doc["prompt"]


def suite_results(doc: dict, results: list[str]) -> dict[str, float]:
    """Right and well formed by the release's own rewards."""
    truth = (doc["ground_truth"], doc["verification"], doc["choices"] or None)
    return {"right": rewards.answer_score(results[0], *truth), "well_formed": rewards.format_score(results[0])}


def _packaged(module: str, name: str) -> object:
    return getattr(importlib.import_module(f"lmms_eval.tasks.{module}.utils"), name)


def _results(module: str, name: str, doc: dict, results: list[str]) -> dict:
    return _packaged(module, name)(doc, [told(results[0])])


def _called(module: str, name: str, *arguments: object, **named: object) -> object:
    return _packaged(module, name)(*arguments, **named)


vstar_visual = partial(_called, "vstar_bench", "vstar_doc_to_visual")
vstar_text = partial(_called, "vstar_bench", "vstar_doc_to_text")
vstar_results = partial(_results, "vstar_bench", "vstar_process_results")
vstar_aggregate = partial(_called, "vstar_bench", "vstar_aggregate_results")
cv_bench_visual = partial(_called, "cv_bench", "cv_bench_doc_to_visual")
cv_bench_text = partial(_called, "cv_bench", "cv_bench_doc_to_text")
cv_bench_results = partial(_results, "cv_bench", "cv_bench_process_results")
cv_bench_aggregate = partial(_called, "cv_bench", "cv_bench_aggregate_results")
mmstar_visual = partial(_called, "mmstar", "mmstar_doc_to_visual")
mmstar_text = partial(_called, "mmstar", "mmstar_doc_to_text")
mmstar_results = partial(_results, "mmstar", "mmstar_process_results")
mmstar_aggregate = partial(_called, "mmstar", "mmstar_aggregate_results")
mmau_audio = partial(_called, "mmau", "doc_to_audio")
mmau_text = partial(_called, "mmau", "doc_to_text")
mmau_results = partial(_results, "mmau", "mmau_process_results")
mmau_aggregate = partial(_called, "mmau", "mmau_aggregate_results")


def mmlu_pro_text(doc: dict, lmms_eval_specific_kwargs: dict | None = None) -> str:
    """Question and options without examples: a model that was trained to think needs none."""
    options = "\n".join(f"({chr(65 + number)}) {option}" for number, option in enumerate(doc["options"]))
    return f"{doc['question']}\n{options}{(lmms_eval_specific_kwargs or {}).get('post_prompt', '')}"


def mmlu_pro_results(doc: dict, results: list[str]) -> dict[str, float]:
    """Right by the release's own verifier, which knows up to 26 letters."""
    return {"exact_match": rewards.answer_score(results[0], doc["answer"], "letter", list(doc["options"]))}
