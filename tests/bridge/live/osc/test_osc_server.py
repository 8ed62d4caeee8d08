import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from live_fakes import KIT, RATE, carried_out, running, until

from ghostnote.bridge.dsp.effects import Effect
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.kit.save import save_kit
from ghostnote.bridge.live.daemon import Live
from ghostnote.bridge.live.osc.addresses import ADDRESSES
from ghostnote.bridge.live.osc.codec import bundle, pack, unpack
from ghostnote.bridge.live.osc.server import BURST_WORK, WORK_A_SECOND, OscSettings, check_settings, parse_address
from ghostnote.bridge.live.osc.subscribers import LEASE_SECONDS, MOST_SUBSCRIBERS, Subscribers
from ghostnote.bridge.live.status import line

Message = tuple[str, tuple[Any, ...]]


class Peer:
    """A program that speaks OSC to the daemon."""

    def __init__(self, live: Live) -> None:
        if live.osc is None:
            raise ValueError("no OSC")
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**20)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(30)
        self.where = live.osc.address

    def send(self, address: str, *values: Any) -> None:
        self.socket.sendto(pack(f"/ghostnote/{address}", values), self.where)

    def get(self) -> Message:
        message = unpack(self.socket.recv(2000))[0]
        return message.address.removeprefix("/ghostnote/"), message.arguments

    def ask(self, address: str, *values: Any) -> Message:
        self.send(address, *values)
        return self.get()

    def gets(self, address: str) -> tuple[Any, ...]:
        """Return the next message of an address, others left out."""
        while True:
            got, values = self.get()
            if got == address:
                return values

    def leave(self) -> None:
        """Be status of nothing any more; what comes after this is for others."""
        self.send("unsubscribe")
        self.gets("unsubscribe")


@pytest.fixture(scope="module")
def live() -> Iterator[Live]:
    with running() as made:
        until(lambda: made.session.pool.ready)
        yield made


@contextmanager
def peer(live: Live) -> Iterator[Peer]:
    made = Peer(live)
    with made.socket:
        yield made


def notes(live: Live, peer: Peer) -> int:
    """Return how many notes sounded, once all that was sent before has been received and carried out."""
    peer.send("ping", "all received")
    while peer.gets("ping") != ("all received",):
        pass
    carried_out(live)
    return counted(live)


def counted(live: Live) -> int:
    return sum(live.session.engine.counts[kind] for kind in ("fresh", "fallback", "reused", "frozen"))


@pytest.mark.parametrize(
    ("address", "values"),
    [("hit", ("kick", 100)), ("hit", (1, 0.8)), ("hit", ("Snare drum", 1)), ("note", (36, 9.0)), ("note", (42, True)),
     ("hit/", ("kick", 100)), ("hit", ("kick", 100, None))],
)  # fmt: skip
def test_notes_sound_whatever_the_numbers_are(live: Live, address: str, values: tuple[Any, ...]) -> None:
    with peer(live) as p:
        before = notes(live, p)
        p.send(address, *values)
        assert notes(live, p) == before + 1


def test_a_float_velocity_is_a_share_and_an_int_is_not(live: Live) -> None:
    with peer(live) as p:
        notes(live, p)
        p.ask("subscribe", 0)
        for velocity, played in ((1.0, 127), (0.5, 64), (1, 1), (90.0, 90), (True, 127)):
            p.send("hit", "kick", velocity)
            assert p.gets("played")[:2] == ("kick", played)
        p.leave()


def test_values_are_set_got_echoed_and_match_patterns(live: Live) -> None:
    with peer(live) as p, peer(live) as other:
        other.ask("subscribe", 0)
        p.send("pad/kick/amount", 0.5)
        assert p.ask("pad/kick/amount") == ("pad/kick/amount", (0.5,))
        assert other.gets("pad/kick/amount") == (0.5,)
        p.send("pad/*hat/steps", 4)
        assert p.ask("pad/open_hat/steps") == ("pad/open_hat/steps", (4,))
        assert p.ask("pad/hat/steps") == ("pad/hat/steps", (4,))
        p.send("pad/hat/mute", True)
        assert p.ask("pad/hat/mute") == ("pad/hat/mute", (True,))
        p.send("pad/hat/mute", 0)
        assert p.ask("pad/hat/mute") == ("pad/hat/mute", (False,))
        other.leave()


@pytest.mark.parametrize(
    ("address", "values", "reason"),
    [
        ("pad/kick/amount", (3.0,), "amount = 3"),
        ("pad/kick/amount", (1, 2), "takes: \\[value\\]"),
        ("pad/gong/amount", (1,), "no such address"),
        ("hit", ("gong", 100), "no pad 'gong'"),
        ("hit", (9, 100), "no pad 9"),
        ("hit", ("kick", 200), "velocity = 200"),
        ("note", (128, 100), "number = 128"),
        ("note", (38.7, 100), "number = 38.7.*must be a whole number from 0 to 127"),
        ("hit", (1.5, 100), "no pad 1.5"),
        ("freeze", (2.5,), "count = 2.5.*whole"),
        ("pad/kick/undo", (1.5,), "count = 1.5.*whole"),
        ("note", (36,), "takes: number velocity"),
        ("kit/load", ("../x",), "kits"),
        ("freeze", (99,), "freeze = 99"),
        ("quit", (), "--osc-quit"),
        ("nonsense", (), "ghostnote osc"),
        ("pad/kick/class", ("gong",), "not a drum class"),
        ("subscribe", (1e9,), "hz"),
        ("panic", ("now",), "takes: no arguments"),
        ("panic", (1.0, 1.0), "takes: no arguments"),
        ("pad/kick/effects", ("[{ type = 'zzz' }]",), "effect 1: type = 'zzz' is not an effect"),
        ("pad/kick/effects", ("delay",), "effects = 'delay' is not a list in TOML; send one as in"),
        ("pad/kick/effect/1/mix", (0.5,), "pad/kick has no effects; set some with pad/kick/effects"),
        ("pad/kick/effects", ("[]\nname = 'x'",), "it must be one list"),
        ("mix/effects", ("[{ plugin = '/usr/x.vst3' }]",), "is not in the kit"),
        ("mix/effects", ("[{ type = 'convolution', impulse_response = 'a.wav' }]",), "needs a kit with a folder"),
        ("mix/effect/1/mix", (1,), "mix has no effects; set some with mix/effects"),
    ],
)
def test_errors_go_to_the_sender(live: Live, address: str, values: tuple[Any, ...], reason: str) -> None:
    with peer(live) as p:
        got, (where, text) = p.ask(address, *values)
        assert got == "error"
        assert where == f"/ghostnote/{address}"
        assert re.search(reason, text)


def test_effects_are_replaced_set_bypassed_and_echoed(live: Live) -> None:
    with peer(live) as p, peer(live) as other:
        other.ask("subscribe", 0)
        p.send("pad/kick/effects", "[{ type = 'gain' }, { type = 'reverb', room_size = 0.3 }]")
        p.send("mix/effects", "[{ type = 'delay' }]")
        p.send("pad/kick/effect/2/room_size", 1)
        p.send("mix/effect/1/bypass", 1)
        assert other.gets("pad/kick/effect/2/room_size") == (1.0,)
        assert other.gets("mix/effect/1/bypass") == (True,)
        assert p.ask("pad/kick/effect/2/wet_level") == ("pad/kick/effect/2/wet_level", (pytest.approx(0.33),))
        text = '[{ type = "gain" }, { type = "reverb", room_size = 1.0 }]'
        assert p.ask("pad/kick/effects") == ("pad/kick/effects", (text,))
        p.send("pad/kick/effect/2/wetness", 0.1)
        assert "'2/wetness' is not a parameter of effect 2: reverb has room_size" in p.gets("error")[1]
        p.send("pad/kick/effect/3/room_size", 0.1)
        assert "pad/kick has no effect 3; its effects are 1 to 2" in p.gets("error")[1]
        p.send("pad/kick/effect/2/room_size", 7)
        assert "room_size = 7" in p.gets("error")[1]
        assert p.ask("mix/effects") == ("mix/effects", ('[{ type = "delay", bypass = true }]',))
        p.send("pad/*/effect/1/gain_db", -6)
        assert p.ask("pad/kick/effect/1/gain_db") == ("pad/kick/effect/1/gain_db", (-6.0,))
        other.leave()


def test_no_plugin_is_loaded_that_the_kit_does_not_name(tmp_path: Path) -> None:
    plugin = tmp_path / "x.vst3"
    plugin.touch()
    kit = KIT.with_effects({"Kick": (Effect("plugin", (("mix", 1.0),), plugin, bypass=True),)})
    with running(kit=kit) as live, peer(live) as p:
        text = f"[{{ plugin = '{plugin}', bypass = true }}]"
        p.send("mix/effects", text)
        assert p.ask("mix/effects") == ("mix/effects", (text.replace("'", '"'),))
        plugin.rename(tmp_path / "y.vst3")
        got, (_, why) = p.ask("mix/effects", f"[{{ plugin = '{tmp_path / 'y.vst3'}' }}]")
        assert (got, "is not in the kit" in why) == ("error", True)
        p.send("mix/effects", text)
        assert p.ask("mix/effects") == ("mix/effects", (text.replace("'", '"'),))
        got, (_, why) = p.ask("mix/effects", f"[{{ plugin = '{tmp_path / 'z.vst3'}', bypass = true }}]")
        assert (got, "is not in the kit" in why) == ("error", True)
        p.leave()


def test_every_address_answers_something_sensible(live: Live) -> None:
    given = {"pad": "kick", "velocity": 1, "number": 36, "name": "none"}
    with peer(live) as p:
        for address in ADDRESSES:
            words = [word for word in address.arguments.split() if not word.startswith("[")]
            p.send(address.path.replace("NAME", "kick"), *(given[word] for word in words))
        p.send("ping", "still there")
        while p.gets("ping") != ("still there",):
            pass
        p.leave()
        assert notes(live, p)
    assert live.session.counts["osc_faults"] == 0


def test_ping_status_pads_and_meters(live: Live) -> None:
    with peer(live) as p:
        assert p.ask("ping", 1, "a") == ("ping", (1, "a"))
        assert p.ask("ping", 1, None, b"\0\xff", 2.5) == ("ping", (1, None, b"\0\xff", 2.5))
        assert p.ask("ping", b"\xff" * 1_000) == ("ping", (b"\xff" * 1_000,))
        assert p.ask("pads") == ("pads", ("kick", "snare_drum", "hat", "open_hat"))
        p.send("status")
        assert p.gets("status/latency_ms")[0] == pytest.approx(10 + live.session.engine.delay_frames / RATE * 1000)
        assert p.gets("status/freshness")[0] <= 1
        p.send("subscribe", 50)
        assert len(p.gets("meters")) == 5
        assert len(p.gets("depth")) == 4
        p.leave()


@pytest.mark.parametrize("value", [1.0, 0, True, False, None])
def test_addresses_without_arguments_ignore_what_a_button_sends(live: Live, value: Any) -> None:
    with peer(live) as p:
        assert p.ask("pads", value) == p.ask("pads/") == p.ask("pads")


def test_a_pattern_costs_what_it_matches_and_status_what_it_replies() -> None:
    with running() as live, peer(live) as p:
        # 50 times a status of some 50 packets, and 40 patterns that mean 44 addresses each: 4,000 replies in all.
        begun = time.perf_counter()
        pattern = pack("/ghostnote/pad/*/*", ())
        for packet in [bundle(None, *[pack("/ghostnote/status", ())] * 50), *[bundle(None, *[pattern] * 20)] * 2]:
            p.socket.sendto(packet, p.where)
        p.socket.settimeout(1)
        replies, is_over = 0, False
        while not is_over:
            try:
                is_over = p.get() == ("ping", (7,))
                replies += 1
            except TimeoutError:
                p.send("ping", 7)
        assert 100 <= replies <= BURST_WORK + WORK_A_SECOND * (time.perf_counter() - begun)
        assert live.session.counts["osc_shed"] > 0
        assert live.session.counts["osc_faults"] == 0


def test_whoever_subscribes_our_own_port_is_refused_and_an_error_is_never_answered(live: Live) -> None:
    with peer(live) as p:
        got, (_, text) = p.ask("subscribe", 10, p.where[1])
        assert (got, "own" in text) == ("error", True)
        p.send("error", "/ghostnote/hit", "that of another program")
        assert p.ask("ping", 3) == ("ping", (3,))


@pytest.mark.parametrize("hertz", [0, 10])
def test_two_ghostnotes_that_subscribe_to_each_other_answer_no_answer(hertz: int) -> None:
    with running() as one, running() as two, peer(one) as p, peer(two) as q:
        until(lambda: one.ready_seconds and two.ready_seconds)
        begun = time.perf_counter()
        p.send("subscribe", hertz, q.where[1])
        q.send("subscribe", hertz, p.where[1])
        until(lambda: packets(one, "osc_refused") + packets(two, "osc_refused"))
        p.send("pad/kick/pan", 0.5)
        q.send("pad/kick/pan", -0.5)
        for n in range(100):
            p.send("ping", n)
            q.send("ping", n)
            while p.gets("ping") != (n,) or q.gets("ping") != (n,):
                pass
        assert p.ask("pad/kick/pan") == ("pad/kick/pan", (0.5,))
        assert q.ask("pad/kick/pan") == ("pad/kick/pan", (-0.5,))
        # The pings and two packets a look at the meters, one way or both; a loop would be thousands.
        expected = 200 + 4 * hertz * (time.perf_counter() - begun) + 40
        assert 200 < packets(one) + packets(two) <= expected


def packets(live: Live, *kinds: str) -> int:
    return sum(live.session.counts[kind] for kind in kinds or ("osc", "osc_refused", "osc_shed"))


def test_a_lease_is_renewed_by_any_packet_and_ends_by_time() -> None:
    sent: list[tuple[str, int]] = []
    subscribers = Subscribers(lambda peer, _: sent.append(peer))
    silent, asked, speaks, asker = (("127.0.0.1", port) for port in range(5000, 5004))

    def reached(seconds: float) -> set[tuple[str, int]]:
        sent.clear()
        subscribers.tell("notice", ("news",))
        subscribers.send_news(time.perf_counter() + seconds, tuple)
        return set(sent)

    for peer, sender in ((silent, silent), (speaks, speaks), (asked, asker)):
        subscribers.add(peer, sender, 0, wants_replies=False)
    assert reached(LEASE_SECONDS / 2) == {silent, asked, speaks}
    for listener in subscribers._subscribers.values():
        listener.seen -= LEASE_SECONDS
    subscribers.renew(speaks)
    subscribers.renew(asker)
    assert reached(0.0) == {speaks, asked}
    subscribers.add(silent, silent, 0, wants_replies=False)
    assert reached(0.0) == {silent, speaks, asked}
    assert reached(LEASE_SECONDS + 1) == set()


def test_of_too_many_subscribers_the_longest_silent_gives_way() -> None:
    with running() as live, ExitStack() as stack:
        first, *others = [stack.enter_context(peer(live)) for _ in range(MOST_SUBSCRIBERS)]
        for p in (first, *others):
            p.ask("subscribe", 0)
        first.ask("ping", 1)
        late = stack.enter_context(peer(live))
        late.ask("subscribe", 0)
        late.send("pad/kick/pan", 0.5)
        assert late.gets("pad/kick/pan") == first.gets("pad/kick/pan") == others[1].gets("pad/kick/pan") == (0.5,)
        others[0].send("unsubscribe")
        assert others[0].gets("unsubscribe") == (0,)


def test_names_that_are_not_text_end_no_thread(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.toml")
    try:
        save_kit(KIT, tmp_path / name)
    except OSError:
        pytest.skip("the file system takes text alone")
    with running(kits=tmp_path) as live, peer(live) as p:
        assert p.ask("kit/list") == ("kit/list", ("caf?.toml",))
        p.ask("subscribe", 0)
        live.session.handle_midi(b"\xc9\x00", time.perf_counter())
        assert p.gets("kit/load") == ("caf?.toml",)
        assert p.ask("ping", 1) == ("ping", (1,))


def test_an_error_in_the_server_is_counted_and_survived(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    if live.osc is None:
        raise ValueError("no OSC")

    def fail(now: float) -> None:
        monkeypatch.undo()
        raise OSError(24, "too many open files")

    before = live.session.counts["osc_faults"]
    monkeypatch.setattr(live.osc._dispatcher, "send_news", fail)
    until(lambda: live.session.counts["osc_faults"] == before + 1)
    assert "too many open files" in live.session.troubles["OSC"][0]
    with peer(live) as p:
        assert p.ask("ping", 1) == ("ping", (1,))
    until(lambda: not live.session.troubles)
    live.session.counts["osc_faults"] = before


@pytest.mark.parametrize("host", ["localhost", "::1"])
def test_ipv6_and_names_of_this_computer_are_taken(host: str) -> None:
    if host == "::1" and not has_ipv6():
        pytest.skip("no IPv6 here")
    with running(osc=OscSettings(host, 0)) as live:
        if live.osc is None:
            raise ValueError("no OSC")
        family = socket.AF_INET6 if ":" in live.osc.address[0] else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as line:
            line.settimeout(30)
            line.sendto(pack("/ghostnote/ping", (5,)), live.osc.address)
            assert unpack(line.recv(2000))[0].arguments == (5,)


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as line:
            line.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_learning_takes_an_osc_note_moves_it_and_is_seen_in_the_status() -> None:
    with running() as live, peer(live) as p:
        assert p.ask("pad/kick/learn", 1, 1) == ("pad/kick/learn", (1,))
        p.send("status")
        assert p.gets("status/learning") == ("Kick",)
        assert "next note strikes Kick" in line(live)
        p.send("note", 42, 100)
        until(lambda: [pad.notes for pad in live.session.kit.pads] == [(35, 42), (38,), (36,), (46,)])
        assert not live.session.learning


def test_replies_reach_the_port_that_subscribed(live: Live) -> None:
    with peer(live) as p, peer(live) as listener:
        p.send("subscribe", 0, listener.socket.getsockname()[1])
        assert listener.gets("subscribe") == (0.0,)
        with peer(live) as third:
            third.send("pad/kick/amount", 9)
            assert listener.gets("error")[0] == "/ghostnote/pad/kick/amount"
        p.send("unsubscribe", listener.socket.getsockname()[1])
        assert p.gets("unsubscribe") == (1,)


def test_a_bundle_of_the_future_waits_while_others_pass() -> None:
    with running() as live, peer(live) as p:
        until(lambda: live.session.pool.ready)
        # So late that no machine stands still until then.
        late = time.time() + 55.0
        p.socket.sendto(bundle(late, pack("/ghostnote/hit", ("kick", 90))), p.where)
        p.socket.sendto(bundle(late, pack("/ghostnote/pad/kick/pan", (0.75,))), p.where)
        p.send("hit", "snare_drum", 90)
        assert p.ask("pad/kick/pan") == ("pad/kick/pan", (0.0,))
        until(lambda: counted(live) == 1)
        assert live.session.engine.waiting == 1


def test_a_bundle_happens_at_its_time_and_not_before() -> None:
    with running() as live, peer(live) as p:
        until(lambda: live.session.pool.ready)
        begun = time.perf_counter()
        late = bundle(time.time() + 1.0, pack("/ghostnote/hit", ("kick", 90)))
        other = bundle(time.time() + 1.0, pack("/ghostnote/pad/kick/pan", (0.75,)))
        p.socket.sendto(late, p.where)
        p.socket.sendto(other, p.where)
        until(lambda: counted(live) == 1 and p.ask("pad/kick/pan") == ("pad/kick/pan", (0.75,)))
        assert time.perf_counter() >= begun + 1.0


def test_a_bundle_of_the_past_is_played_and_counted_and_a_far_one_refused(live: Live) -> None:
    with peer(live) as p:
        before, late = notes(live, p), live.session.counts["osc_late"]
        p.socket.sendto(bundle(time.time() - 5, pack("/ghostnote/hit", ("kick", 90))), p.where)
        assert notes(live, p) == before + 1
        assert live.session.counts["osc_late"] == late + 1
        p.socket.sendto(bundle(time.time() + 3600, pack("/ghostnote/hit", ("kick", 90))), p.where)
        assert p.gets("error")[0] == "/ghostnote/hit"


def test_garbage_is_counted_and_answered(live: Live) -> None:
    before = live.session.counts["osc_garbage"]
    draw = np.random.default_rng(1)
    with peer(live) as p:
        for count in range(1, 201):
            p.socket.sendto(draw.bytes(int(draw.integers(1, 64))), p.where)
            # One at a time: so many at once would be a flood.
            assert p.gets("error")
            assert live.session.counts["osc_garbage"] == before + count
        p.send("ping")
        assert p.gets("ping") == ()


def test_a_flood_is_shed_and_counted() -> None:
    opened = time.perf_counter()
    with running() as live, peer(live) as p:
        counts = live.session.counts
        # One that costs little time, so that a slow machine too gets through more than is allowed.
        packet = pack("/ghostnote/hit", ("kick", 0))
        end = time.monotonic() + 30
        while not counts["osc_shed"] and time.monotonic() < end:
            for _ in range(100):
                p.socket.sendto(packet, p.where)
        assert counts["osc_shed"] > 0
        assert counts["osc"] <= BURST_WORK + WORK_A_SECOND * (time.perf_counter() - opened)
        until(lambda: answers(p))


def answers(p: Peer) -> bool:
    """Return whether a ping comes back; in a flood it may be shed."""
    p.socket.settimeout(0.5)
    p.send("ping", 7)
    try:
        return p.gets("ping") == (7,)
    except TimeoutError:
        return False


def test_kits_are_loaded_saved_and_the_program_quits_if_allowed(tmp_path: Path) -> None:
    save_kit(KIT, tmp_path / "one.toml")
    with running(kits=tmp_path, osc=OscSettings(port=0, may_quit=True)) as live, peer(live) as p:
        assert p.ask("kit/list") == ("kit/list", ("one.toml",))
        p.send("pad/kick/gain", -3)
        assert p.ask("kit/save", "two") == ("kit/save", ("two.toml",))
        assert (tmp_path / "two.toml").is_file()
        assert p.ask("kit/load", "one.toml") == ("kit/load", ("test",))
        assert p.ask("pad/kick/gain") == ("pad/kick/gain", (0.0,))
        address, (_, reason) = p.ask("kit/save", "two")
        assert address == "error"
        assert "'two.toml' is there already" in reason
        assert p.ask("kit/save", "two", 1) == ("kit/save", ("two.toml",))
        assert p.ask("quit") == ("quit", (1,))
        assert live.session.stopping.wait(30)


def test_a_network_needs_a_list_of_senders() -> None:
    with pytest.raises(InputError, match="--osc-allow"):
        check_settings(OscSettings("0.0.0.0"))
    check_settings(OscSettings("0.0.0.0", allowed=("192.168.1.0/24",)))
    with pytest.raises(InputError, match="numeric"):
        check_settings(OscSettings("0.0.0.0", allowed=("my friend",)))


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("9000", ("127.0.0.1", 9000)),
        (":9001", ("127.0.0.1", 9001)),
        ("10.0.0.1:7", ("10.0.0.1", 7)),
        ("[::1]:8", ("::1", 8)),
    ],
)
def test_addresses(text: str, address: tuple[str, int]) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["", "x", "1.2.3.4", "host:70000", "host:-1"])
def test_addresses_that_are_none(text: str) -> None:
    with pytest.raises(InputError, match="HOST:PORT"):
        parse_address(text)


def test_a_taken_port_is_named(live: Live) -> None:
    if live.osc is None:
        raise ValueError("no OSC")
    port = live.osc.address[1]
    with pytest.raises(InputError, match=str(port)), running(osc=OscSettings(port=port)):
        pass
