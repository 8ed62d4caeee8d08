import numpy as np
import pytest
from typer.testing import CliRunner

from ghostnote.bridge.cli.app import app
from ghostnote.bridge.dsp.shape import BANDS, GROUPS
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.audio_file import read_audio, write_audio
from ghostnote.bridge.tools.band_gain import with_band_gain
from ghostnote.bridge.tools.hit_parts import HitParts, power_of, whole_frames
from ghostnote.bridge.tools.target_drum import TargetDrum, draw_drum, target_drum
from ghostnote.bridge.tools.toward import Move, moved, transposed
from ghostnote.bridge.tools.transfer import TransferSettings, target_of, transfer, transfer_move

RATE = 44_100


def transferred(generator, hit, rate, name, strength=0.8, **settings) -> np.ndarray:
    return transfer(hit, rate, TransferSettings(name, strength=strength, **settings), generator)


def knock(hz: float = 90.0, seconds: float = 0.5, channels: int = 1) -> np.ndarray:
    """Return a tone with noise around its attack, after some silence."""
    rng, at = np.random.default_rng(0), np.arange(round(seconds * RATE)) / RATE
    tone = 0.5 * np.sin(2 * np.pi * hz * at) * np.exp(-at / 0.06)
    noise = 0.1 * rng.standard_normal((channels, len(at))) * np.exp(-at / 0.03)
    return np.pad((tone + noise).astype(np.float32), ((0, 0), (300, 0)))


def spectrum_hz(audio: np.ndarray) -> float:
    level = np.abs(np.fft.rfft(audio[0] * np.hanning(audio.shape[1]), 1 << 17))
    return float(level.argmax()) * RATE / (1 << 17)


def test_gains_of_cells_are_gains_of_their_power():
    noise = (0.1 * np.random.default_rng(1).standard_normal((2, 64 * 256))).astype(np.float32)
    gain_db = np.zeros((GROUPS, 64))
    gain_db[:8] = -20.0
    changed = power_of(with_band_gain(noise, gain_db), 64).sum(axis=1) / power_of(noise, 64).sum(axis=1)
    np.testing.assert_allclose(10 * np.log10(changed)[1:6], -20, atol=0.7)
    np.testing.assert_allclose(10 * np.log10(changed)[10:], 0, atol=0.3)
    np.testing.assert_allclose(with_band_gain(noise, np.zeros((GROUPS, 64))), noise, atol=1e-6)


def test_silence_before_an_attack_stays_silent():
    hit = np.zeros((1, 32 * 256), np.float32)
    hit[:, 2048:] = 0.3
    assert np.abs(with_band_gain(hit, np.full((GROUPS, 32), 12.0))[:, : 2048 - 512]).max() == 0


def test_parts_of_a_hit_add_up_to_it():
    hit = knock(channels=2)
    parts = HitParts.of(hit)
    whole = parts.partials + parts.residual
    scale = np.abs(hit).max() / np.abs(whole).max()
    np.testing.assert_allclose(np.concatenate([parts.lead, whole * scale], axis=1), hit, atol=1e-5)
    frames = whole_frames(parts.partials)
    assert (power_of(parts.partials, frames) + power_of(parts.residual, frames)).sum(axis=0).max() == pytest.approx(1)
    assert parts.hz == pytest.approx(90, abs=3)


def test_silence_is_no_hit():
    with pytest.raises(InputError, match="silent"):
        HitParts.of(np.zeros((1, 1000), np.float32))


def test_a_transposed_tone_is_an_octave_higher_and_half_as_long():
    tone = knock(200.0)
    higher = transposed(tone, 1.0)
    assert spectrum_hz(higher) == pytest.approx(2 * spectrum_hz(tone), rel=0.01)
    assert higher.shape[1] == pytest.approx(tone.shape[1] / 2, abs=2)


def test_nothing_moved_is_the_hit(tiny_generator):
    hit = knock()
    drum = target_drum(tiny_generator, 1, None, np.random.default_rng(0))
    same = moved(tiny_generator, HitParts.of(hit), drum, Move(0, 0, 0, 0, 0), np.random.default_rng(0))
    # But for its end, which fades where it is inaudible.
    np.testing.assert_allclose(same[:, :15_000], hit[:, :15_000], atol=1e-4)
    np.testing.assert_array_equal(transferred(tiny_generator, hit, RATE, "snare", 0.0), hit)


@pytest.mark.parametrize(("channels", "rate"), [(1, 44_100), (2, 48_000)])
def test_a_transfer_keeps_channels_rate_level_and_onset(tiny_generator, channels: int, rate: int):
    hit = knock(channels=channels)
    made = transferred(tiny_generator, hit, rate, "snare", 0.8, steps=1)
    assert made.shape[0] == channels
    assert np.abs(made).max() == pytest.approx(np.abs(hit).max(), rel=0.2)
    assert np.abs(made[:, :200]).max() < 1e-3
    np.testing.assert_array_equal(made, transferred(tiny_generator, hit, rate, "snare", 0.8, steps=1))
    assert not np.array_equal(made, transferred(tiny_generator, hit, rate, "snare", 0.8, steps=1, seed=1))


@pytest.mark.parametrize("right", [0.0, 0.1])
def test_a_hit_at_one_side_stays_there(tiny_generator, right: float):
    hit = knock() * np.array([[1.0], [right]], np.float32)
    for strength in (0.2, 0.8):
        left_rms, right_rms = np.sqrt(np.square(transferred(tiny_generator, hit, RATE, "snare", strength)).mean(axis=1))
        assert right_rms / left_rms == pytest.approx(right, abs=0.02)


def test_pitch_goes_to_the_other_drum_unless_it_is_kept(tiny_generator):
    hit = knock(90.0)
    cowbell = {"kind": "cowbell", "steps": 1}
    assert spectrum_hz(transferred(tiny_generator, hit, RATE, "perc", 1.0, **cowbell)) > 400
    kept = transferred(tiny_generator, hit, RATE, "perc", 0.5, keep=("pitch",), **cowbell)
    assert spectrum_hz(kept) == pytest.approx(90, abs=5)


def test_a_kept_envelope_stays_nearer(tiny_generator):
    hit = knock(90.0, 0.74)

    def level(audio: np.ndarray) -> np.ndarray:
        return np.sqrt(power_of(audio, 128).sum(axis=0))

    whole, kept = (
        np.corrcoef(level(hit), level(transferred(tiny_generator, hit, RATE, "ride", 1.0, keep=keep, steps=1)))[0, 1]
        for keep in ((), ("envelope",))
    )
    assert kept > 0.9
    assert kept > whole


@pytest.mark.parametrize("hz", [150.0, 700.0, 7000.0])
@pytest.mark.parametrize("seed", range(3))
def test_with_pitch_and_envelope_kept_no_moment_is_louder_or_softer(tiny_generator, hz: float, seed: int):
    hit, at = knock(170.0, 0.74), np.arange(32_768) / RATE
    rng = np.random.default_rng(seed)
    phases = 2 * np.pi * hz * np.array([[1.0], [1.4], [1.7]]) * at + rng.uniform(0, 6, (3, 1))
    ringing = np.array([1, 0.4, 0.3]) @ np.sin(phases)
    partials = (0.4 * ringing * np.exp(-at / 0.2)).astype(np.float32)
    drum = TargetDrum(4, partials, np.full((GROUPS, 128), 1e-3), np.full(BANDS, 0.3), hz)
    move = transfer_move(0.8, ("pitch", "envelope"))
    made = moved(tiny_generator, HitParts.of(hit), drum, move, rng, steps=0)
    source, result = (
        10 * np.log10(power_of(one, 132)[:, :132].sum(axis=0).reshape(-1, 4).mean(axis=1) + 1e-9) for one in (hit, made)
    )
    audible = source > source.max() - 50
    np.testing.assert_allclose((result - result.max())[audible], (source - source.max())[audible], atol=5)
    assert (result - result.max())[~audible].max() < -40
    assert spectrum_hz(made) == pytest.approx(170, abs=5)


def test_a_drawn_drum_decays_most_like_the_hit(tiny_generator):
    rng = np.random.default_rng(0)
    assert draw_drum(tiny_generator, 2, rng) is None
    with pytest.raises(InputError, match="no brush_snare"):
        draw_drum(tiny_generator, 1, rng, kind="brush_snare")
    long = draw_drum(tiny_generator, 10, rng, t60=np.full(9, 2.0))
    short = draw_drum(tiny_generator, 10, np.random.default_rng(0), t60=np.full(9, 0.05))
    assert long.t60.sum() >= short.t60.sum()


def test_names_of_targets():
    assert target_of("Closed Hat") == ("closed_hat", None)
    assert target_of("cowbell") == ("perc", "cowbell")
    with pytest.raises(InputError, match="choose closed_hat or open_hat"):
        target_of("hihat")


def test_wrong_numbers_and_parts_are_named(tiny_generator):
    with pytest.raises(InputError, match=r"strength is 1\.5: choose 0"):
        transferred(tiny_generator, knock(), RATE, "snare", 1.5)
    with pytest.raises(InputError, match="'tone' cannot be kept in a transfer: choose pitch or envelope"):
        transferred(tiny_generator, knock(), RATE, "snare", keep=("tone",))


def test_a_move_grows_with_strength():
    moves = [transfer_move(strength) for strength in (0, 0.25, 0.5, 0.75, 1)]
    assert moves[0].is_none
    assert [move.body for move in moves] == sorted(move.body for move in moves)
    assert moves[-1] == Move(1, 1, 1, 1, 1)
    assert transfer_move(0.7, ("pitch", "envelope")).pitch == transfer_move(0.7, ("pitch", "envelope")).level == 0


def test_the_command_makes_several_of_a_file(tiny_onnx, tmp_path):
    source = tmp_path / "knock.wav"
    write_audio(source, knock(channels=2), 48_000)
    options = ("--steps", 1, "--model", tiny_onnx, "-o", tmp_path / "out")
    done = CliRunner().invoke(app, [str(a) for a in ("transfer", source, "--to", "cowbell", "-n", 2, *options)])
    assert done.exit_code == 0, done.output
    written = sorted((tmp_path / "out").iterdir())
    assert [path.name for path in written] == ["knock-1.wav", "knock-2.wav"]
    first, second = (read_audio(path) for path in written)
    assert (len(first[0]), first[1]) == (2, 48_000)
    assert first[0].shape != second[0].shape or not np.array_equal(first[0], second[0])
    same = (
        "transfer",
        source,
        "--to",
        "cowbell",
        "-n",
        3,
        "--strength",
        0,
        "--model",
        tiny_onnx,
        "-o",
        tmp_path / "same",
    )
    done = CliRunner().invoke(app, [str(a) for a in same])
    assert "1 of 3: at strength 0 all would be the hit itself" in done.output
    assert len(list((tmp_path / "same").iterdir())) == 1
    failed = CliRunner().invoke(app, ["transfer", str(source), "--to", "snare", "--keep", "tone"])
    assert "'tone' cannot be kept" in str(failed.exception)
