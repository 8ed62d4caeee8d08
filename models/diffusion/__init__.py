"""v-diffusion: noise, sampling steps, and the pipeline from a reference to a hit."""
