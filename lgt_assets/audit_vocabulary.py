"""The closed vocabularies of audits. Light: the command line reads them at every start."""

VERDICTS = ("right", "wrong")
ERROR_KINDS = ("perception", "logic", "leak", "wrong_key", "ambiguous", "format")
AUDITED_TABLES = ("seed_questions", "composed_questions", "distilled_cots", "expanded_traces", "preference_pairs")
