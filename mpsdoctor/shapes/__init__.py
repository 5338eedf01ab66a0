"""The embedded text-to-image model: what it understands, how it is trained and judged."""
