"""The daemon: MIDI and OSC in, audio out, block by block."""
