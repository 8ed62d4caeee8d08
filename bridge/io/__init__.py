"""Audio files and other files: read, checked, and written whole or not at all."""
