"""How many requests an endpoint is given at once: as many as it answers without refusing or slowing down.

The rule is additive increase, multiplicative decrease (Chiu and Jain, 1989; TCP's), with the latency gradient of Envoy's
adaptive concurrency filter and Netflix's concurrency-limits (Gradient2) in place of TCP's fixed step:

- *Start.* One more for each answer (TCP's slow start: a doubling a round) until something says "enough".
- *Growth.* A round is as many answers as the limit. After each, ``limit = limit * gradient + sqrt(limit)``, where
  ``gradient = tolerance * lowest latency / this round's latency``, within [0.5, 1]. While latency holds the limit grows by
  its square root; once latency passes ``tolerance`` times the lowest, it settles. It never grows while it is not used up.
- *Halving.* A refusal (429, 503) or a timeout halves it, once for all requests that were under way by then: those
  were sent by the old limit, and a storm of refusals is one message.

Latency is seconds per new token over the round, since answers differ in length by far more than servers do in speed. It rises
in any server that batches, long before throughput stops doing so; hence a tolerance well above the 1.5 of interactive services.
"""

import math

FIRST_LIMIT = 16
_OWN_LATENCY_LIMIT = 4
_LEAST_GRADIENT = 0.5


class AdaptiveLimit:
    """The limit of one endpoint; pure bookkeeping without a clock.

    Args:
        most: never more than this.
        tolerance: latency may rise to this multiple of the lowest before growth ends; >= 1.
        first: where it starts.
    """

    def __init__(self, most: int, tolerance: float, first: int = FIRST_LIMIT) -> None:
        self._most, self._tolerance = most, tolerance
        self._value = float(min(first, most))
        self._starting = True
        self._lowest = math.inf
        self.epoch = 0
        self._begin_round()

    @property
    def value(self) -> int:
        """Requests that may be under way; at least 1."""
        return int(self._value)

    def completed(self, epoch: int, seconds: float, tokens: int, used_up: bool) -> None:
        """Count an answer.

        Args:
            epoch: :attr:`epoch` when the request was sent; of an earlier one it says nothing about the present limit.
            seconds: from sending to answer.
            tokens: written; 0 where the server does not say.
            used_up: whether as many requests were under way as the limit allows.
        """
        if epoch != self.epoch:
            return
        self._seconds += seconds
        self._tokens += tokens or 1
        self._answers += 1
        self._used_up = self._used_up or used_up
        if self._starting and used_up:
            self._value = min(self._most, self._value + 1)
        if self._answers >= self._round:
            self._end_round()

    def refused(self, epoch: int) -> bool:
        """Halve, unless this was done already after the request was sent; whether it was done now."""
        if epoch != self.epoch:
            return False
        self._value = max(1.0, self._value / 2)
        self._starting = False
        self.epoch += 1
        self._begin_round()
        return True

    def restart(self) -> None:
        """The server was away: try it with one request, then grow as at the start."""
        self._value, self._starting, self._lowest = 1.0, True, math.inf
        self.epoch += 1
        self._begin_round()

    def forget_latency(self) -> None:
        """Other requests follow: what they take has nothing to do with what the last ones took. The limit stays."""
        self._lowest = math.inf
        self._begin_round()

    def _begin_round(self) -> None:
        self._round, self._answers, self._seconds, self._tokens, self._used_up = self.value, 0, 0.0, 0, False

    def _end_round(self) -> None:
        latency = self._seconds / self._tokens
        # with so few requests the latency is the server's own, whatever it was before (others may use it too)
        self._lowest = latency if self._round <= _OWN_LATENCY_LIMIT else min(self._lowest, latency)
        gradient = max(_LEAST_GRADIENT, min(1.0, self._tolerance * self._lowest / latency)) if latency > 0 else 1.0
        if gradient < 1.0:
            self._starting = False
        if not self._starting:
            grown = self._value * gradient + math.sqrt(self._value)
            self._value = max(1.0, min(self._most, grown if self._used_up else min(grown, self._value)))
        self._begin_round()
