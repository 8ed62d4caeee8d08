"""Signal processing on arrays: limiter, loudness, dither, stereo image, tail crossfade, attack, velocity."""
