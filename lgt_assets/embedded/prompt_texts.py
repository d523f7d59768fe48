"""The user texts of each role, exactly as the templates of ``lgt_assets/prompts/embedded`` render them.

They exist because training makes thousands of examples a minute; a test compares them with the templates. Free of torch.
"""

from __future__ import annotations

from lgt_assets.embedded.scenes import Scene, SceneObject, caption
from lgt_assets.embedded.thoughts import GIVEN, LETTERS, conclusion, lettered, listing

FORMATS = {"letter": "Answer with the letter.", "letter_text": "Answer with letter and text."}


def described(items: tuple[SceneObject, ...]) -> list[dict]:
    """Objects as templates take them: label, phrase, box and its area in pixels."""
    return [
        {
            "label": item.shape,
            "phrase": item.phrase,
            "box": list(item.box),
            "pixels": (item.box[2] - item.box[0]) * (item.box[3] - item.box[1]),
        }
        for item in items
    ]


def caption_line(scene: Scene, seed: int) -> str:
    """The caption as a line of facts."""
    return f"Caption: {caption(scene, seed)}\n"


def objects_line(scene: Scene) -> str:
    """The objects as a line of facts."""
    return f"Objects: {listing(scene.objects, GIVEN)}.\n"


def questioner_text(scene: Scene, caption_seed: int, focus: tuple[SceneObject, ...], question_type: str) -> str:
    """The questioner's request for a question of a type about the focus objects."""
    named = "all" if len(focus) == len(scene.objects) else "; ".join(item.phrase for item in focus)
    return f"{caption_line(scene, caption_seed)}{objects_line(scene)}Focus: {named}.\nWrite a {question_type} question."


def composer_text(parents: list[tuple[str, list[str], str]], kind: str) -> str:
    """The composer's request; a parent is (question, choices, answer)."""
    lines = [
        f"Question {i}: {question} {lettered(menu)} {conclusion(answer, menu)}\n"
        for i, (question, menu, answer) in enumerate(parents, 1)
    ]
    return f"{''.join(lines)}Compose one {kind} question."


def vlm_text(question: str, menu: list[str], answer_format: str) -> str:
    """The VLM's request, which follows the picture."""
    return f"Question: {question}\n{lettered(menu)}\n{FORMATS[answer_format]}"


def open_text(question: str, verification: str) -> str:
    """The VLM's request without choices, which follows the picture."""
    return f"Question: {question}\n\nAnswer with {'a number' if verification == 'number' else 'a few words'}."


def reasoner_text(scene: Scene, caption_seed: int, question: str, menu: list[str], answer_format: str) -> str:
    """The reasoner's request."""
    facts = caption_line(scene, caption_seed) + objects_line(scene)
    return f"{facts}Question: {question}\n{lettered(menu)}\nThink again. {FORMATS[answer_format]}"


def verifier_text(facts: str, known: list[tuple[str, str]], question: str, menu: list[str] | None) -> str:
    """The verifier's request; ``facts`` are whole lines, ``known`` pairs of question and answer."""
    lines = "".join(f"Known: {asked} {answer}\n" for asked, answer in known)
    ending = "Answer in a few words." if menu is None else "Answer with the letter."
    options = "" if menu is None else lettered(menu) + "\n"
    return f"{facts}{lines}Question: {question}\n{options}Use only these facts. {ending}"


def consistency_text(question: str, menu: list[str], thought: str) -> str:
    """The request for the choice that a thought comes to; the thought's end stands right before the reply."""
    return f"Question: {question}\n{lettered(menu)}\nThought: {thought}\nAnswer with the letter or none."


def behaviours_text(thought: str) -> str:
    """The request for what a thought does."""
    return f"Thought: {thought}\nWhich of subgoal_setting, backtracking, verification?"


def final(answer: str, menu: list[str] | None, answer_format: str) -> str:
    """``<answer>(B)</answer>``, with the text if asked for, the text alone without choices."""
    if menu is None:
        return f"<answer>{answer}</answer>"
    letter = f"({LETTERS[menu.index(answer)]})"
    return f"<answer>{letter}</answer>" if answer_format == "letter" else f"<answer>{letter} {answer}</answer>"


def written(question: str, menu: list[str], answer: str, question_type: str) -> str:
    """A multiple-choice question in the markup of the writers."""
    key = final(answer, menu, "letter")
    return f"<question>{question}</question><choices>{lettered(menu)}</choices>{key}<type>{question_type}</type>"
