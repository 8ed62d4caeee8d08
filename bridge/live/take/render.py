"""Renders a take: the very strokes that were played live, made and mixed again."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.live.take.format import Take, TakeEffects, TakeStroke
from ghostnote.bridge.render.offline import Progress, RenderReport, RenderSettings, render_score
from ghostnote.bridge.render.performer import Action, Fade, Stroke
from ghostnote.bridge.render.score import EffectsChange, Score
from ghostnote.bridge.render.workers import Request, Spec


def render_take(
    take: Take, spec: Spec, mix: Path, settings: RenderSettings | None = None, progress: Progress | None = None
) -> RenderReport:
    """Render a take to the file `mix` at the take's rate; it rings out where the take was stopped.

    `InputError` for a take without a stroke; otherwise as `render_song`.
    """
    settings = settings or RenderSettings()
    kit = take.kit
    # Effects change from a block's beginning on, and were noted with what came in it.
    events = sorted(take.events, key=lambda event: event.frame)
    strokes = [event for event in events if isinstance(event, TakeStroke)]
    if not strokes:
        raise InputError("the take holds no stroke: there is nothing to play")
    numbers = {pad.name: number for number, pad in enumerate(kit.pads)}
    actions: list[Action | EffectsChange] = []
    for event in events:
        if isinstance(event, TakeEffects):
            actions.append(EffectsChange(event.frame, kit.with_effects(event.effects)))
        elif isinstance(event, TakeStroke):
            actions.append(Stroke(event.frame, numbers[event.pad.name], event.index, event.velocity, event.channel))
        else:
            pads = tuple(numbers[name] for name in event.pads if name in numbers)
            actions.append(Fade(event.frame, pads, event.seconds, event.channel, event.younger))
    requests = [Request(stroke.pad, stroke.index, stroke.velocity) for stroke in strokes]
    gains = [np.array(stroke.gains, np.float32)[:, None] for stroke in strokes]
    end_frame = max(take.end_frame, strokes[-1].frame + 1)
    score = Score(take.rate, actions, requests, end_frame, settings.tail_seconds is None, gains)
    limited = replace(settings, limiter=settings.limiter and take.limiter)
    return render_score(score, kit, spec, mix, limited, progress)
