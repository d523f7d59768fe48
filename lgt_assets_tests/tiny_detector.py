"""A Grounding DINO of the real class with half a million random weights, made here: nothing is fetched.

It finds things anywhere; what it is for is to run the real network, processor and post-processing.
"""

import string
from pathlib import Path

import pytest

WORDS = (
    "a an the small large red green blue yellow white circle square star cross triangle ball sheet dog man mug spoon table "
    "on of left right in with beside"
).split()
# Ids that Grounding DINO's code names: it parts phrases by these very tokens.
FIXED = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "[MASK]": 103, ".": 1012, "?": 1029}
VOCABULARY = 1100
LETTERS = string.ascii_lowercase


def vocabulary() -> list[str]:
    """Tokens by id: fixed ones, words, letters to begin and to go on with; the rest is unused."""
    tokens = [f"[unused{number}]" for number in range(VOCABULARY)]
    for token, number in FIXED.items():
        tokens[number] = token
    for start, more in (
        (200, WORDS),
        (400, [one for one in LETTERS if one != "a"]),
        (500, [f"##{one}" for one in LETTERS]),
    ):
        tokens[start : start + len(more)] = more
    return tokens


def write_tiny_detector(folder: Path, *, seed: int = 0, kind: str = "GroundingDino") -> Path:
    """Write model, tokenizer and picture processor to ``folder``; another ``seed`` gives other weights.

    ``kind`` is ``GroundingDino`` or ``MMGroundingDino``, which is MMDetection's retraining of it.
    """
    import torch
    import transformers
    from transformers import (
        BertConfig,
        BertTokenizerFast,
        SwinConfig,
    )
    from transformers.models.grounding_dino.image_processing_pil_grounding_dino import GroundingDinoImageProcessorPil

    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join(vocabulary()) + "\n", encoding="utf-8")
    BertTokenizerFast.from_pretrained(str(folder)).save_pretrained(folder)
    GroundingDinoImageProcessorPil(size={"shortest_edge": 64, "longest_edge": 96}).save_pretrained(folder)
    config = getattr(transformers, f"{kind}Config")(
        backbone_config=SwinConfig(
            image_size=64, embed_dim=16, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2], window_size=4, out_indices=[2, 3, 4]
        ),
        text_config=BertConfig(
            vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64
        ),
        num_queries=20, encoder_layers=1, decoder_layers=2, d_model=32, encoder_ffn_dim=64, decoder_ffn_dim=64,
        encoder_attention_heads=4, decoder_attention_heads=4, max_text_len=32,
    )  # fmt: skip
    state = torch.random.get_rng_state()
    torch.manual_seed(seed)
    getattr(transformers, f"{kind}ForObjectDetection")(config).save_pretrained(folder)
    torch.random.set_rng_state(state)
    return folder


@pytest.fixture(scope="session")
def detector_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of one tiny detector for all tests of the session."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    return write_tiny_detector(tmp_path_factory.mktemp("detector") / "tiny-detector")
