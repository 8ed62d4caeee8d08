"""From a score to audio files: performer, mixer, offline render, worker processes."""
