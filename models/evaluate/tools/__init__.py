"""The sound tools, judged on the hits of a split: each beside a baseline, with what it should reach."""
