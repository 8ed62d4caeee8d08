"""Settings that hold for every pad of a kit, as a command line gives them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ghostnote.bridge.dsp.sliders import SLIDERS
from ghostnote.bridge.errors import KitError
from ghostnote.bridge.kit.fields import FieldError, check_keys, check_number
from ghostnote.bridge.kit.kit import Kit, Pad, pad_seed


def with_settings(
    kit: Kit,
    *,
    seed: int | None = None,
    amount: float | None = None,
    width: float | None = None,
    steps: int | None = None,
    sliders: Mapping[str, float] | None = None,
) -> Kit:
    """Return the kit with these settings on every pad; None keeps a pad's own.

    A new seed redraws the seeds that were drawn from the old one; a seed that a pad was given stays.
    `sliders` move each pad's drum, by their names in `Sliders`. `KitError` for a value out of range, or another name.
    """
    given = {"seed": seed, "amount": amount, "width": width, "steps": steps, **(sliders or {})}
    try:
        check_keys(sliders or {}, SLIDERS)
        chosen = {key: check_number(key, value) for key, value in given.items() if value is not None}
    except FieldError as error:
        raise KitError(str(error)) from error
    seed = chosen.pop("seed", kit.seed)
    pads = (replace(pad, seed=_reseeded(pad, kit.seed, seed), **chosen) for pad in kit.pads)
    return replace(kit, seed=seed, pads=tuple(pads))


def parse_sliders(texts: Iterable[str]) -> dict[str, float]:
    """Return the sliders of texts as `bright=1`, for `with_settings`; `KitError` for another text."""
    sliders = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            sliders[name.strip()] = float(value)
        except ValueError:
            raise KitError(f"'{text}' is not a slider and its value: write it as in bright=1") from None
    return sliders


def _reseeded(pad: Pad, old: int, new: int) -> int:
    """Return the pad's seed under a new seed of the kit."""
    return pad_seed(new, pad.name) if pad.seed == pad_seed(old, pad.name) else pad.seed
