"""The network that is trained: Qwen2.5-VL's mathematics on dense batches, with parameter names of the real thing.

Training calls these lean forward passes because the general implementation spends most of its time outside matrix
products at this size; ``export`` puts the weights into a real ``Qwen2_5_VLForConditionalGeneration``, and a test
compares both outputs. Pictures are always 112 x 112: 8 x 8 patches, 4 x 4 visual tokens, one attention window.
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTH, LAYERS, HEADS, INNER = 192, 4, 6, 512
HEAD = WIDTH // HEADS
THETA = 10000.0
MROPE_SECTIONS = (4, 6, 6)
EPSILON = 1e-5
VISION = {"depth": 3, "hidden_size": 96, "intermediate_size": 256, "num_heads": 3}
PATCHES, VISUAL_TOKENS = 64, 16


class Norm(nn.Module):
    """RMS normalization."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """The same shape, each vector of unit mean square times the weight."""
        return F.rms_norm(x, (x.shape[-1],), self.weight.to(x.dtype), EPSILON)


class Attention(nn.Module):
    """Causal self-attention with rotary positions."""

    def __init__(self) -> None:
        super().__init__()
        self.q_proj, self.k_proj, self.v_proj = (nn.Linear(WIDTH, WIDTH) for _ in range(3))
        self.o_proj = nn.Linear(WIDTH, WIDTH, bias=False)

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        """From (batch, length, width) to the same shape; tables as ``rotary_tables`` gives them."""
        batch, length, _ = x.shape
        weight = torch.cat([self.q_proj.weight, self.k_proj.weight, self.v_proj.weight])
        bias = torch.cat([self.q_proj.bias, self.k_proj.bias, self.v_proj.bias])
        heads = F.linear(x, weight, bias).view(batch, length, 3, HEADS, HEAD).permute(2, 0, 3, 1, 4)
        q, k, v = heads.unbind(0)
        out = attend(rotate(q, cosine, sine), rotate(k, cosine, sine), v, causal_mask(length, x.dtype))
        return self.o_proj(out.transpose(1, 2).reshape(batch, length, WIDTH))


class FeedForward(nn.Module):
    """Gated feed-forward layer."""

    def __init__(self) -> None:
        super().__init__()
        self.gate_proj, self.up_proj = (nn.Linear(WIDTH, INNER, bias=False) for _ in range(2))
        self.down_proj = nn.Linear(INNER, WIDTH, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """From (batch, length, width) to the same shape."""
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    """One decoder layer."""

    def __init__(self) -> None:
        super().__init__()
        self.self_attn, self.mlp = Attention(), FeedForward()
        self.input_layernorm, self.post_attention_layernorm = Norm(WIDTH), Norm(WIDTH)

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        """From (batch, length, width) to the same shape."""
        x = x + self.self_attn(self.input_layernorm(x), cosine, sine)
        return x + self.mlp(self.post_attention_layernorm(x))


class Decoder(nn.Module):
    """The language model; input and output embeddings are one matrix."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(vocabulary, WIDTH)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.norm = Norm(WIDTH)

    def forward(self, embedded: Tensor, positions: Tensor) -> Tensor:
        """Hidden states (batch, length, width) from embedded tokens and positions (3, length): time, row, column."""
        cosine, sine = rotary_tables(positions)
        x = embedded
        for layer in self.layers:
            x = layer(x, cosine, sine)
        return self.norm(x)

    def logits(self, hidden: Tensor) -> Tensor:
        """Scores (..., vocabulary) of hidden states (..., width)."""
        return F.linear(hidden, self.embed_tokens.weight)


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """Softmax attention written out: at these lengths its backward pass takes half the fused one's time on a CPU."""
    scores = torch.matmul(q * q.shape[-1] ** -0.5, k.transpose(-1, -2))
    if mask is not None:
        scores = scores + mask.to(scores.dtype)
    return torch.matmul(scores.softmax(-1, dtype=scores.dtype), v)


def causal_mask(length: int, dtype: torch.dtype) -> Tensor:
    """Minus infinity above the diagonal."""
    return torch.full((length, length), -torch.inf, dtype=dtype).triu(1)


def rotate(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Rotary position embedding in the half-split layout."""
    first, second = x.chunk(2, -1)
    return x * cosine.to(x.dtype) + torch.cat((-second, first), -1) * sine.to(x.dtype)


def rotary_tables(positions: Tensor) -> tuple[Tensor, Tensor]:
    """Cosines and sines (length, head width); each section of frequencies turns with its own axis (Qwen2-VL, M-RoPE)."""
    inverse = THETA ** (-torch.arange(0, HEAD, 2).float() / HEAD)
    axis = torch.repeat_interleave(torch.arange(3), torch.tensor(MROPE_SECTIONS))
    angles = positions.float()[axis].T * inverse
    angles = torch.cat([angles, angles], -1)
    return angles.cos(), angles.sin()


def text_positions(length: int) -> Tensor:
    """Positions (3, length) of a text without pictures."""
    return torch.arange(length).expand(3, length)


def picture_positions(length: int, start: int) -> Tensor:
    """Positions (3, length) of a text with one 4 x 4 picture whose visual tokens begin at ``start``."""
    side = 4
    cells = torch.arange(VISUAL_TOKENS)
    picture = start + torch.stack([torch.zeros_like(cells), cells // side, cells % side])
    after = start + side + torch.arange(length - start - VISUAL_TOKENS)
    return torch.cat([torch.arange(start).expand(3, -1), picture, after.expand(3, -1)], 1)


def _vision_rotary() -> tuple[Tensor, Tensor]:
    width = VISION["hidden_size"] // VISION["num_heads"]
    inverse = THETA ** (-torch.arange(0, width // 2, 2).float() / (width // 2))
    index = torch.arange(PATCHES)
    block, within = index // 4, index % 4
    rows, columns = (block // 4) * 2 + within // 2, (block % 4) * 2 + within % 2
    angles = torch.cat([rows[:, None] * inverse, columns[:, None] * inverse], -1)
    angles = torch.cat([angles, angles], -1)
    return angles.cos(), angles.sin()


def see(tower: nn.Module, patches: Tensor) -> Tensor:
    """Visual tokens (batch, 16, width) of patches (batch, 64, 588), by a real model's vision tower on dense batches."""
    batch, heads = patches.shape[0], VISION["num_heads"]
    # The picture stands for both frames of a video pair, so the two halves of the patch filter add up.
    filters = tower.patch_embed.proj.weight.sum(2).flatten(1)
    hidden = F.linear(patches, filters)
    cosine, sine = _vision_rotary()
    for block in tower.blocks:
        qkv = block.attn.qkv(_norm(block.norm1, hidden)).view(batch, PATCHES, 3, heads, -1).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.unbind(0)
        out = attend(rotate(q, cosine, sine), rotate(k, cosine, sine), v)
        hidden = hidden + block.attn.proj(out.transpose(1, 2).reshape(batch, PATCHES, -1))
        inner = _norm(block.norm2, hidden)
        mlp = block.mlp
        hidden = hidden + mlp.down_proj(F.silu(mlp.gate_proj(inner)) * mlp.up_proj(inner))
    merged = _norm(tower.merger.ln_q, hidden).reshape(batch, VISUAL_TOKENS, -1)
    return tower.merger.mlp(merged)


def _norm(module: nn.Module, x: Tensor) -> Tensor:
    return F.rms_norm(x, (x.shape[-1],), module.weight.to(x.dtype), module.variance_epsilon)


def configuration(tokenizer):
    """The Qwen2_5_VLConfig of the embedded model for a tokenizer."""
    from transformers import Qwen2_5_VLConfig

    token = tokenizer.convert_tokens_to_ids
    ends = {
        "bos_token_id": token("<|endoftext|>"),
        "eos_token_id": token("<|im_end|>"),
        "pad_token_id": token("<|endoftext|>"),
    }
    return Qwen2_5_VLConfig(
        text_config={
            "vocab_size": vocabulary_size(tokenizer),
            "hidden_size": WIDTH,
            "intermediate_size": INNER,
            "num_hidden_layers": LAYERS,
            "num_attention_heads": HEADS,
            "num_key_value_heads": HEADS,
            "rms_norm_eps": EPSILON,
            "max_position_embeddings": 2048,
            "rope_parameters": {"rope_type": "default", "rope_theta": THETA, "mrope_section": list(MROPE_SECTIONS)},
            "tie_word_embeddings": True,
            **ends,
        },
        vision_config={
            **VISION,
            "patch_size": 14,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
            "window_size": 112,
            "out_hidden_size": WIDTH,
            "fullatt_block_indexes": [VISION["depth"] - 1],
            "tokens_per_second": 2,
        },
        image_token_id=token("<|image_pad|>"),
        video_token_id=token("<|video_pad|>"),
        vision_start_token_id=token("<|vision_start|>"),
        vision_end_token_id=token("<|vision_end|>"),
        tie_word_embeddings=True,
        **ends,
    )


def vocabulary_size(tokenizer) -> int:
    """Rows of the embedding: the tokenizer's length rounded up to a multiple of 64."""
    return math.ceil(len(tokenizer) / 64) * 64


def export(decoder: Decoder, tower: nn.Module, tokenizer, folder: Path) -> None:
    """Write weights, configurations, tokenizer and chat template so that Auto classes and vLLM load them."""
    from transformers import Qwen2_5_VLForConditionalGeneration

    model = Qwen2_5_VLForConditionalGeneration(configuration(tokenizer))
    model.model.visual.load_state_dict(tower.state_dict())
    model.model.language_model.load_state_dict(decoder.state_dict(), strict=True)
    model.tie_weights()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
