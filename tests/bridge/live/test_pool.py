from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from live_fakes import KIT, fill

from ghostnote.bridge.kit.hits import PadHit
from ghostnote.bridge.live.hit import Origin, sides
from ghostnote.bridge.live.layers import LAYER_VELOCITIES, layer_of
from ghostnote.bridge.live.pool import Pool, StrokeRequest


def audio(frames: int = 8) -> np.ndarray:
    return np.ones((2, frames), np.float32)


def pool() -> Pool:
    made = Pool()
    made.use(KIT.pads)
    return made


def serve(made: Pool, requests: int, process: int = 0) -> list[StrokeRequest]:
    """Make what the pool wants most, `requests` times."""
    done = []
    for _ in range(requests):
        request = made.next_request(process, held=0.0)
        if request is None:
            break
        request.queue.put(request, audio())
        request.queue.finish(request)
        done.append(request)
    return done


@pytest.mark.parametrize(("velocity", "layer"), [(1, 0), (127, 5), (84, 3), (70, 2)])
def test_a_velocity_has_the_nearest_layer(velocity: int, layer: int) -> None:
    assert layer_of(velocity) == layer


def test_every_pad_gets_a_stroke_before_any_gets_two() -> None:
    made = pool()
    assert not made.ready
    first = serve(made, len(KIT.pads))
    assert {request.pad.name for request in first} == {pad.name for pad in KIT.pads}
    assert all(request.layer is not None for request in first)
    assert made.ready


def test_what_is_played_most_is_made_most() -> None:
    made = pool()
    serve(made, 500)
    for _ in range(40):
        made.queues[1].take(100)
    requests = serve(made, 12)
    assert all(request.queue is made.queues[1] for request in requests)
    assert made.queues[1].depth > made.queues[0].depth


def test_it_fills_up_to_an_end_and_forgets_what_is_no_longer_asked_for() -> None:
    made = pool()
    for _ in range(40):
        made.queues[0].take(100)
    serve(made, 500)
    assert made.next_request(0, held=0.0) is None
    assert made.queues[0].depth > 20
    depth = made.queues[0].depth
    made.forget(60)
    for _ in range(5):
        made.queues[0].fresh[layer_of(100)].popleft()
    assert made.next_request(0, held=0.0) is None
    assert made.queues[0].depth < depth


def test_no_stroke_is_handed_out_twice() -> None:
    made = pool()
    fill(made, 3)
    queue = made.queues[0]
    taken = [queue.take(100) for _ in range(queue.depth)]
    assert all(origin is Origin.FRESH for _, origin in taken if origin)
    assert len({hit.index for hit, _ in taken}) == len(taken)  # type: ignore[misc]


def test_near_layers_come_before_spares_and_spares_before_far_ones() -> None:
    made = pool()
    queue = made.queues[0]
    for layer in (5, 1, None):
        request = queue.request(layer)
        queue.put(request, audio())
    velocity = LAYER_VELOCITIES[4]
    kinds = [queue.take(velocity) for _ in range(4)]
    got = [(found[0].velocity, found[1]) for found in kinds if found]
    assert got[0] == (LAYER_VELOCITIES[5], Origin.FRESH)
    assert got[1][1] is Origin.FALLBACK
    assert got[2] == (LAYER_VELOCITIES[1], Origin.FRESH)
    assert got[3][1] is Origin.REUSED


def test_other_settings_replace_what_waits_as_they_come() -> None:
    made = pool()
    fill(made, 2)
    queue = made.queues[0]
    made.use([replace(pad, amount=0.3) for pad in KIT.pads])
    found = queue.take(122)
    assert found
    assert found[0].pad.amount == 1.0
    request = queue.request(5)
    queue.put(request, audio())
    found = queue.take(122)
    assert found
    assert found[0].pad.amount == 0.3
    assert len(queue.fresh[5]) == 0


def test_an_order_of_earlier_settings_comes_too_late() -> None:
    made = pool()
    queue = made.queues[0]
    request = queue.request(5)
    made.use([replace(pad, seed=99) for pad in KIT.pads])
    queue.put(request, audio())
    assert queue.depth == 0


def test_gain_and_pan_leave_the_pool_as_it_is() -> None:
    made = pool()
    fill(made, 2)
    depth = made.queues[0].depth
    made.use([replace(pad, gain_db=-9.0, pan=0.5) for pad in KIT.pads])
    assert made.queues[0].generation == 0
    assert made.queues[0].depth == depth


def test_a_process_stays_with_the_drums_that_it_has_opened() -> None:
    made = pool()
    first, second = serve(made, 1, process=0), serve(made, 1, process=1)
    assert first[0].queue is not second[0].queue
    serve(made, 1, process=0)
    serve(made, 1, process=1)
    for queue in made.queues:
        assert len(queue.opened_by) == 1


def test_a_pad_that_failed_is_left_alone_until_it_changes() -> None:
    made = pool()
    made.queues[0].failed = "no file"
    assert all(request.queue is not made.queues[0] for request in serve(made, 100))
    made.use([replace(KIT.pads[0], seed=5), *KIT.pads[1:]])
    assert not made.queues[0].failed


def test_when_memory_is_scarce_it_goes_to_what_is_played() -> None:
    made = pool()
    for _ in range(100):
        made.queues[0].take(100)
    while (request := made.next_request(0, held=1.1)) is not None:
        request.queue.put(request, audio())
        request.queue.finish(request)
    played, *others = made.queues
    assert 12 < len(played.fresh[layer_of(100)]) <= 16
    assert played.depth <= 17
    assert all(queue.depth == 1 and len(queue.fallback) <= 1 for queue in others)
    played.fresh[layer_of(100)].clear()
    while (request := made.next_request(0, held=2.0)) is not None:
        request.queue.put(request, audio())
        request.queue.finish(request)
    assert len(played.fresh[layer_of(100)]) == 1


def test_sides_that_are_the_same_are_kept_once_and_what_can_be_frozen_counts() -> None:
    made = pool()
    queue = made.queues[0]
    for channels in (np.ones((1, 100), np.float32), np.ones((2, 100), np.float32)):
        request = queue.request(5)
        queue.put(request, sides(channels))
        queue.finish(request)
    assert [hit.audio.shape for hit in queue.fresh[5]] == [(2, 100), (2, 100)]
    assert made.bytes_held == (1 + 2) * 400
    queue.take(122)
    assert made.bytes_held == (1 + 2) * 400


def test_a_recorded_stroke_is_never_played_twice_in_a_row_where_its_layer_has_another() -> None:
    hits = tuple(PadHit(Path(f"{low} {n}.wav"), low, high) for low, high in ((1, 80), (81, 127)) for n in range(3))
    made = Pool()
    ((queue,),) = made.use([replace(KIT.pads[0], hits=hits)])
    serve(made, 100)
    played: list[PadHit | None] = []
    for velocity in np.random.default_rng(1).integers(1, 128, 400):
        taken = queue.take(int(velocity))
        assert taken is not None
        played.append(taken[0].recorded)
        serve(made, 1)
    assert all(one != other for one, other in pairwise(played))
    assert set(played) == set(hits)


def test_a_pad_of_one_stroke_plays_as_before() -> None:
    made = Pool()
    ((queue,),) = made.use(KIT.pads[:1])
    requests = serve(made, 5)
    assert [request.index for request in requests] == [0, 1, 2, 3, 4]
    taken = queue.take(84)
    assert taken is not None
    assert taken[0].recorded is None
