"""What a page on this computer sees of a live session: its whole state, waveforms and sound, by a local socket."""
