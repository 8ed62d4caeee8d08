"""MIDI: events, the byte parser, standard MIDI files, and humanized timing."""
