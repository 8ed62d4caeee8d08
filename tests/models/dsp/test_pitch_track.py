import pytest
import torch

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.models.dsp.decomposition import (
    ENVELOPE_FRAMES,
    FLOOR,
    GROUPS,
    SEGMENTS,
    combine,
    envelope,
    scale,
    to_bands,
)
from ghostnote.models.dsp.mdct import BANDS, HIT_FRAMES, MDCT_FRAMES, RATE, analyse, synthesise
from ghostnote.models.dsp.pitch_track import (
    LEAK_BANDS,
    TONE_BANDS,
    TONE_ROWS,
    UNIT_HZ,
    clarify_tone,
    measure_tone,
    tone_of,
)
from ghostnote.models.nets.cascade import measure_shape, predictor_of

SECONDS = torch.arange(HIT_FRAMES) / RATE


def tone(hz, decay=6.0, phase=0.7):
    """Return a decaying tone (1, HIT_FRAMES) whose rate is `hz`, a number or (HIT_FRAMES,)."""
    turns = torch.as_tensor(hz).expand(HIT_FRAMES).double().cumsum(0) / RATE
    return ((2 * torch.pi * turns + phase).sin() * (-decay * SECONDS).exp()).float()[None]


def measured(x):
    y = analyse(x)
    return measure_tone(x, y / scale(envelope(y)))


@pytest.mark.parametrize("hz", [45.0, 90.0, 210.0, 480.0])
def test_a_tone_has_its_pitch(hz):
    rows = measured(tone(hz))
    assert rows.shape == (1, TONE_ROWS, ENVELOPE_FRAMES)
    found_hz = UNIT_HZ * 2 ** rows[0, 0, 2:60]
    assert torch.allclose(found_hz, torch.full_like(found_hz, hz), rtol=0.03)


def test_a_glide_is_followed():
    hz = 60 + 120 * (-SECONDS * 30).exp()
    found_hz = UNIT_HZ * 2 ** measured(tone(hz))[0, 0]
    for step in (4, 8, 16, 40):
        assert found_hz[step] == pytest.approx(float(hz[256 * step + 256]), rel=0.06)


def test_a_drum_that_has_died_away_keeps_the_pitch_it_had_into_the_hiss():
    generator = torch.Generator().manual_seed(0)
    hiss = 1e-5 * torch.randn(1, HIT_FRAMES, generator=generator)
    found_hz = UNIT_HZ * 2 ** measured(tone(80.0, decay=40.0) + hiss)[0, 0]
    assert torch.all((found_hz[:20] - 80).abs() < 8)


@pytest.mark.parametrize("phase", [0.0, 1.5, -2.0])
def test_a_tone_explains_its_body(phase):
    x = tone(70.0, phase=phase)
    y = analyse(x)
    found, share = tone_of(measured(x), scale(envelope(y)))
    assert found.shape == (1, LEAK_BANDS, MDCT_FRAMES)
    body, follows = y[0, 0, 4:200], (share * found[:, : share.shape[1]])[0, 0, 4:200]
    assert (body - follows).square().mean() < 0.1 * body.square().mean()
    assert share[0, 0, 4:200].min() > 0.9


@pytest.mark.parametrize("hz", [60.0, 150.0, 240.0])
def test_a_predicted_tone_rings_alone(hz):
    x = tone(hz, phase=1.0)
    s = scale(envelope(analyse(x)))
    shape = clarify_tone(measure_shape(x, analyse(x)), torch.tensor([CLASS_NAMES.index("kick")]))
    nothing = torch.zeros(1, GROUPS, SEGMENTS)
    r, rho = predictor_of(torch.zeros_like(s), shape, nothing, torch.zeros(1))
    u = torch.randn(s.shape, generator=torch.Generator().manual_seed(0))

    def beside_db(rho):
        sound = synthesise(combine(u, r, s, to_bands(rho)))[0, 2048:]
        power = torch.fft.rfft(sound * torch.hann_window(len(sound))).abs().square()
        frequency = torch.fft.rfftfreq(len(sound), 1 / RATE)
        beside = (frequency > 2 * hz + 100) & (frequency < 2500)
        return float(10 * (power[beside].sum() / power.sum()).log10())

    only_where_held = torch.cat([rho[:, :TONE_BANDS], torch.zeros_like(rho[:, TONE_BANDS:])], dim=1)
    assert beside_db(rho) < min(-28, beside_db(only_where_held) - 6)


def test_a_tone_explains_little_of_noise():
    generator = torch.Generator().manual_seed(0)
    noise = 0.1 * torch.randn(4, HIT_FRAMES, generator=generator) * (-6 * SECONDS).exp()
    assert measured(noise)[:, 3:].mean() < 0.6


def test_a_hit_and_its_reverse_polarity_differ_by_half_a_turn():
    rows, reversed_rows = measured(tone(100.0)), measured(-tone(100.0))
    assert torch.allclose(rows[:, 0], reversed_rows[:, 0])
    assert torch.allclose(rows[:, 1:3], -reversed_rows[:, 1:3], atol=1e-4)


def test_silence_has_a_finite_tone():
    rows = measured(torch.zeros(2, HIT_FRAMES))
    assert torch.isfinite(rows).all()
    assert all(torch.isfinite(part).all() for part in tone_of(rows, torch.full((2, BANDS, MDCT_FRAMES), FLOOR)))
