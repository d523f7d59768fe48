"""The real network, processor and post-processing of transformers, on random weights."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from lgt_assets.engines.base import Completion, ImageReference, RequestFailure
from lgt_assets.engines.detector import (
    Detection,
    DetectionQuery,
    DetectorEngine,
    QueryUnusable,
    detection_request,
    parse_detections,
)
from lgt_assets.engines.grounding_dino import GroundingDino, merged_text
from lgt_assets.engines.registry import build_engine
from lgt_assets.engines.settings import GroundingDinoSettings
from lgt_assets.errors import EngineError
from lgt_assets.sources.inspection import read_picture
from lgt_assets_tests.tiny_detector import write_tiny_detector

PHRASES = ("small red circle", "blue square", "dog")


def settings(folder: Path, **changes: object) -> GroundingDinoSettings:
    return GroundingDinoSettings(model=str(folder), device="cpu", threads=1, **changes)


@pytest.fixture(scope="module")
def detector(detector_folder: Path) -> Iterator[GroundingDino]:
    detector = GroundingDino(settings(detector_folder))
    yield detector
    detector.close()


def picture(path: Path, *, size: tuple[int, int] = (120, 90), orientation: int = 1) -> ImageReference:
    """A picture with a few coloured blocks; its file notes ``orientation``."""
    import hashlib

    image = Image.linear_gradient("L").resize(size).convert("RGB")
    image.paste("red", (10, 10, 50, 40))
    image.paste("blue", (60, 50, 110, 85))
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(path, "PNG", exif=exif)
    return ImageReference(hashlib.sha256(read_picture(path)).hexdigest(), str(path))


def query(
    image: ImageReference, phrases: tuple[str, ...] = PHRASES, box: float = 0.2, text: float = 0.2
) -> DetectionQuery:
    return DetectionQuery(image, phrases, box, text)


def test_boxes_lie_in_the_picture_with_their_scores_and_phrases(detector: GroundingDino, tmp_path: Path) -> None:
    found = detector.detect(query(picture(tmp_path / "one.png")))
    assert len(found) > 3
    assert all(0 <= one.x0 <= one.x1 <= 120 and 0 <= one.y0 <= one.y1 <= 90 and 0.2 < one.score <= 1 for one in found)
    assert {one.phrase for one in found} <= {None, 0, 1, 2} and len({one.phrase for one in found}) > 1


def test_they_are_those_of_the_processors_own_post_processing(detector: GroundingDino, tmp_path: Path) -> None:
    import torch

    image = picture(tmp_path / "one.png")
    found = detector.detect(query(image))
    network, processor, _device = detector._model.get()
    inputs = processor(images=Image.open(image.uri).convert("RGB"), text=[list(PHRASES)], return_tensors="pt")
    with torch.inference_mode():
        output = network(**inputs)
    (expected,) = processor.post_process_grounded_object_detection(
        output, threshold=0.2, text_threshold=0.2, target_sizes=[(90, 120)]
    )
    assert [one.score for one in found] == expected["scores"].tolist()
    assert [one.text for one in found] == expected["text_labels"]
    boxes = torch.tensor([[one.x0, one.y0, one.x1, one.y1] for one in found])
    limits = torch.tensor([120.0, 90.0, 120.0, 90.0])
    assert torch.allclose(boxes, expected["boxes"].clamp(min=torch.zeros(4), max=limits))


def test_the_phrase_is_that_of_the_best_token(detector: GroundingDino, tmp_path: Path) -> None:
    """The words that post-processing reads off mix phrases; the tokens' scores do not."""
    found = detector.detect(query(picture(tmp_path / "one.png"), text=0.05))
    mixed = [one for one in found if sum(phrase.split()[-1] in one.text for phrase in PHRASES) > 1]
    assert mixed and all(one.phrase is not None for one in mixed)
    words = {one.phrase: one.text for one in detector.detect(query(picture(tmp_path / "one.png"), text=0.9))}
    for phrase, text in words.items():
        if phrase is not None and text:
            assert any(word in text for word in PHRASES[phrase].split())
    assert {one.phrase for one in detector.detect(query(picture(tmp_path / "one.png"), text=1.0))} == {None}


def test_phrases_are_those_of_transformers_own_map_of_tokens(detector: GroundingDino, tmp_path: Path) -> None:
    import torch
    from transformers.models.grounding_dino.modeling_grounding_dino import build_label_maps

    image = picture(tmp_path / "one.png")
    found = detector.detect(query(image, box=0.9, text=0.5))  # some boxes before the last are not kept
    network, processor, _device = detector._model.get()
    inputs = processor(images=Image.open(image.uri).convert("RGB"), text=[list(PHRASES)], return_tensors="pt")
    with torch.inference_mode():
        output = network(**inputs)
    (of_phrase,) = build_label_maps(output.logits, inputs["input_ids"])
    scores = output.logits[0].sigmoid()
    kept = scores[scores.max(-1)[0] > 0.9]
    best, phrase = (kept[:, None] * of_phrase[None]).max(-1)[0].max(-1)
    expected = [int(p) if b > 0.5 else None for b, p in zip(best, phrase, strict=True)]
    assert [one.phrase for one in found] == expected and 1 < len(set(expected)) and len(kept) < len(scores)


def test_a_higher_box_threshold_leaves_fewer(detector: GroundingDino, tmp_path: Path) -> None:
    image = picture(tmp_path / "one.png")
    low, high = detector.detect(query(image, box=0.1)), detector.detect(query(image, box=0.9))
    assert 0 < len(high) < len(low) and all(one in low for one in high)


def test_the_same_query_gives_the_same_digits_whatever_came_before(
    detector: GroundingDino, detector_folder: Path, tmp_path: Path
) -> None:
    one, other = picture(tmp_path / "one.png"), picture(tmp_path / "other.png", size=(50, 200))
    first = detector.detect(query(one))
    detector.detect(query(other, ("dog",)))
    fresh = GroundingDino(settings(detector_folder))
    assert detector.detect(query(one)) == first == fresh.detect(query(one))
    fresh.close()


@pytest.mark.parametrize("orientation", [3, 6])
def test_a_turned_picture_is_looked_at_and_measured_as_it_is_shown(
    detector: GroundingDino, tmp_path: Path, orientation: int
) -> None:
    turned = picture(tmp_path / "turned.png", orientation=orientation)
    ImageOps.exif_transpose(Image.open(turned.uri)).save(tmp_path / "shown.png", exif=Image.Exif())
    found = detector.detect(query(turned))
    assert found == detector.detect(query(picture_of(tmp_path / "shown.png")))
    width, height = (90, 120) if orientation == 6 else (120, 90)
    assert all(one.x1 <= width and one.y1 <= height for one in found)


def picture_of(path: Path) -> ImageReference:
    import hashlib

    return ImageReference(hashlib.sha256(path.read_bytes()).hexdigest(), str(path))


def test_no_phrases_find_nothing(detector: GroundingDino, tmp_path: Path) -> None:
    assert detector.detect(query(picture(tmp_path / "one.png"), ())) == []


def test_too_many_words_are_refused_before_the_model_cuts_them_off(detector: GroundingDino, tmp_path: Path) -> None:
    with pytest.raises(QueryUnusable, match=r"tokens, and this model takes 32: lower detect.phrases_per_request"):
        detector.detect(query(picture(tmp_path / "one.png"), ("small red circle",) * 9))


@pytest.mark.parametrize("phrases", [("ÄÖ É", "dog"), ("İstanbul ball", "dog"), ("日本 dog",)])
def test_phrases_in_other_letters_are_looked_for(
    detector: GroundingDino, tmp_path: Path, phrases: tuple[str, ...]
) -> None:
    found = detector.detect(query(picture(tmp_path / "one.png"), phrases, box=0.05, text=0.0))
    assert found and {one.phrase for one in found} <= {*range(len(phrases)), None}


def test_phrases_are_merged_as_the_processor_does() -> None:
    text, spans = merged_text(("Small red circle", " dog "))
    assert text == "small red circle. dog." and [text[a:b] for a, b in spans] == ["small red circle", "dog"]


def test_the_engine_answers_each_request_and_fails_those_it_cannot(detector_folder: Path, tmp_path: Path) -> None:
    good, gone = picture(tmp_path / "good.png"), ImageReference("ab" * 32, str(tmp_path / "gone.png"))
    with build_engine(settings(detector_folder)) as engine:
        assert isinstance(engine, DetectorEngine) and engine.kind == "grounding_dino"
        answers = list(engine.generate(detection_request(query(image)) for image in (good, gone, good)))
    assert [type(answer) for answer in answers] == [Completion, RequestFailure, Completion]
    assert answers[0].text == answers[2].text and "cannot be prepared" in answers[1].error
    assert all(isinstance(one, Detection) for one in parse_detections(answers[0].text))


def test_a_closed_detector_is_an_error(detector_folder: Path, tmp_path: Path) -> None:
    engine = build_engine(settings(detector_folder))
    engine.close()
    engine.close()
    with pytest.raises(EngineError, match="closed"):
        list(engine.generate([detection_request(query(picture(tmp_path / "one.png")))]))


def test_the_identity_is_of_content_and_limits_and_loads_nothing(detector_folder: Path, tmp_path: Path) -> None:
    def identity(folder: Path, **changes: object) -> object:
        detector = GroundingDino(settings(folder, **changes))
        named = detector.identity
        assert not detector._model.is_loaded
        return named

    moved = Path(shutil.copytree(detector_folder, tmp_path / "elsewhere" / detector_folder.name))
    other = write_tiny_detector(tmp_path / "other" / detector_folder.name, seed=1)
    assert identity(moved) == identity(detector_folder) == identity(detector_folder, dtype="bfloat16")
    others = [identity(other), *(identity(detector_folder, **{edge: 80}) for edge in ("shortest_edge", "longest_edge"))]
    assert len({identity(detector_folder), *others}) == 4


def test_limits_on_the_edges_are_the_processors(detector_folder: Path) -> None:
    detector = GroundingDino(settings(detector_folder, shortest_edge=48, longest_edge=80))
    size = detector._model.get().processor.image_processor.size
    detector.close()
    assert (size["shortest_edge"], size["longest_edge"]) == (48, 80)


def test_half_precision_runs_and_is_no_part_of_the_identity(
    detector: GroundingDino, detector_folder: Path, tmp_path: Path
) -> None:
    half = GroundingDino(settings(detector_folder, dtype="bfloat16"))
    found = half.detect(query(picture(tmp_path / "one.png"), box=0.05))
    assert len(found) > 3 and half._model.get().network.dtype != detector._model.get().network.dtype
    assert half.identity == detector.identity
    half.close()


def test_the_retrained_model_of_mmdetection_runs_too(tmp_path: Path) -> None:
    detector = GroundingDino(settings(write_tiny_detector(tmp_path / "mm", kind="MMGroundingDino")))
    found = detector.detect(query(picture(tmp_path / "one.png"), box=0.05, text=0.0))
    assert found and {one.phrase for one in found} <= {0, 1, 2}
    detector.close()


def test_another_kind_of_model_is_refused(model_folder: str, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="this engine runs grounding-dino"):
        GroundingDino(settings(Path(model_folder))).detect(query(picture(tmp_path / "one.png")))


def test_a_hub_model_needs_its_commit() -> None:
    with pytest.raises(EngineError, match="set `revision` to a commit"):
        assert GroundingDino(GroundingDinoSettings(model="IDEA-Research/grounding-dino-base")).identity
