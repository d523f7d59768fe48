"""What is measured of one shard of one table after it was stored: rules that rows must keep, and rates that should stay in bounds."""
