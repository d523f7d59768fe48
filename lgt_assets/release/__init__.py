"""Files that leave the platform: one parquet per config, and a card."""
