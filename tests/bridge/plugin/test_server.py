import json
import os
import stat
from pathlib import Path

import numpy as np
import pytest
from live_fakes import KIT, FakeSpec, Noise, until
from plugin_client import PluginClient, RefusedError, saved, serving, status

from ghostnote.bridge.errors import GhostnoteError
from ghostnote.bridge.kit.kit import load_kit
from ghostnote.bridge.kit.save import save_kit
from ghostnote.bridge.live.layers import LAYER_VELOCITIES
from ghostnote.bridge.plugin import layout
from ghostnote.bridge.plugin.instance import Instance
from ghostnote.bridge.plugin.messages import REFUSED, receive
from ghostnote.bridge.plugin.pool import turned
from ghostnote.bridge.plugin.runtime import AlreadyRunsError, connect, listening, runtime_folder
from ghostnote.bridge.plugin.workshop import ServerSettings


@pytest.fixture(autouse=True)
def runtime(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.fixture
def kit(tmp_path):
    path = tmp_path / "kit.toml"
    save_kit(KIT, path)
    return path


@pytest.fixture
def server(tmp_path):
    with serving(ServerSettings(lambda _: FakeSpec(), tmp_path, 1)):
        yield


def test_every_pad_and_layer_of_a_plugin_gets_strokes_of_the_kit(server, kit):
    client = PluginClient(saved(kit))
    until(lambda: client.fields["ready"])
    pads = load_kit(kit).pads
    for row, velocity in enumerate(LAYER_VELOCITIES):
        until(lambda row=row: client.waiting(1, row))
        slot = client.take(1, row)
        assert client.fields["slots"][slot]["velocity"] == velocity
        made = [Noise().stroke(pads[1], index, velocity) for index in range(60)]
        assert any(np.array_equal(client.audio(slot), stroke) for stroke in made)
    client.close()


def test_what_a_plugin_takes_is_made_anew_and_what_it_frees_is_used_again(server, kit):
    client = PluginClient(saved(kit))
    seen = []
    for _ in range(200):
        slot = client.take(0, 4)
        seen.append(client.audio(slot).tobytes())
        client.played(0, 104, layout.FRESH)
        client.free(slot)
    assert len(set(seen)) == 200
    until(lambda: json.loads(status())["plugins"][0].get("fresh") == 200)
    assert client.fields["slots"]["offset"].max() < layout.DATA_OFFSET + 100 * 2**20
    client.close()


def test_a_bounce_gets_the_stroke_of_pad_index_velocity_and_knobs(server, kit):
    client = PluginClient(saved(kit))
    pads = load_kit(kit).pads
    assert np.array_equal(client.ask(1, 7, 99), Noise().stroke(pads[1], 7, 99))
    wide = turned(pads[0], (0.0, 1.0, 0.5, 0.25))
    assert (wide.amount, wide.width, wide.tune, wide.decay) == (0.5, 0.25, 0.0, 1.0)
    assert np.array_equal(client.ask(0, 0, 1, (0, 1, 0.5, 0.25)), Noise().stroke(wide, 0, 1))
    client.close()


def test_a_stroke_that_cannot_be_made_is_refused_and_the_next_is_made(server, kit):
    broken = kit.read_text().replace("Kick", "broken")
    client = PluginClient(f"3\nkit\n{kit.parent}\n{broken}")
    assert client.ask(0, 0, 100) is None
    assert client.ask(1, 0, 100) is not None
    assert "cannot be bounced" in json.loads(status())["trouble"]
    client.close()


def test_a_turned_knob_raises_the_floor_under_the_strokes_before_it(server, kit):
    client = PluginClient(saved(kit))
    until(lambda: client.waiting(0, 4))
    assert client.fields["pads"][0]["queues"][4]["floor"] == 0
    client.turn(0, (0.0, 1.0, 0.0, 0.0))
    until(lambda: client.fields["pads"][0]["queues"][4]["floor"] == 1)
    client.close()


def test_two_plugins_share_a_daemon_with_a_kit_each(server, kit):
    first, second = PluginClient(saved(kit)), PluginClient(number=1)
    assert first.fields["pad_count"] == 4
    assert second.fields["pad_count"] == 20
    kits = [plugin["kit"] for plugin in json.loads(status())["plugins"]]
    assert kits == ["test", "Electronic"]
    second.close()
    until(lambda: len(json.loads(status())["plugins"]) == 1)
    assert first.ask(0, 0, 100) is not None
    first.close()


def test_a_kit_chosen_by_number_is_given_back_for_the_session_to_save(server, kit):
    client = PluginClient(number=3)
    assert client.saved == saved(kit)
    client.close()


def test_a_seed_plays_other_strokes(server, kit):
    client, other = PluginClient(saved(kit)), PluginClient(saved(kit), seed=7)
    assert np.array_equal(client.ask(0, 0, 100), other.ask(0, 0, 100))  # the kit names its pads' seeds
    built_in, seeded = PluginClient(), PluginClient(seed=7)
    assert not np.array_equal(built_in.ask(0, 0, 100), seeded.ask(0, 0, 100))
    for each in (client, other, built_in, seeded):
        each.close()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"built": 99}, "the plugin is of ghostnote 0.0.test, the daemon of .*: run 'ghostnote plugin install'"),
        ({"rate": 4_000}, "the host's rate is 4000 Hz: choose one from 8000 to 192000"),
        ({"number": 90}, "kit 90: there are 0 to 3; put kit files into"),
        ({"kit": "nonsense"}, "the session's kit is damaged: choose one by the plugin's parameter Kit"),
    ],
)
def test_what_cannot_be_played_is_one_clear_message(server, kit, arguments, why):
    with pytest.raises(RefusedError, match=why):
        PluginClient(**arguments)


def test_memory_and_socket_belong_to_the_user_alone_under_a_name_that_nobody_can_guess(server, kit):
    client = PluginClient(saved(kit))
    assert stat.S_IMODE(os.fstat(client.memory).st_mode) == 0o600
    assert str(Path(f"/proc/self/fd/{client.memory}").readlink()).startswith("/memfd:")
    folder = runtime_folder()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (socket,) = folder.glob("*.sock")
    assert len(socket.stem) == 32
    for file in folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    client.close()


def test_a_folder_that_is_open_to_others_is_refused(tmp_path):
    (tmp_path / "ghostnote").mkdir(0o755)
    (tmp_path / "ghostnote").chmod(0o755)
    with pytest.raises(GhostnoteError, match="is open to other users: remove it"):
        runtime_folder()


def test_there_is_one_daemon_and_what_a_killed_one_left_is_removed():
    with listening():
        with pytest.raises(AlreadyRunsError, match="already runs"), listening():
            pass
        left = runtime_folder() / "0.sock"
        left.touch()
    with listening():
        assert not left.exists()
    assert [file.name for file in runtime_folder().iterdir()] == ["lock"]
    with pytest.raises(GhostnoteError, match="no daemon for plugins runs"):
        connect()


def test_a_client_that_sends_garbage_is_dropped_and_others_play_on(server, kit):
    client = PluginClient(saved(kit))
    with connect() as line:
        line.sendall(b"\xff" * 64)
        assert line.recv(100) == b""
    assert client.ask(0, 0, 100) is not None
    client.close()


def test_a_model_that_cannot_be_opened_is_said_to_every_plugin(tmp_path, kit):
    with serving(ServerSettings(lambda _: FakeSpec("damaged"), tmp_path, 1)):
        client = PluginClient(saved(kit))
        client.line.settimeout(60)
        assert receive(client.line)[:2] == (REFUSED, b"x.onnx is not a model")
        client.close()


def test_a_full_queue_takes_no_more_and_the_pool_counts_what_is_in_it(kit):
    loaded = load_kit(kit)
    instance = Instance(loaded, 8_000)
    queue = instance.queues[0]
    for _ in range(layout.QUEUE_LENGTH + 5):
        request = queue.request(4)
        queue.put(request, Noise().stroke(request.pad, request.index, request.velocity))
        queue.finish(request)
    assert queue.depth == layout.QUEUE_LENGTH
    instance.memory.queues[0][4]["read"] = 3
    instance.tend()
    assert queue.depth == layout.QUEUE_LENGTH - 3
