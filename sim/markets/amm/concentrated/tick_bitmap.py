"""Which ticks are initialised: one bit per usable tick, 256 to a word (Uniswap V3 core 1.0.1, `TickBitmap`).

A swap looks no further than one word at a time. Where the word ends without an initialised tick the step ends as
well, and its amounts are rounded there: the words are part of the arithmetic, not only an index.
"""

from __future__ import annotations


def position_of(tick: int, tick_spacing: int) -> tuple[int, int]:
    """(word, bit) of a usable tick."""
    compressed = tick // tick_spacing
    return compressed >> 8, compressed & 255


def next_initialized_tick(words: dict[int, int], tick: int, tick_spacing: int, downwards: bool) -> tuple[int, bool]:
    """The next initialised tick in the word of `tick`, or the word's last tick: (tick, whether initialised).

    Downwards the tick itself counts, upwards the search starts one usable tick above it.
    """
    compressed = tick // tick_spacing
    if downwards:
        bit = compressed & 255
        word = words.get(compressed >> 8)
        if word:
            below = word & ((2 << bit) - 1)
            if below:
                return (compressed - bit + below.bit_length() - 1) * tick_spacing, True
        return (compressed - bit) * tick_spacing, False
    compressed += 1
    bit = compressed & 255
    word = words.get(compressed >> 8)
    if word:
        above = word >> bit
        if above:
            return (compressed + (above & -above).bit_length() - 1) * tick_spacing, True
    return (compressed + 255 - bit) * tick_spacing, False


def past_empty_words(
    words: dict[int, int], tick_next: int, tick_spacing: int, downwards: bool, tick_of_limit: int
) -> int:
    """From the last tick of a word, the last tick before the next word with an initialised tick.

    Contracts walk there word by word. Without liquidity no step on the way moves an amount, so one step does. It goes
    no further than the end of the limit's own word: a swap that ends exactly there has stepped over that tick.
    """
    here, stop = tick_next // tick_spacing >> 8, tick_of_limit // tick_spacing >> 8
    if downwards:
        last = max((word + 1 for word, bits in words.items() if bits and word < here), default=stop)
        return min(max(last, stop), here) * 256 * tick_spacing
    last = min((word - 1 for word, bits in words.items() if bits and word > here), default=stop)
    return (max(min(last, stop), here) * 256 + 255) * tick_spacing
