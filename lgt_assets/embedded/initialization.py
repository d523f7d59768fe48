"""The structured start: heads that copy from the first step on.

A plainly initialised decoder of this width does not form induction heads (Olsson et al. 2022) within ten million
tokens. Here heads of layer 0 look a fixed number of tokens back through their query and key biases, and layer 1 begins
as induction heads and matching heads whose value path copies. Training changes all of it freely.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from lgt_assets.embedded.network import HEAD, HEADS, LAYERS, THETA, WIDTH, Decoder

EMBEDDING_DEVIATION = 0.7
SLOW_DIMENSIONS_FROM = 5
# Words of a phrase lie one to three tokens back, the last entry's running tallies five and six.
OFFSETS = (1, 2, 3)
LOOK_BACK_GAIN = 1.5


@torch.no_grad()
def initialize_decoder(decoder: Decoder) -> None:
    """Set every weight of a decoder from torch's current random state."""
    for name, weight in decoder.named_parameters():
        if weight.dim() > 1:
            scale = 1 / math.sqrt(2 * LAYERS) if "o_proj" in name or "down_proj" in name else 1.0
            nn.init.normal_(weight, 0.0, scale / math.sqrt(WIDTH))
        elif "bias" in name:
            nn.init.zeros_(weight)
    nn.init.normal_(decoder.embed_tokens.weight, 0.0, EMBEDDING_DEVIATION)
    nn.init.constant_(decoder.norm.weight, 0.07 / EMBEDDING_DEVIATION)
    _look_back(decoder)
    _copy(decoder)


def _rows(head: int) -> slice:
    return slice(head * HEAD, (head + 1) * HEAD)


def _look_back(decoder: Decoder, sharpness: float = 8.0) -> None:
    """The first heads of layer 0 attend a fixed number of tokens back, whatever stands there."""
    attention = decoder.layers[0].self_attn
    inverse = THETA ** (-torch.arange(0, HEAD, 2) / HEAD)
    fast, half = SLOW_DIMENSIONS_FROM, HEAD // 2
    for head, offset in enumerate(OFFSETS):
        rows = _rows(head)
        attention.q_proj.weight[rows] *= 0.1
        attention.k_proj.weight[rows] *= 0.1
        strength = math.sqrt(sharpness * math.sqrt(HEAD))
        query, key = torch.zeros(HEAD), torch.zeros(HEAD)
        # A key turned back by ``offset`` positions meets its query exactly ``offset`` tokens later.
        angle = inverse[:fast] * offset
        query[:fast] = strength
        key[:fast] = strength * torch.cos(angle)
        key[half : half + fast] = strength * torch.sin(angle)
        attention.q_proj.bias[rows], attention.k_proj.bias[rows] = query, key
        nn.init.orthogonal_(attention.v_proj.weight[rows])
        attention.o_proj.weight[:, rows] = torch.linalg.qr(torch.randn(WIDTH, HEAD))[0] * LOOK_BACK_GAIN


def _copy(decoder: Decoder, gain: float = 1.5) -> None:
    """Layer 1: heads 0 and 1 find what followed the current token before, the others find the token itself; all copy."""
    first, attention = decoder.layers[0].self_attn, decoder.layers[1].self_attn
    fast = [i for i in range(HEAD) if i % (HEAD // 2) < SLOW_DIMENSIONS_FROM]
    for head in range(HEADS):
        rows, source = _rows(head), _rows(head % 3)
        match = torch.randn(HEAD, WIDTH) / math.sqrt(WIDTH)
        # Dimensions that turn fast with position would blur a match over distance.
        match[fast] *= 0.1
        attention.q_proj.weight[rows] = gain * match
        if head < 2:
            moved = first.o_proj.weight[:, source] @ first.v_proj.weight[source]
            attention.k_proj.weight[rows] = gain * 2.5 * match @ moved.T
        else:
            attention.k_proj.weight[rows] = gain * match
        path = torch.linalg.qr(torch.randn(WIDTH, HEAD))[0]
        attention.v_proj.weight[rows] = path.T
        attention.o_proj.weight[:, rows] = path * (1.0 if head < 2 else 0.5)


@torch.no_grad()
def initialize_tower(tower: nn.Module) -> None:
    """Set the matrices of a vision tower from torch's current random state; the library's 0.02 is too small here."""
    for name, weight in tower.named_parameters():
        if weight.dim() > 1:
            scale = 0.5 if "proj" in name and "patch" not in name else 1.0
            nn.init.normal_(weight, 0.0, scale / math.sqrt(weight[0].numel()))
