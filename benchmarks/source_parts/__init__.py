"""What the benchmark of sources reads."""
