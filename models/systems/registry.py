"""The table of systems, by name."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final, get_args, get_origin, get_type_hints

from ghostnote.bridge.errors import InputError, ModelError
from ghostnote.models.systems.codec import Codec
from ghostnote.models.systems.ddpm import Ddpm
from ghostnote.models.systems.system import System
from ghostnote.models.systems.transformer import Transformer
from ghostnote.models.systems.vqvae import VQVAE
from ghostnote.models.systems.waveform import Waveform
from ghostnote.models.systems.wavegan import WaveGAN
from ghostnote.models.systems.wavenet import WaveNetSystem

SYSTEMS: Final[Mapping[str, type[System]]] = {
    "ddpm": Ddpm,
    "waveform": Waveform,
    "wavenet": WaveNetSystem,
    "wavegan": WaveGAN,
    "vqvae": VQVAE,
    "transformer": Transformer,
    "codec": Codec,
}
"""Systems by the name that `--system` takes."""


def system_class(name: str) -> type[System]:
    """Return the system of a name; `InputError` for a name that is none."""
    if name not in SYSTEMS:
        raise InputError(f"{name!r} is not a system: take one of {', '.join(SYSTEMS)}")
    return SYSTEMS[name]


def make_system(name: str, settings: Mapping[str, Any] | None = None) -> System:
    """Return a new system with new weights, by default at its own settings.

    `ModelError` for settings of another system, `InputError` for values that no network can have.
    """
    found = system_class(name)
    try:
        values: dict[str, Any] = {
            key: tuple(each) if isinstance(each, list) else each for key, each in (settings or {}).items()
        }
        return found(found.Settings(**values))
    except TypeError as error:
        raise ModelError(f"the settings do not fit system {name!r} ({error}): train anew") from error
    except (ValueError, RuntimeError, ZeroDivisionError) as error:
        said = str(error).splitlines()[0]
        raise InputError(
            f"these settings of {name} do not fit one another ({said}): change what --set gives"
        ) from error


def read_settings(name: str, texts: Sequence[str]) -> dict[str, Any]:
    """Return settings of a system from texts as "width=64" or "dilations=1,2,4"; `InputError` for another form."""
    settings = system_class(name).Settings
    default, kinds = asdict(settings()), get_type_hints(settings)
    found: dict[str, Any] = {}
    for text in texts:
        key, _, value = text.partition("=")
        if key not in default:
            raise InputError(f"--set {text}: {name} has no {key!r}, but {', '.join(default)}")
        try:
            found[key] = _read_as(kinds[key], value)
        except ValueError as error:
            shown = ",".join(map(str, default[key])) if isinstance(default[key], tuple) else default[key]
            raise InputError(f"--set {text}: {value!r} is not like the default, {key}={shown}") from error
    return found


def _read_as(kind: Any, text: str) -> Any:
    """Return `text` as a number, a word, yes or no, or a tuple of them, by a setting's type; `ValueError`."""
    if get_origin(kind) is tuple:
        return tuple(_read_as(get_args(kind)[0], part) for part in text.split(","))
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise ValueError("neither true nor false")
        return text.lower() == "true"
    return kind(text)
