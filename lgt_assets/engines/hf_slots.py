"""The key-value cache of a batch whose rows come and go: one slot a row, each written from column 0 at its own pace.

Rows are not padded on the left. Each starts at column 0 and masks what lies behind its end, so that a row's sums run over
the same columns in the same order whoever its neighbours are: with at least ``ROW_MULTIPLE`` rows in each product (idle
slots fill up), texts did not depend on the batch in a single bit on the CPUs this was measured on.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

ROW_MULTIPLE = 16
_COLUMN_MULTIPLE = 256


class SlotCache:
    """Keys and values by layer, (slots, heads, columns, head size); stands in for transformers' Cache while decoding.

    Args:
        slots: rows held at once; rounded up to ``ROW_MULTIPLE``.
    """

    is_compileable = False

    def __init__(self, slots: int) -> None:
        self.slots = -(-slots // ROW_MULTIPLE) * ROW_MULTIPLE
        self.columns = 0
        self._keys: list[torch.Tensor] = []
        self._values: list[torch.Tensor] = []
        self._rows: torch.Tensor | None = None
        self._positions: torch.Tensor | None = None
        self._length = 0

    def reserve(self, columns: int) -> None:
        """Make room for rows of ``columns`` tokens, keeping what is there."""
        import torch

        wanted = -(-columns // _COLUMN_MULTIPLE) * _COLUMN_MULTIPLE
        if wanted <= self.columns:
            return
        for buffers in (self._keys, self._values):
            for layer, old in enumerate(buffers):
                # zeros, not uninitialised memory: a masked NaN would still be a NaN
                new = torch.zeros((*old.shape[:2], wanted, old.shape[3]), dtype=old.dtype, device=old.device)
                new[:, :, : self.columns] = old
                buffers[layer] = new
        self.columns = wanted

    def fill(self, slot: int, prefill: list[tuple["torch.Tensor", "torch.Tensor"]]) -> None:
        """Write a prompt's keys and values, each (1, heads, tokens, head size), into a slot from column 0."""
        import torch

        if not self._keys:
            for keys, values in prefill:
                for buffers, states in ((self._keys, keys), (self._values, values)):
                    shape = (self.slots, states.shape[1], self.columns, states.shape[3])
                    buffers.append(torch.zeros(shape, dtype=states.dtype, device=states.device))
        tokens = prefill[0][0].shape[2]
        for layer, (keys, values) in enumerate(prefill):
            self._keys[layer][slot, :, :tokens] = keys[0]
            self._values[layer][slot, :, :tokens] = values[0]

    def move(self, source: int, target: int, tokens: int) -> None:
        """Copy the first ``tokens`` columns of one slot over another."""
        for buffers in (self._keys, self._values):
            for buffer in buffers:
                buffer[target, :, :tokens] = buffer[source, :, :tokens]

    def write_at(self, positions: "torch.Tensor", length: int) -> None:
        """Set where the next forward pass writes: ``positions`` (rows,) are columns, ``length`` columns are read."""
        import torch

        self._rows = torch.arange(len(positions), device=positions.device)
        self._positions = positions
        self._length = length

    def update(self, keys: "torch.Tensor", values: "torch.Tensor", layer: int, *_args: Any, **_kwargs: Any) -> tuple:
        """Called by each attention layer with (rows, heads, 1, head size); gives back all columns to attend to."""
        rows = len(keys)
        for buffer, states in ((self._keys[layer], keys), (self._values[layer], values)):
            buffer[self._rows, :, self._positions] = states[:, :, 0]
        return self._keys[layer][:rows, :, : self._length], self._values[layer][:rows, :, : self._length]

    def get_seq_length(self, _layer: int = 0) -> int:
        """Columns in use; transformers asks for it, our positions and masks do not depend on it."""
        return self._length
