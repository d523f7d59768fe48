"""The method as pure functions: what to ask, and what rows the answers make. No dagster, no tables, no models."""
