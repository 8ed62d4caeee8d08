"""The random numbers that strokes begin from, of one or two sides."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.stereo_image import correlated_sides
from ghostnote.bridge.inference.model_card import Card
from ghostnote.bridge.inference.reference import ResidualHead

Audio = NDArray[np.float32]

_STREAM: Final = 1
"""Of a seed's numbers; other streams decide other things."""


def draw_noise(card: Card, head: ResidualHead, indices: Sequence[int], seed: int, width: float) -> tuple[Audio, Audio]:
    """Return noise (rows, bands, frames) and latents (rows, size), a row for each side of each stroke.

    The sides' noise correlates as the sides of `head` do, band by band, less the width; their latents are the same
    but for the width.
    """
    sides = len(head.audio)
    noise = np.empty((len(indices), sides, card.bands, card.mdct_frames), np.float32)
    latents = np.empty((len(indices), sides, card.latent_size), np.float32)
    for index, stroke_noise, latent in zip(indices, noise, latents, strict=True):
        rng = np.random.default_rng([_STREAM, seed, index])
        rng.standard_normal(dtype=np.float32, out=stroke_noise)
        rng.standard_normal(dtype=np.float32, out=latent)
    if head.correlation is not None:
        together = 1 - width
        correlation = (head.correlation * np.float32(together))[:, None]
        for stroke_noise, latent in zip(noise, latents, strict=True):
            stroke_noise[:] = correlated_sides(stroke_noise, correlation)
            latent[:] = correlated_sides(latent, np.float32(together))
    return noise.reshape(-1, card.bands, card.mdct_frames), latents.reshape(-1, card.latent_size)
