"""What the command line says of an option's value that it cannot take: the value, the rule, and what to give."""

from collections.abc import Callable
from typing import Any, Final

import typer

from ghostnote.bridge.io.printable import shortened

_MOST_SHOWN: Final = 60


def name_values(parameter: Any) -> None:
    """Make a parameter's errors name the value that was given; Typer's own say the rule alone."""
    given: Callable[..., Any] = parameter.process_value

    def process(context: Any, value: Any) -> Any:
        try:
            return given(context, value)
        except typer.BadParameter as error:
            if value is not None and value != ():
                error.message = bad_value(parameter, value, error.message)
            raise

    parameter.process_value = process


def bad_value(parameter: Any, value: Any, rule: str) -> str:
    """Return what is wrong with a value of a parameter, and what to give; `rule` is what Typer says of it."""
    value = shortened(str(value), _MOST_SHOWN)
    bounds, kind = _bounds(parameter), "whole number" if "integer" in rule else "number"
    if bounds == (None, None) and "number" not in rule and "integer" not in rule:
        return rule if value in rule else f"'{value}' cannot be used: {rule[:1].lower()}{rule[1:]}"
    is_of_kind = "valid" not in rule
    return f"'{value}' is {'out of range' if is_of_kind else f'not a {kind}'}; {_advice(*bounds, kind)}"


def _bounds(parameter: Any) -> tuple[float | None, float | None]:
    """Return the least and the greatest value that a parameter takes; None where there is none."""
    # Typer up to 0.20 has them at the parameter's type.
    for holder in (parameter, getattr(parameter, "type", None)):
        low, high = getattr(holder, "min", None), getattr(holder, "max", None)
        if low is not None or high is not None:
            return low, high
    return None, None


def _advice(low: float | None, high: float | None, kind: str) -> str:
    if low is None and high is None:
        return f"give a {kind}"
    if high is None:
        return f"choose {_shown(low)} or more"
    return f"choose {_shown(high)} or less" if low is None else f"choose {_shown(low)} to {_shown(high)}"


def _shown(number: float | None) -> str:
    return str(number) if isinstance(number, int) else f"{number:g}"
