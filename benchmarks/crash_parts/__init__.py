"""Processes of benchmarks.crash: the server that answers by rule, and the run that is killed."""
