import math

import pytest
import torch
from torch import Tensor

from ghostnote.models.dsp.lines import (
    BANDS_HZ,
    LACKS_DB,
    NO_LINE_DB,
    lacking_db,
    line_prominence,
    main_partial,
    partials,
    spurious_lines,
    surroundings_db,
)
from ghostnote.models.dsp.mdct import HIT_FRAMES, RATE

SECONDS = torch.arange(HIT_FRAMES) / RATE


def sine(hz: float, decay: float = 3.0, level_db: float = 0.0) -> Tensor:
    return (0.5 * 10 ** (level_db / 20) * torch.sin(2 * math.pi * hz * SECONDS) * torch.exp(-decay * SECONDS))[None]


def glide(low_hz: float, cents: float) -> Tensor:
    track = low_hz * 2 ** (cents / 1200 * torch.exp(-SECONDS / 0.05))
    return (0.5 * torch.sin(2 * math.pi * torch.cumsum(track, 0) / RATE) * torch.exp(-3 * SECONDS))[None]


def noise(hits: int, seed: int = 0, level_db: float = -20.0) -> Tensor:
    draws = torch.randn(hits, HIT_FRAMES, generator=torch.Generator().manual_seed(seed))
    return 0.5 * 10 ** (level_db / 20) * draws * torch.exp(-3 * SECONDS)


def clicks() -> Tensor:
    x = torch.zeros(1, HIT_FRAMES)
    x[:, 100::4000] = 0.5
    return x


def test_line_prominence_is_that_of_noise_for_noise_and_large_for_a_sine() -> None:
    # Power of noise is exponential: its 99th percentile lies 10·log10(ln 100 / ln 2) = 8.2 dB over its median.
    assert line_prominence(noise(40)).mean(0).tolist() == pytest.approx([8.2] * len(BANDS_HZ), abs=0.4)
    found = line_prominence(sine(464.0))[0]
    assert float(found[0]) > 60
    assert found[1:].isnan().all()


def test_line_prominence_tells_how_far_a_sine_stands_over_noise_and_not_how_loud_the_hit_is() -> None:
    mixed = [sine(1000.0, level_db=level) + noise(1) for level in (0.0, -10.0)]
    near, far = (float(line_prominence(x)[0, 1]) for x in mixed)
    assert near - far == pytest.approx(10, abs=1.5)
    assert torch.allclose(line_prominence(0.01 * mixed[0]), line_prominence(mixed[0]), atol=0.01)


@pytest.mark.parametrize("hz", [41.3, 56.0, 464.3, 3210.0])
def test_the_main_partial_of_a_sine_is_its_frequency(hz: float) -> None:
    for decay in (0.0, 3.0, 12.0):
        assert float(main_partial(sine(hz, decay) + noise(1, level_db=-50))) == pytest.approx(hz, abs=0.3)


def test_a_slope_below_the_lowest_line_is_not_a_main_partial() -> None:
    offset = 5 * torch.exp(-3 * SECONDS)[None]
    found = main_partial(offset + sine(2500.0, level_db=-30) + noise(1, level_db=-60))
    assert float(found) == pytest.approx(2500, abs=0.3)
    assert main_partial(offset + noise(1, level_db=-60)).isnan().all()


def test_noise_and_silence_have_no_main_partial() -> None:
    assert main_partial(torch.cat([noise(20), torch.zeros(1, HIT_FRAMES)])).isnan().all()


@pytest.mark.parametrize("level_db", [-20.0, -40.0, -55.0])
def test_a_line_that_the_reference_lacks_is_found_at_its_level(level_db: float) -> None:
    found = spurious_lines(sine(464.0), sine(464.0) + sine(225.0, level_db=level_db))
    assert float(found.level_db) == pytest.approx(level_db, abs=1)
    assert float(found.hz) == pytest.approx(225, abs=2)


@pytest.mark.parametrize(
    ("reference", "stroke"),
    [
        (sine(464.0), sine(464.0)),
        (sine(464.0), sine(467.0, 6.0, 6.0)),
        (sine(464.0) + sine(540.0), sine(464.0, level_db=-4.0) + sine(540.0, level_db=3.0)),
        (sine(464.0) + noise(1), sine(464.0) + noise(1, 1)),
        (glide(50.0, 1200.0), 0.7 * glide(50.0, 1180.0)),
        (clicks(), 0.5 * clicks()),
        (sine(464.0) + noise(1), 10 * sine(464.0) + 10 * noise(1)),
        (noise(40), noise(40, 1)),
    ],
    ids=["same", "louder, shorter, 3 Hz up", "two", "in noise", "glide", "clicks", "20 dB louder", "noise"],
)
def test_what_strokes_of_one_drum_differ_by_is_not_a_spurious_line(reference: Tensor, stroke: Tensor) -> None:
    found = spurious_lines(reference, stroke)
    assert float(found.level_db.max()) == NO_LINE_DB
    assert found.hz.isnan().all()


def test_a_wobble_adds_spurious_lines_beside_the_partial() -> None:
    wobble = 1 + 0.2 * torch.sin(2 * math.pi * 40 * SECONDS)
    # Amplitude modulation by m puts a line of m / 2 on each side.
    assert float(spurious_lines(sine(464.0), sine(464.0) * wobble).level_db) == pytest.approx(-20, abs=1)


def test_a_hit_that_has_decayed_before_its_body_has_no_lines_to_speak_of() -> None:
    short = torch.cat([sine(464.0) * (SECONDS < 0.02), torch.zeros(1, HIT_FRAMES)])
    assert line_prominence(short).isnan().all()
    assert spurious_lines(short, short).level_db.isnan().all()
    assert partials(short).number.isnan().all()


def test_steady_partials_are_counted_over_noise_and_noise_has_none() -> None:
    ring = sum((sine(200.0 + 313 * k, level_db=-10) for k in range(40)), torch.zeros(1))
    found = partials(torch.cat([ring + noise(1, level_db=-30), noise(20)]))
    assert float(found.number[0]) == 40
    assert float(found.persistence[0]) == 1
    assert float(found.number[1:].max()) <= 1


def test_partials_that_move_are_not_steady() -> None:
    early, late = SECONDS < 9692 / RATE, SECONDS >= 9692 / RATE
    moved = sine(400.0) * early + sine(450.0) * late + sine(900.0)
    found = partials(moved + noise(1, level_db=-40))
    assert float(found.number) == 1
    assert float(found.persistence) == pytest.approx(0.5)


def test_surroundings_are_the_median_of_the_bins_around() -> None:
    level = torch.arange(2000.0)[None].clone()
    level[0, 1000] = 500.0
    found = surroundings_db(level)
    assert found.shape == level.shape
    assert float((found - torch.arange(2000.0))[0, 120:-120].abs().max()) <= 13


def test_what_a_reference_lacks_is_measured_over_it_and_has_a_gradient() -> None:
    reference = noise(1)
    assert float(lacking_db(reference, noise(1, seed=1)).max()) < 3
    assert not lacking_db(reference + sine(220.0), noise(1, seed=1) + sine(220.0)).any()
    stroke = (noise(1, seed=1) + sine(220.0, level_db=-3.0)).requires_grad_()
    lacking = lacking_db(reference, stroke)
    louder = lacking_db(reference, noise(1, seed=1) + sine(220.0, level_db=7.0)).max() - lacking.detach().max()
    assert float(louder) == pytest.approx(10, abs=0.5)
    assert not lacking_db(reference, stroke, allowed_db=LACKS_DB + float(lacking.detach().max()) + 0.1).any()
    assert not lacking_db(reference, stroke, most_hz=200.0).any()
    lacking.sum().backward()
    # Less of the sine lacks less.
    assert float((stroke.grad * sine(220.0)).sum()) > 0
