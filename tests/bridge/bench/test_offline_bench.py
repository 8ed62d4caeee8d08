from ghostnote.bridge.bench.offline import _hit_ms, _step_ms


def test_steps_and_hits_are_timed(tiny_generator):
    assert _hit_ms(tiny_generator, 0.0) > 0
    assert abs(_step_ms(tiny_generator, 1)) < 1000
