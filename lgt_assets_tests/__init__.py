"""Tests, mirroring the package; real tables, instances and processes throughout."""
