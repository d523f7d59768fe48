"""People judging rows: a page with a sample of a table, and what their verdicts say of it."""
