"""The codes of a plan's warnings; each has a line in paper_notes/planning.md and a page in warnings/."""

CODES = (
    "missing_labels",
    "empty_column",
    "constant_column",
    "index_column",
    "text_column",
    "many_levels",
    "columns_as_numbers",
    "few_rows",
    "symmetry_unreliable",
    "edge",
    "no_quality_score",
    "generator_bias",
    "not_converged",
    "sampled_rows",
    "unused_rows",
    "copies",
    "near_copies",
    "heldout_copies",
    "broken_relations",
    "sampled",
)
