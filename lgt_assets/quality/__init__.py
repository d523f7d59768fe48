"""What is measured of one shard of one table once it is stored: rules that rows must keep, rates that should stay in bounds."""
