"""A local page on which the instrument is seen and played: a process of its own beside the daemon."""
