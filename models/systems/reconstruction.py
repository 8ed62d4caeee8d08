"""How well an autoencoder keeps hits."""

from dataclasses import dataclass

from torch import Tensor

from ghostnote.models.dsp.spectral_loss import log_spectral_distance_db, signal_to_noise_db


@dataclass(frozen=True)
class Reconstruction:
    """Hits beside what their codes or latents decode to, as medians over hits."""

    signal_to_noise_db: float
    """Of the waveform: infinite where it is kept, 0 where nothing is."""
    log_spectral_distance_db: float
    """Of the spectra at three resolutions."""
    perplexity: float | None = None
    """How many codes, evenly used, would be as varied as theirs; None without a codebook."""

    def figures(self) -> dict[str, float]:
        """Return the values that there are, by names for a table."""
        named = {
            "signal to noise, dB": self.signal_to_noise_db,
            "log-spectral distance, dB": self.log_spectral_distance_db,
            "perplexity of codes": self.perplexity,
        }
        return {name: value for name, value in named.items() if value is not None}


def measure_reconstruction(decoded: Tensor, audio: Tensor, perplexity: float | None = None) -> Reconstruction:
    """Return how near hits `decoded` (batch, frames) are to those that went in, `audio` (batch, frames)."""
    noise, spectrum = signal_to_noise_db(decoded, audio), log_spectral_distance_db(decoded, audio)
    return Reconstruction(float(noise.median()), float(spectrum.median()), perplexity)
