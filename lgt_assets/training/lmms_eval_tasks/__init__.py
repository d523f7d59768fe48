"""Files that `lgt suites` copies: tasks for lmms-eval and what they call. Nothing of this package imports them."""
