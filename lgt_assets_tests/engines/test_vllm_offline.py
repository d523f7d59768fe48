"""Real vLLM with the embedded model, in this process (`make test-vllm`)."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lgt_assets.engines.base import Completion, ImageReference, Request, RequestFailure, request_key
from lgt_assets.engines.hf_transformers import HfTransformersEngine
from lgt_assets.engines.response_store import ResponseStore
from lgt_assets.engines.settings import HfTransformersSettings
from lgt_assets.engines.vllm_offline import VllmOfflineEngine
from lgt_assets.errors import EngineError
from lgt_assets_tests.engines import half_way
from lgt_assets_tests.engines.requests import picture, request

pytest.importorskip(
    "vllm", reason="vllm is not installed here: make test-vllm runs these in an environment of their own"
)
pytestmark = pytest.mark.vllm

WORDS = "Objects: large red circle [8, 8, 60, 60]; small blue star [70, 70, 100, 100]. List all objects."


@pytest.fixture(scope="module")
def engine() -> Iterator[VllmOfflineEngine]:
    with VllmOfflineEngine(half_way.settings()) as engine:
        yield engine


def answers(engine: VllmOfflineEngine, requests: list[Request]) -> list[Completion]:
    """One completion a request, in the order of the requests."""
    results = {result.request_key: result for result in engine.generate(iter(requests))}
    assert len(results) == len(requests)
    found = [results[request_key(engine.identity, one)] for one in requests]
    assert all(isinstance(result, Completion) for result in found), found
    return found  # type: ignore[return-value]


def cold(engine: VllmOfflineEngine) -> None:
    """Forget all prefixes."""
    assert engine._flights.engine()._engine.reset_prefix_cache()


def mixed(folder: Path) -> list[Request]:
    """Greedy requests with and without pictures and prefixes."""
    pictures = [picture(folder, "red"), picture(folder, "blue", 84)]
    return [
        request(
            f"{WORDS * (number % 3)} What is the color of object {number // 2}?",
            images=(pictures[number % 2],) if number % 3 == 0 else (),
            prefix="<think> I see" if number % 5 == 0 else "",
            max_tokens=6 + number,
        )
        for number in range(16)
    ]


def test_greedy_texts_are_those_of_hf_transformers(engine: VllmOfflineEngine, tmp_path: Path) -> None:
    requests = [
        *mixed(tmp_path),
        request(WORDS, stop=("large",), max_tokens=20),
        request(WORDS, stop=("large",), include_stop=True, max_tokens=20),
        request(WORDS, bad_words=("large", "small", "I"), max_tokens=20),
        request(WORDS, choice=("yes", "no"), max_tokens=8),
    ]
    settings = HfTransformersSettings(device="cpu", dtype="float32", threads=1)
    with HfTransformersEngine(settings) as other:
        assert other.identity == engine.identity
        expected = {result.request_key: result for result in other.generate(requests)}
    for one, answer in zip(requests, answers(engine, requests), strict=True):
        same = expected[answer.request_key]
        assert isinstance(same, Completion)
        assert (answer.text, answer.finish_reason) == (same.text, same.finish_reason), one
        assert answer.prompt_tokens == same.prompt_tokens


def test_the_picture_is_seen_and_prepared_once(engine: VllmOfflineEngine, tmp_path: Path) -> None:
    shapes = [picture(tmp_path, "purple"), picture(tmp_path, "orange")]
    prepared = engine._flights.engine()._engine.renderer.mm_processor_cache._cache
    before = set(prepared)
    asked = [request(f"What is it? {number}", images=(image,), max_tokens=4) for number in range(6) for image in shapes]
    plain, *shown = answers(engine, [request("What is it? 0", max_tokens=4), *asked])
    assert shown[0].prompt_tokens >= plain.prompt_tokens + 4
    assert set(prepared) - before == {image.sha256 for image in shapes}


def test_samples_have_their_own_seeds_and_are_those_of_n(engine: VllmOfflineEngine) -> None:
    drawn = [
        replace(request(WORDS, seed=40 + index, temperature=1.3, max_tokens=16), sample_index=index)
        for index in range(6)
    ]
    cold(engine)
    texts = [result.text for result in answers(engine, drawn)]
    assert len(set(texts)) > 1
    assert [result.text for one in reversed(drawn) for result in answers(engine, [one])][::-1] == texts
    assert n_texts(engine, drawn[0], len(drawn)) == texts
    other = replace(drawn[0], seed=7)
    assert answers(engine, [other])[0].text != texts[0] or answers(engine, [replace(other, seed=8)])[0].text != texts[0]


def n_texts(engine: VllmOfflineEngine, one: Request, n: int) -> list[str]:
    """What vLLM itself gives for ``n`` samples: its sample i has the seed + i."""
    from lgt_assets.engines.vllm_prompts import sampling_params

    loaded = engine._flights.engine()
    params = sampling_params(one)
    params.n = n
    loaded._engine.add_request("n", loaded._prompts.render(one), params)
    outputs = []
    while not outputs:
        outputs = loaded.step()
    return [output.text for output in outputs[0].outputs]


def test_a_prefix_is_continued_and_not_repeated(engine: VllmOfflineEngine) -> None:
    asked = request(WORDS, max_tokens=24)
    (whole,) = answers(engine, [asked])
    head, gap, _tail = whole.text.partition(" ")
    (rest,) = answers(engine, [replace(asked, prefix=head)])
    assert gap and (head + rest.text).startswith(whole.text[: len(whole.text) // 2])


def test_shared_prompts_come_from_the_prefix_cache(engine: VllmOfflineEngine, tmp_path: Path) -> None:
    cold(engine)
    shown = (picture(tmp_path, "green"),)
    asked = [
        replace(request(WORDS * 2, images=shown, seed=index, temperature=1.0, max_tokens=8), sample_index=index)
        for index in range(8)
    ]
    results = answers(engine, asked)
    cached = sorted(result.cached_tokens for result in results)
    assert cached[0] == 0
    assert all(tokens == (results[0].prompt_tokens - 1) // half_way.BLOCK * half_way.BLOCK > 0 for tokens in cached[1:])
    (other,) = answers(
        engine, [replace(asked[0], messages=request(WORDS * 2, images=(picture(tmp_path, "red"),)).messages)]
    )
    assert other.cached_tokens < cached[1]


def test_seeded_prompts_longer_than_a_step_reads_are_answered(
    engine: VllmOfflineEngine, caplog: pytest.LogCaptureFixture
) -> None:
    asked = [request(f"{number} {WORDS * 30}", seed=number, temperature=1.0, max_tokens=4) for number in range(10)]
    results = answers(engine, asked)
    assert min(result.prompt_tokens for result in results) > half_way.STEP_TOKENS // 2
    assert "vLLM died" not in caplog.text


def test_a_choice_is_one_of_the_texts(engine: VllmOfflineEngine) -> None:
    choice = ("yes", "yes indeed", "no", "cannot tell")
    asked = [request(WORDS, seed=seed, temperature=2.0, max_tokens=12, choice=choice) for seed in range(16)]
    results = answers(engine, asked)
    assert {result.text for result in results} <= set(choice) and len({result.text for result in results}) > 1
    assert {result.finish_reason for result in results} == {"stop"}


def test_bad_words_are_banned_after_a_space_too(engine: VllmOfflineEngine) -> None:
    tokenizer = engine._flights.engine().llm.get_tokenizer()
    asked = request("What is it?", max_tokens=20)
    (free,) = answers(engine, [asked])
    # of another number of tokens after a space: vLLM itself would let it through
    word = next(word for word in free.text.split() if word.isalpha() and len(tokenizer.encode(word)) > 1)
    (without,) = answers(engine, [replace(asked, sampling=replace(asked.sampling, bad_words=(word,)))])
    assert word not in without.text.split()


def test_what_one_request_lacks_is_its_own_failure(engine: VllmOfflineEngine, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(Path(picture(tmp_path).uri).read_bytes()[:60])
    import hashlib

    bad = [
        (request("a", images=(ImageReference("a" * 64, str(tmp_path / "gone.png")),)), "cannot be read"),
        (
            request("b", images=(ImageReference(hashlib.sha256(broken.read_bytes()).hexdigest(), str(broken)),)),
            "decoded",
        ),
        (request("red circle " * 3000), "max_model_len"),
        (request("c", images=(picture(tmp_path, "red"), picture(tmp_path, "blue"))), "vLLM refuses it"),
    ]
    good = [request("fine", max_tokens=3), request("fine too", images=(picture(tmp_path),), max_tokens=3)]
    results = {
        result.request_key: result for result in engine.generate([good[0], *(one for one, _reason in bad), good[1]])
    }
    assert len(results) == 6
    for one, reason in bad:
        result = results[request_key(engine.identity, one)]
        assert isinstance(result, RequestFailure) and reason in result.error, result
    assert all(isinstance(results[request_key(engine.identity, one)], Completion) for one in good)


def test_short_answers_come_before_long_ones_and_requests_are_taken_as_it_goes(engine: VllmOfflineEngine) -> None:
    taken, long = 0, request("say it", choice=("red circle " * 200,), max_tokens=500)

    def endless() -> Iterator[Request]:
        nonlocal taken
        yield long
        while True:
            taken += 1
            yield request(WORDS + str(taken), seed=taken, max_tokens=2)

    results = engine.generate(endless())
    first = [next(results) for _ in range(60)]
    results.close()
    assert all(isinstance(result, Completion) and result.completion_tokens <= 2 for result in first)
    assert request_key(engine.identity, long) not in {result.request_key for result in first}
    assert taken <= 60 + 2 * half_way.SLOTS + half_way.LOOK_AHEAD


def test_closing_aborts_what_is_under_way(engine: VllmOfflineEngine) -> None:
    asked = [
        request(WORDS + str(number), max_tokens=2 if number < 2 else 300, bad_words=("<",)) for number in range(10)
    ]
    results = engine.generate(asked)
    next(results)
    results.close()
    assert not engine._flights.engine()._engine.has_unfinished_requests()
    assert len(answers(engine, asked[:2])) == 2


def test_two_askers_share_the_engine(engine: VllmOfflineEngine) -> None:
    one = [request(f"{WORDS} {number}", max_tokens=3 + number) for number in range(12)]
    other = [request(f"{WORDS} {number}", max_tokens=20 - number, temperature=1.0) for number in range(12)]
    found: dict[str, list[Completion]] = {}
    threads = [
        threading.Thread(target=lambda name=name, asked=asked: found.update({name: answers(engine, asked)}))
        for name, asked in {"one": one, "other": other}.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert [len(found["one"]), len(found["other"])] == [12, 12]
    nested = engine.generate(iter(one))
    assert len([next(nested), *answers(engine, other), *nested]) == 24


def test_a_death_of_the_engine_costs_only_the_request_that_causes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch
    from vllm.v1.engine.llm_engine import LLMEngine

    deadly = request("deadly", max_tokens=4)
    asked = [*(request(f"{WORDS} {number}", max_tokens=8) for number in range(10)), deadly]
    whole = LLMEngine.step

    def step(self: LLMEngine) -> list:
        if any("deadly" in (state.prompt or "") for state in self.output_processor.request_states.values()):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return whole(self)

    with VllmOfflineEngine(half_way.settings()) as fragile:
        monkeypatch.setattr(LLMEngine, "step", step)
        results = {result.request_key: result for result in fragile.generate(asked)}
        failure = results.pop(request_key(fragile.identity, deadly))
        assert isinstance(failure, RequestFailure) and "lower gpu_memory_utilization" in failure.error
        assert len(results) == 10 and all(isinstance(result, Completion) for result in results.values())


def test_what_was_finished_before_kill_9_is_not_asked_again(engine: VllmOfflineEngine, tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", half_way.__name__, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    told = [line.strip() for line, _number in zip(child.stdout, range(half_way.COUNT // 2), strict=False)]
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL and len(told) == half_way.COUNT // 2
    with ResponseStore(tmp_path, half_way.SHARD) as store:
        keys = [request_key(engine.identity, one) for one in half_way.requests()]
        kept = {key for key in keys if key in store}
        assert set(told) <= kept < set(keys)
        asked = list(half_way.answer_missing(engine, store))
        assert sorted(asked) == sorted(set(keys) - kept)
        assert all(key in store for key in keys)


def test_closed_engines_give_their_memory_back_and_say_so() -> None:
    import torch

    with VllmOfflineEngine(half_way.settings()) as closed:
        answers(closed, [request("x", max_tokens=2)])
        assert torch.distributed.is_initialized()
    closed.close()
    assert not torch.distributed.is_initialized()
    with pytest.raises(EngineError, match="closed"):
        list(closed.generate([request("x")]))


def test_a_model_that_does_not_load_is_an_engine_error(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"architectures": ["NoSuchModel"], "model_type": "qwen2"}')
    with (
        pytest.raises(EngineError, match="vLLM cannot load"),
        VllmOfflineEngine(half_way.settings().model_copy(update={"model": str(tmp_path)})) as engine,
    ):
        list(engine.generate([request("x")]))
