"""The real model in this process: texts depend on the request alone, and are those of transformers itself."""

import gc
import weakref
from dataclasses import replace
from pathlib import Path

import pytest

from lgt_assets.engines.base import Completion, ImageReference, Message, Request, RequestFailure, Sampling, request_key
from lgt_assets.engines.hf_decoding import DecodeLoop
from lgt_assets.engines.hf_prompts import chat
from lgt_assets.engines.hf_transformers import HfTransformersEngine
from lgt_assets.engines.model_identity import model_identity
from lgt_assets.engines.settings import HfTransformersSettings
from lgt_assets.errors import EngineError
from lgt_assets_tests.engines.requests import picture, request

WORDS = "Objects: large red circle [8, 8, 60, 60]; small blue star [70, 70, 100, 100]."


def texts(engine: HfTransformersEngine, requests: list[Request]) -> dict[str, str]:
    """Texts by request key; every request answered once."""
    results = list(engine.generate(iter(requests)))
    assert all(isinstance(result, Completion) for result in results), results
    assert sorted(result.request_key for result in results) == sorted(
        request_key(engine.identity, one) for one in requests
    )
    return {result.request_key: result.text for result in results}


def mixed(folder: Path, temperature: float, count: int = 24) -> list[Request]:
    """Requests of many lengths, some with pictures, some with a prefix, some of one prompt."""
    pictures = [picture(folder, "red"), picture(folder, "blue", 84)]
    made = []
    for number in range(count):
        text = f"{WORDS * (number % 3)} What is the color of object {number // 2}?"
        images = (pictures[number % 2],) if number % 4 == 0 else ()
        prefix = "<think> I see" if number % 5 == 0 else ""
        made.append(
            request(
                text,
                seed=number,
                images=images,
                prefix=prefix,
                temperature=temperature,
                max_tokens=6 + number,
                top_p=0.95,
            )
        )
    return made


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_make_up_of_the_batch_changes_no_text(
    hf_engine: HfTransformersEngine, model_folder: str, tmp_path: Path, temperature: float
) -> None:
    requests = mixed(tmp_path, temperature)
    together = texts(hf_engine, requests)
    assert texts(hf_engine, requests[::-1]) == together
    assert texts(hf_engine, requests[5:9]) == {
        key: together[key] for key in (request_key(hf_engine.identity, one) for one in requests[5:9])
    }
    with HfTransformersEngine(HfTransformersSettings(model=model_folder, batch_size=3, threads=1)) as narrow:
        assert texts(narrow, requests) == together


def test_a_batch_that_is_done_with_is_freed_at_once(hf_engine: HfTransformersEngine) -> None:
    loop = DecodeLoop(hf_engine._model.get(), 16)
    freed = weakref.ref(loop)
    gc.disable()  # the collector counts objects, not bytes: it would leave a cache of gigabytes for long
    try:
        del loop
        assert freed() is None
    finally:
        gc.enable()


def test_samples_of_one_prompt_differ_by_seed_and_repeat_by_seed(hf_engine: HfTransformersEngine) -> None:
    requests = [request(WORDS, seed=seed, temperature=1.5, max_tokens=12) for seed in range(8)]
    first = texts(hf_engine, requests)
    assert len(set(first.values())) > 1
    assert texts(hf_engine, requests) == first
    alone = [texts(hf_engine, [one]) for one in requests]
    assert {key: text for one in alone for key, text in one.items()} == first


def test_greedy_texts_are_those_of_transformers_generate(hf_engine: HfTransformersEngine, tmp_path: Path) -> None:
    import torch
    from PIL import Image

    model = hf_engine._model.get()
    for one in mixed(tmp_path, 0.0, 12):
        text = (
            model.tokenizer.apply_chat_template(chat(one.messages, ""), tokenize=False, add_generation_prompt=True)
            + one.prefix
        )
        pictures = {}
        for image in one.messages[0].images:
            with Image.open(image.uri) as opened:
                pictures = dict(model.image_processor(images=[opened], return_tensors="pt"))
            tokens = int(pictures["image_grid_thw"].prod()) // model.image_processor.merge_size**2
            text = text.replace("<|image_pad|>", "<|image_pad|>" * tokens)
        ids = model.tokenizer(text, return_tensors="pt", add_special_tokens=False)["input_ids"]
        if pictures:
            pictures["mm_token_type_ids"] = (ids == model.image_token_id).int()
        written = model.network.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            max_new_tokens=one.sampling.max_tokens,
            **pictures,
        )[0, ids.shape[1] :]
        expected = model.tokenizer.decode(written, skip_special_tokens=True)
        (completion,) = hf_engine.generate([one])
        assert isinstance(completion, Completion)
        assert completion.text == expected
        assert completion.prompt_tokens == ids.shape[1]
        assert completion.completion_tokens == len(written)


def test_stop_strings_end_the_text_before_or_with_them(hf_engine: HfTransformersEngine) -> None:
    asked = request(WORDS + " List all objects.", max_tokens=30)
    (whole,) = texts(hf_engine, [asked]).values()
    stop = whole[len(whole) // 2 : len(whole) // 2 + 3]
    end = whole.index(stop)
    for include, expected in ((False, whole[:end]), (True, whole[: end + 3])):
        stopped = replace(asked, sampling=replace(asked.sampling, stop=("never there", stop), include_stop=include))
        (completion,) = hf_engine.generate([stopped])
        assert isinstance(completion, Completion)
        assert (completion.text, completion.finish_reason) == (expected, "stop")


def test_max_tokens_and_finish_reason(hf_engine: HfTransformersEngine) -> None:
    (completion,) = hf_engine.generate([request(WORDS, max_tokens=2)])
    assert isinstance(completion, Completion)
    assert (completion.completion_tokens, completion.finish_reason) == (2, "length")


def test_bad_words_do_not_appear(hf_engine: HfTransformersEngine) -> None:
    asked = request(WORDS, max_tokens=20)
    (free,) = texts(hf_engine, [asked]).values()
    word = next(word for word in free.split() if word.isalpha())
    banned = replace(asked, sampling=replace(asked.sampling, bad_words=(word,)))
    (without,) = texts(hf_engine, [banned]).values()
    assert word in free.split() and word not in without.split()


def test_a_prefix_is_continued_and_not_repeated(hf_engine: HfTransformersEngine) -> None:
    asked = request(WORDS + " List all objects.", max_tokens=24)
    (whole,) = texts(hf_engine, [asked]).values()
    head, gap, _tail = whole.partition(" ")
    (rest,) = texts(hf_engine, [replace(asked, prefix=head)]).values()
    assert gap and not rest.startswith(head)
    assert (head + rest).startswith(whole[: len(whole) // 2])


def test_the_picture_matters(hf_engine: HfTransformersEngine, tmp_path: Path) -> None:
    asked = [request("What is it?", images=images, max_tokens=1) for images in ((), (picture(tmp_path, "red"),))]
    counts = [result.prompt_tokens for result in hf_engine.generate(asked) if isinstance(result, Completion)]
    assert max(counts) >= min(counts) + 4


def test_what_one_request_lacks_is_its_own_failure(hf_engine: HfTransformersEngine, tmp_path: Path) -> None:
    gone = ImageReference("a" * 64, str(tmp_path / "gone.png"))
    other = replace(picture(tmp_path), sha256="b" * 64)
    truncated = tmp_path / "truncated.png"
    truncated.write_bytes(Path(picture(tmp_path).uri).read_bytes()[:60])
    import hashlib

    broken = ImageReference(hashlib.sha256(truncated.read_bytes()).hexdigest(), str(truncated))
    bad = [
        (request("a", images=(gone,)), "cannot be read"),
        (request("b", images=(other,)), "not the one that was added"),
        (request("c", images=(broken,)), "cannot be decoded"),
        (request("d <|image_pad|>"), "placeholders"),
        (request("red circle " * 3000), "leaves no room"),
    ]
    good = request("fine", max_tokens=3)
    results = {result.request_key: result for result in hf_engine.generate([*(asked for asked, _reason in bad), good])}
    assert len(results) == 6
    for asked, reason in bad:
        result = results[request_key(hf_engine.identity, asked)]
        assert isinstance(result, RequestFailure) and reason in result.error
    assert isinstance(results[request_key(hf_engine.identity, good)], Completion)


def test_streams_and_takes_requests_as_it_goes(hf_engine: HfTransformersEngine) -> None:
    taken = 0

    def endless() -> "object":
        nonlocal taken
        while True:
            taken += 1
            yield request(f"question {taken}", seed=taken, max_tokens=2)

    results = hf_engine.generate(endless())
    for _result in range(5):
        next(results)
    results.close()
    assert taken <= 4 * 32


def test_a_small_token_budget_still_answers_all(model_folder: str) -> None:
    with HfTransformersEngine(
        HfTransformersSettings(model=model_folder, batch_size=8, batch_tokens=64, threads=1)
    ) as engine:
        assert len(texts(engine, [request(f"{WORDS} {number}", max_tokens=3) for number in range(5)])) == 5


def test_a_choice_is_one_of_the_texts(hf_engine: HfTransformersEngine) -> None:
    choice = ("yes", "yes indeed", "no", "cannot tell")
    asked = [request(WORDS, seed=seed, temperature=3.0, max_tokens=12, choice=choice) for seed in range(24)]
    results = [result for result in hf_engine.generate(asked) if isinstance(result, Completion)]
    assert {result.text for result in results} <= set(choice) and len({result.text for result in results}) > 1
    assert {result.finish_reason for result in results} == {"stop"}
    (free,) = texts(hf_engine, [request(WORDS, max_tokens=4)]).values()
    assert free not in choice


def test_out_of_memory_halves_the_batch_and_changes_no_text(
    hf_engine: HfTransformersEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    requests = [request(f"{WORDS} {number}", seed=number, temperature=1.0, max_tokens=12) for number in range(40)]
    expected, network = texts(hf_engine, requests), hf_engine._model.get().network
    rows = []

    def small_memory(**inputs: object) -> object:
        rows.append(len(inputs["input_ids"]))
        if rows[-1] > 16:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
        return whole(**inputs)

    whole = network.forward
    monkeypatch.setattr(network, "forward", small_memory)
    assert texts(hf_engine, requests) == expected
    assert max(rows) == 32 and rows.count(32) == 1


def test_what_does_not_fit_alone_fails_alone(hf_engine: HfTransformersEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    requests = [request(f"short {number}", max_tokens=4) for number in range(6)]
    huge = request("large red circle " * 60, max_tokens=4)
    network = hf_engine._model.get().network

    def small_memory(**inputs: object) -> object:
        if inputs["input_ids"].shape[1] > 100:
            raise RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)")
        return whole(**inputs)

    whole = network.forward
    monkeypatch.setattr(network, "forward", small_memory)
    results = {result.request_key: result for result in hf_engine.generate([*requests[:3], huge, *requests[3:]])}
    failure = results.pop(request_key(hf_engine.identity, huge))
    assert isinstance(failure, RequestFailure) and "max_pixels" in failure.error and "MPS" in failure.error
    assert len(results) == 6 and all(isinstance(result, Completion) for result in results.values())


def test_other_errors_of_the_network_are_not_taken_for_memory(
    hf_engine: HfTransformersEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_inputs: object) -> object:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(hf_engine._model.get().network, "forward", broken)
    with pytest.raises(RuntimeError, match="mat1"):
        list(hf_engine.generate([request()]))


def test_identity_is_the_content_of_the_folder(
    hf_engine: HfTransformersEngine, model_folder: str, tmp_path: Path
) -> None:
    import shutil

    copy = tmp_path / Path(model_folder).name
    shutil.copytree(model_folder, copy)
    assert model_identity(str(copy)) == model_identity(str(Path(model_folder)))
    (copy / "README.md").write_text("a note")
    assert model_identity(str(copy)) == model_identity(str(Path(model_folder)))
    (copy / "config.json").write_text((copy / "config.json").read_text() + "\n")
    assert model_identity(str(copy)).revision != hf_engine.identity.revision
    assert len(hf_engine.identity.revision) == len(hf_engine.identity.chat_template_sha256) == 64


def test_closed_engines_say_so(model_folder: str) -> None:
    engine = HfTransformersEngine(HfTransformersSettings(model=model_folder))
    engine.close()
    engine.close()
    with pytest.raises(EngineError, match="closed"):
        list(engine.generate([Request((Message("user", "x"),), Sampling(), 1)]))


def test_a_hub_name_needs_a_revision() -> None:
    with pytest.raises(EngineError):
        _identity = HfTransformersEngine(HfTransformersSettings(model="nobody/no-such-model")).identity
