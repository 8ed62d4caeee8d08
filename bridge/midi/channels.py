"""Which MIDI channels of a song are its drums."""

from collections import Counter
from dataclasses import replace
from typing import Final

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.printable import counted
from ghostnote.bridge.midi.events import DRUM_CHANNEL, NoteOn, Silence
from ghostnote.bridge.midi.smf_reader import MidiSong

ALL: Final = "all"
CHANNELS: Final = 16


def parse_channel(text: str) -> int | None:
    """Return the channel, from 0, that a user calls 1 to 16, and None for 'all'; `InputError` for anything else."""
    if text.strip().lower() == ALL:
        return None
    if text.strip().isdecimal() and 1 <= int(text) <= CHANNELS:
        return int(text) - 1
    raise InputError(f"--channel {text}: a MIDI channel is a number from 1 to {CHANNELS}, or {ALL}")


def drums_of(song: MidiSong, channel: str | None = None) -> tuple[MidiSong, str]:
    """Return the song with the events of its drums alone, and a sentence on what was chosen; '' where all is played.

    `channel` is a number from 1 to 16, or 'all'. By default it is General MIDI's channel 10 if there are notes on it,
    else all. `InputError` for a channel without notes.
    """
    counts = Counter(event.channel for event in song.events if isinstance(event, NoteOn))
    chosen = parse_channel(channel) if channel is not None else (DRUM_CHANNEL if counts[DRUM_CHANNEL] else None)
    if chosen is None:
        return song, ""
    if not counts[chosen]:
        there = ", ".join(str(other + 1) for other in sorted(counts))
        raise InputError(f"--channel {chosen + 1}: the song has no notes there, but on {there}")
    others = counts.total() - counts[chosen]
    if not others:
        return song, ""
    kept = [
        at
        for at, event in enumerate(song.events)
        if event.channel == chosen or (isinstance(event, Silence) and event.channel is None)
    ]
    reason = "General MIDI's drums" if channel is None else "as asked"
    remedy = "; --channel all plays them" if channel is None else ""
    left = f"{counted(others, 'note')} of others {'is' if others == 1 else 'are'} left out"
    said = f"channel {chosen + 1} alone is played, {reason}: {left}{remedy}"
    chosen_song = replace(
        song,
        events=tuple(song.events[at] for at in kept),
        channel=chosen,
        beats=tuple(song.beats[at] for at in kept if song.beats),
        beat_frames=tuple(song.beat_frames[at] for at in kept if song.beats),
    )
    return chosen_song, said
