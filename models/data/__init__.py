"""The corpus: files, manifest, pairs of strokes, augmentation."""
