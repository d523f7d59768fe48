"""Model engines: requests in, completions out. Engines know nothing of questions."""
