"""Parts of benchmarks.scale."""
