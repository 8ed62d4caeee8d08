from ghostnote.bridge.plugin.foresight import Foresight, Wish
from ghostnote.bridge.plugin.stroke_makers import Stroke

BAR = [(0, 100), (2, 60), (2, 50), (1, 110), (2, 60), (0, 80), (2, 50), (1, 112)]


def wishes(bars):
    numbers, found = {0: 0, 1: 0, 2: 0}, []
    for pad, velocity in BAR * bars:
        found.append(Wish(pad, (0.0, 1.0, 1.0, 0.0), velocity, numbers[pad]))
        numbers[pad] += 1
    return found


def test_what_repeats_is_foreseen_stroke_by_stroke():
    song, foresight = wishes(5), Foresight()
    for wish in song[:20]:
        foresight.add(wish)
    assert foresight.following(20) == song[20:40]


def test_what_is_new_is_not():
    foresight = Foresight()
    for wish in wishes(1):
        foresight.add(wish)
    assert foresight.following(4) == []
    for wish in wishes(3)[8:20]:
        foresight.add(wish)
    assert foresight.following(1)
    foresight.add(Wish(1, (0.0, 1.0, 1.0, 0.0), 33, 9))
    assert foresight.following(4) == []


def test_a_turned_knob_is_something_new():
    foresight = Foresight()
    for wish in wishes(2):
        foresight.add(wish)
    for wish in wishes(3)[16:]:
        foresight.add(wish._replace(knobs=(2.0, 1.0, 1.0, 0.0)))
    assert foresight.following(4) == []


def test_kept_strokes_are_taken_once_and_the_oldest_go():
    foresight = Foresight()
    many = [Wish(0, (), 64, number) for number in range(60)]
    for wish in many:
        foresight.keep(wish, Stroke())
    assert not foresight.is_kept(many[0])
    assert foresight.take(many[-1]) is not None
    assert foresight.take(many[-1]) is None
