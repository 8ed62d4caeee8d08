import gc
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from live_fakes import Noise, until
from plugin_rig import SILENT_DB, bounce, difference_db, home, load, rendered

from ghostnote.bridge.live.layers import LAYER_VELOCITIES
from ghostnote.bridge.plugin import layout
from ghostnote.bridge.render.mixer import pad_gains

KICK, SNARE, HAT, OPEN = 36, 38, 42, 46
SONG = [
    (100, (0x99, KICK, 100)),
    (4_801, (0x99, SNARE, 57)),
    (4_801, (0x99, HAT, 30)),
    (9_000, (0x99, OPEN, 127)),
    (9_700, (0x99, HAT, 80)),
    (10_000, (0x99, KICK, 1)),
    (10_900, (0x99, OPEN, 99)),
    (12_000, (0x99, OPEN, 90)),
    (14_000, (0x99, OPEN, 91)),
    (14_500, (0xA9, OPEN, 64)),
    (15_000, (0x99, SNARE, 64)),
    (15_001, (0x99, SNARE, 63)),
    (16_000, (0x99, KICK, 120)),
]
FRAMES = 20_000


@pytest.fixture(scope="module")
def vst3(bundles):
    return bundles / "ghostnote.vst3"


@pytest.fixture(scope="module")
def user(tmp_path_factory):
    """Return a user's folders that the tests share which leave them as they are."""
    with pytest.MonkeyPatch.context() as patch, _home(tmp_path_factory.mktemp("user"), patch) as made:
        yield made


@pytest.fixture(scope="module")
def plugin(vst3, user):
    return load(vst3)


@pytest.fixture
def newcomer(tmp_path, monkeypatch):
    """Return another user's folders, where no daemon runs."""
    with _home(tmp_path, monkeypatch) as made:
        yield made


@contextmanager
def _home(folder, patch):
    patch.setenv("XDG_RUNTIME_DIR", str(folder))
    patch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    with home(folder) as made:
        yield made


def played_live(plugin, note, velocity=100, frames=4_000):
    """Return what a host in real time hears of a note."""
    plugin.bounce = "never wait"
    try:
        return bounce(plugin, [(0, (0x99, note, velocity))], frames, 128, reset=False)
    finally:
        plugin.bounce = "as the host says"


def test_the_plugin_is_an_instrument_whose_parameters_are_few(plugin, user):
    names = list(plugin.parameters)
    assert plugin.is_instrument
    assert len(names) == 3 + 4 + 16 * 7
    assert names[:4] == ["midi_pedal", "midi_sound_off", "midi_pressure", "kit"]
    assert names[4:8] == ["seed", "bounce", "status", "pad_1_gain_db"]


@pytest.mark.parametrize("block", [64, 1_000, 44_100])
def test_a_bounce_is_the_render_of_the_same_notes_to_the_frame_at_any_block(plugin, user, block):
    bounced = bounce(plugin, SONG, FRAMES, block)
    assert difference_db(bounced, rendered(user.kit, SONG, FRAMES, block)) < SILENT_DB
    assert np.flatnonzero(bounced[0])[0] == 100
    assert np.array_equal(bounce(plugin, SONG, FRAMES, block), bounced)


def test_the_pedal_plays_closed_hats_and_sound_off_fades_all_from_the_block_on_that_the_host_puts_them_in(plugin, user):
    pedal = [(11_000, (0xB9, 4, 127)), (12_100, (0x99, OPEN, 90)), (13_000, (0xB9, 4, 0)), (13_100, (0x99, OPEN, 80))]
    song = [(9_000, (0x99, OPEN, 127)), *pedal, (13_900, (0x99, KICK, 90)), (14_000, (0xB9, 120, 0))]
    bounced = bounce(plugin, song, FRAMES, 1_000)
    assert difference_db(bounced, rendered(user.kit, song, FRAMES, 1_000)) < SILENT_DB


def test_a_bounce_of_more_notes_than_voices_steals_what_the_render_steals(plugin, user):
    song = [(n * 40, (0x99, (KICK, SNARE, OPEN)[n % 3], 20 + n % 100)) for n in range(300)]
    bounced = bounce(plugin, song, FRAMES)
    assert difference_db(bounced, rendered(user.kit, song, FRAMES)) < SILENT_DB


@pytest.mark.parametrize("block", [64, 8_192])
def test_notes_of_a_drum_at_one_instant_are_one_stroke_also_where_a_block_parts_them(plugin, user, block):
    doubles = [(100, (0x99, 35, 30)), (100, (0x99, KICK, 90)), (140, (0x99, KICK, 60)), (200, (0x99, KICK, 100))]
    song = [*doubles, (292, (0x99, KICK, 127)), (293, (0x99, KICK, 20)), (400, (0x99, SNARE, 90))]
    bounced = bounce(plugin, song, FRAMES, block)
    assert difference_db(bounced, rendered(user.kit, song, FRAMES, block)) < SILENT_DB


def test_knobs_change_what_is_played_and_a_muted_pad_is_silent(plugin, user):
    song = [(0, (0x99, SNARE, 100))]
    plain = bounce(plugin, song, FRAMES)
    plugin.pad_2_gain_db = -6.0
    # The host counts a knob's way in a thousand steps.
    assert difference_db(bounce(plugin, song, FRAMES), plain * 10 ** (-6 / 20)) < -70
    plugin.pad_2_gain_db = 0.0
    plugin.pad_2_pan = -1.0
    left = pad_gains(user.kit.pads[1])[0, 0] / np.cos(0.75 * np.pi / 2) * np.cos(0.25 * np.pi / 2)
    assert (
        difference_db(bounce(plugin, song, FRAMES)[0], plain[0] / pad_gains(user.kit.pads[1])[0, 0] * left) < SILENT_DB
    )
    plugin.pad_2_mute = True
    assert not bounce(plugin, song, FRAMES).any()
    plugin.pad_2_mute, plugin.pad_2_pan = False, 0.0


def played_and_counted(plugin, user, note):
    """Return what a host in real time hears of a note, and whether it was a stroke that nobody had played."""
    before = user.counts()
    played = played_live(plugin, note).tobytes()
    until(lambda: user.counts().total() > before.total())
    return played, user.counts()["fresh"] > before["fresh"]


def test_in_real_time_strokes_of_the_pool_are_played_each_once(plugin, user):
    until(lambda: played_live(plugin, KICK).any())
    until(lambda: user.plugins()[0]["strokes_ready"] >= 4 * layout.LAYERS)
    fresh = []
    # A busy machine may be slower to fill the pool than this is to empty it.
    while len(fresh) < 30:
        played, is_fresh = played_and_counted(plugin, user, KICK)
        fresh += [played] * is_fresh
    assert len(set(fresh)) == 30
    kick = user.kit.pads[0]
    made = [(velocity, Noise().stroke(kick, i, velocity)) for velocity in LAYER_VELOCITIES for i in range(120)]
    pool = [stroke * np.float32((100 / velocity) ** 2) for velocity, stroke in made]
    first = np.frombuffer(fresh[0], np.float32).reshape(2, -1)[:, :2_000]
    assert min(difference_db(first, stroke) for stroke in pool) < SILENT_DB


def test_the_pool_plays_on_when_the_daemon_is_killed_and_it_comes_back(vst3, newcomer, capfd):
    plugin = load(vst3)
    until(lambda: played_live(plugin, KICK).any())
    until(lambda: newcomer.plugins()[0]["strokes_ready"] >= 4 * layout.LAYERS)
    first = newcomer.process()
    newcomer.kill()
    for _ in range(60):
        assert played_live(plugin, KICK).any()
    until(newcomer.plugins)
    assert newcomer.process() != first
    until(lambda: played_live(plugin, SNARE).any() and newcomer.plugins()[0].get("fresh"))
    assert capfd.readouterr().err.count("the daemon has ended; the strokes that are there play on") == 1


def test_a_bounce_goes_on_without_a_gap_when_the_daemon_is_killed(plugin, user):
    whole = bounce(plugin, SONG, FRAMES)
    assert whole.any()
    user.kill()
    assert np.array_equal(bounce(plugin, SONG, FRAMES), whole)


def test_a_daemon_outlives_a_host_that_is_killed_and_lets_its_memory_go(vst3, plugin, user):
    script = f"import sys; sys.path[:0] = {sys.path!r}\nfrom plugin_rig import load\nplugin = load({str(vst3)!r})\n"
    script += "print(1, flush=True)\ninput()"
    gc.collect()
    until(user.plugins)
    before, memories = len(user.plugins()), memories_of(user.process())
    with subprocess.Popen([sys.executable, "-c", script], stdin=-1, stdout=-1, stderr=-3) as host:
        assert host.stdout.readline() == b"1\n"
        until(lambda: len(user.plugins()) == before + 1)
        host.kill()
    until(lambda: len(user.plugins()) == before)
    process = user.process()
    until(lambda: memories_of(process) == memories)
    assert bounce(plugin, SONG, FRAMES).any()
    assert user.process() == process


def memories_of(process):
    files = (file for file in Path(f"/proc/{process}/fd").iterdir() if file.is_symlink())
    return sum("memfd" in str(file.readlink()) for file in files)


def test_a_session_opens_as_it_was_left_even_if_its_kit_was_changed_meanwhile(vst3, user):
    plugin = load(vst3)
    plugin.pad_1_gain_db = -3.0
    plugin.seed = 7
    before = bounce(plugin, SONG, FRAMES)
    state = plugin.raw_state
    kit = (user.kits / "a.toml").read_text()
    (user.kits / "a.toml").write_text((user.kits / "b.toml").read_text())
    again = load(vst3, kit=0)
    again.raw_state = state
    assert (again.kit, again.seed) == (3, 7)
    assert np.array_equal(bounce(again, SONG, FRAMES), before)
    (user.kits / "a.toml").write_text(kit)


def test_two_plugins_share_a_daemon_with_a_kit_each(vst3, user):
    first, second = load(vst3, kit=3), load(vst3, kit=4)
    one, other = bounce(first, SONG, FRAMES), bounce(second, SONG, FRAMES)
    assert not np.array_equal(one, other)
    assert np.array_equal(bounce(first, SONG, FRAMES), one)
    assert len({first, second}) == 2
    assert {each["kit"] for each in user.plugins()} == {"test"}


def test_another_version_of_the_daemon_is_one_clear_message_and_silence(vst3, newcomer, capfd):
    newcomer.command("99")
    plugin = load(vst3)
    began = time.monotonic()
    assert not bounce(plugin, SONG, FRAMES).any()
    assert time.monotonic() - began < 15
    lines = [line for line in capfd.readouterr().err.splitlines() if "the plugin is of ghostnote" in line]
    assert len(set(lines)) == 1
    assert "run 'ghostnote plugin install', close all hosts and open the session again" in lines[0]


def test_a_kit_that_cannot_be_read_is_said_and_another_plays(vst3, user, capfd):
    plugin = load(vst3, kit=99)
    assert not bounce(plugin, SONG, FRAMES).any()
    assert "kit 99: there are 0 to 4; put kit files into" in capfd.readouterr().err
    plugin.kit = 3
    assert bounce(plugin, SONG, FRAMES).any()


def test_the_two_sides_agree_on_the_memory(tmp_path):
    if shutil.which("g++") is None:
        pytest.skip("g++ is missing")
    from ghostnote.bridge.plugin.build import SOURCES

    fields = {"Memory": layout.MEMORY}
    for name, parent, field in (("Ask", "Memory", "asks"), ("Slot", "Memory", "slots"), ("Pad", "Memory", "pads")):
        fields[name] = fields[parent].fields[field][0].base
    fields["Queue"] = fields["Pad"].fields["queues"][0].base
    camel = {name: _camel(name) for kind in fields.values() for name in kind.names}
    lines = [
        f'printf("{kind} {name} %zu\\n", offsetof({kind}, {camel[name]}));'
        for kind, dtype in fields.items()
        for name in dtype.names
    ]
    lines += [f'printf("{kind} size %zu\\n", sizeof({kind}));' for kind in fields]
    source = '#include <cstddef>\n#include <cstdio>\n#include "memory.hpp"\nusing namespace ghostnote;\nint main() {'
    (tmp_path / "offsets.cpp").write_text(source + "\n".join(lines) + "}")
    command = ["g++", "-std=c++17", "-Wno-invalid-offsetof", f"-I{SOURCES}", "offsets.cpp", "-o", "offsets"]
    subprocess.run(command, cwd=tmp_path, check=True)
    found = subprocess.run([tmp_path / "offsets"], capture_output=True, text=True, check=True).stdout.split("\n")
    expected = [f"{kind} {name} {dtype.fields[name][1]}" for kind, dtype in fields.items() for name in dtype.names]
    assert found[:-1] == expected + [f"{kind} size {dtype.itemsize}" for kind, dtype in fields.items()]


def _camel(name):
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)
