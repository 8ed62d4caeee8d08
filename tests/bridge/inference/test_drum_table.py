from dataclasses import replace

import numpy as np
import pytest

from ghostnote.bridge.dsp.low_spectrum import LOW_HZ
from ghostnote.bridge.dsp.shape import BANDS
from ghostnote.bridge.inference.drum_table import MODES, DrumTable

PERC = 10


def row(level: float, octaves: float, prominence: float = 20.0) -> tuple[float, ...]:
    return (*(level,) * BANDS, *(octaves,) * BANDS, *(prominence,) * BANDS)


def modes(*found: tuple[float, float, float]) -> tuple[float, ...]:
    return tuple(x for mode in (*found, *((0.0, 0.0, 0.0),) * (MODES - len(found))) for x in mode)


TABLE = DrumTable(
    ("cowbell", "cowbell", "shaker", "shaker"),
    (PERC,) * 4,
    (row(-10, 0), row(-12, 0.5), row(-10, -4, 0.0), row(-11, -4.2, 0.0)),
    (modes((540, -3, 0.4), (800, -6, 0.3)), modes((560, -3, 0.5), (845, -4, 0.3)), modes(), modes()),
)


def test_a_kind_is_drawn_from_its_own_drums() -> None:
    drums = [TABLE.draw(np.random.default_rng(seed), PERC, "cowbell") for seed in range(200)]
    first = np.array([drum.modes[0, 0] for drum in drums])
    ratios = np.array([drum.modes[1, 0] / drum.modes[0, 0] for drum in drums])
    assert np.median(first) == pytest.approx(550, abs=15)
    assert 5 < first.std() < 60
    assert np.median(ratios) == pytest.approx(1.49, abs=0.03)
    assert 0.005 < ratios.std() < 0.05
    assert all(len(drum.modes) == 2 for drum in drums)
    shakers = [TABLE.draw(np.random.default_rng(seed), PERC, "shaker") for seed in range(20)]
    assert not any(len(drum.modes) or drum.prominence_db.any() for drum in shakers)


def test_a_draw_depends_on_its_seed_alone() -> None:
    one, two = (TABLE.draw(np.random.default_rng(3), PERC, "cowbell") for _ in range(2))
    np.testing.assert_array_equal(one.modes, two.modes)
    np.testing.assert_array_equal(one.level_db, two.level_db)


def test_what_is_not_there_is_not_drawn() -> None:
    assert TABLE.draw(np.random.default_rng(0), PERC, "triangle") is None
    assert DrumTable().draw(np.random.default_rng(0), 0) is None


def test_a_table_survives_plain_data() -> None:
    plain = {name: [list(x) if isinstance(x, tuple) else x for x in getattr(TABLE, name)] for name in vars(TABLE)}
    assert DrumTable.from_dict(plain) == TABLE
    for name in ("bands", "modes"):
        with pytest.raises(ValueError, match=f"{name} is not a table"):
            DrumTable.from_dict({**plain, name: plain[name][1:]})


def test_what_surrounds_lines_is_drawn_where_it_is_known() -> None:
    assert TABLE.draw(np.random.default_rng(0), PERC, "cowbell").low_db is None
    low = tuple(tuple(np.linspace(first, 0, len(LOW_HZ)).tolist()) for first in (-20.0, -24.0, 8.0, 12.0))
    known = replace(TABLE, low=low)
    plain = {name: [list(x) if isinstance(x, tuple) else x for x in getattr(known, name)] for name in vars(TABLE)}
    assert DrumTable.from_dict(plain) == known
    with pytest.raises(ValueError, match="low is not a table"):
        DrumTable.from_dict({**plain, "low": plain["low"][1:]})
    drums = [known.draw(np.random.default_rng(seed), PERC, "cowbell") for seed in range(50)]
    slopes = np.array([drum.low_db for drum in drums])
    assert slopes[:, 0].mean() == pytest.approx(-22, abs=1.5)
    assert 0.5 < slopes[:, 0].std() < 4
    assert not slopes[:, -1].any()
