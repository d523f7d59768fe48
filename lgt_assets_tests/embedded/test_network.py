"""The lean forward passes of training compute what the real model computes."""

import random

import pytest
import torch

from lgt_assets.embedded.initialization import initialize_decoder, initialize_tower
from lgt_assets.embedded.learner import Model
from lgt_assets.embedded.network import export, picture_positions, see
from lgt_assets.embedded.pixels import PROCESSOR, patches
from lgt_assets.embedded.roles import ROLES, make_example
from lgt_assets.embedded.scenes import generate_scene, render
from lgt_assets.embedded.tokenizer import OPENING, TURN, build_tokenizer


@pytest.fixture(scope="module")
def tokenizer():
    return build_tokenizer(0, 300)


@pytest.fixture(scope="module")
def model(tokenizer) -> Model:
    torch.manual_seed(0)
    model = Model(tokenizer)
    initialize_tower(model.tower)
    initialize_decoder(model.decoder)
    return model


def test_the_exported_model_says_the_same(model: Model, tokenizer, tmp_path) -> None:
    from transformers import AutoModelForImageTextToText
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    export(model.decoder, model.tower, tokenizer, tmp_path)
    real = AutoModelForImageTextToText.from_pretrained(tmp_path).eval()
    picture = render(generate_scene(3))
    settings = {name: value for name, value in PROCESSOR.items() if not name.endswith(("_type", "_class"))}
    seen = Qwen2VLImageProcessorPil(**settings)(images=[picture], return_tensors="pt")
    frames = seen["pixel_values"].reshape(64, 3, 2, 196)
    own = torch.from_numpy(patches(picture))
    assert torch.equal(frames[:, :, 0], own.reshape(64, 3, 196)) and torch.equal(frames[:, :, 0], frames[:, :, 1])
    turn = OPENING + "<|vision_start|>" + "<|image_pad|>" * 16 + "<|vision_end|>Question: What?" + TURN
    ids = tokenizer(turn, return_tensors="pt").input_ids
    places = ids == tokenizer.convert_tokens_to_ids("<|image_pad|>")
    with torch.no_grad():
        expected = real(
            input_ids=ids, attention_mask=torch.ones_like(ids), mm_token_type_ids=places.long(), **seen
        ).logits
        embedded = model.decoder.embed_tokens(ids).masked_scatter(places[..., None], see(model.tower, own[None]))
        positions = picture_positions(ids.shape[1], int(places[0].nonzero()[0]))
        got = model.decoder.logits(model.decoder(embedded, positions))
    assert torch.allclose(got, expected, atol=1e-4)


def test_words_are_single_tokens_and_texts_come_back(tokenizer) -> None:
    for word in (
        "(A)",
        " red",
        "red",
        " circles",
        " upper-left",
        "top-center",
        " #3",
        " 2)",
        " [50",
        ", 240",
        "<think>",
    ):
        assert len(tokenizer(word).input_ids) == 1, word
    generator = random.Random(0)
    for role in ROLES:
        for seed in range(20):
            example = make_example(role, generate_scene(seed), generator)
            shown, learnt = OPENING + example.user + TURN + example.prefix, example.reply
            ids = tokenizer(shown).input_ids + tokenizer(learnt).input_ids
            assert ids == tokenizer(shown + learnt).input_ids
            assert tokenizer.decode(ids) == shown + learnt


def test_the_chat_template_opens_turns_as_in_training(tokenizer) -> None:
    messages = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Hello"}]}]
    turn = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert turn == OPENING + "<|vision_start|><|image_pad|><|vision_end|>Hello" + TURN


def test_copying_heads_look_a_fixed_number_of_tokens_back(model: Model) -> None:
    from lgt_assets.embedded.initialization import OFFSETS
    from lgt_assets.embedded.network import HEAD, rotary_tables, rotate, text_positions

    attention = model.decoder.layers[0].self_attn
    cosine, sine = rotary_tables(text_positions(60))
    hidden = model.decoder.layers[0].input_layernorm(model.decoder.embed_tokens(torch.randint(300, 900, (1, 60))))
    for head, offset in enumerate(OFFSETS):
        rows = slice(head * HEAD, (head + 1) * HEAD)
        query, key = (
            torch.nn.functional.linear(hidden, layer.weight[rows], layer.bias[rows])
            for layer in (attention.q_proj, attention.k_proj)
        )
        scores = rotate(query, cosine, sine)[0] @ rotate(key, cosine, sine)[0].T
        best = scores.tril().masked_fill(torch.ones(60, 60).triu(1).bool(), -torch.inf).argmax(-1)
        assert (best[20:] == torch.arange(20, 60) - offset).float().mean() > 0.9
