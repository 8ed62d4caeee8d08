"""What is measured on a corpus before training, and kept with the weights."""
