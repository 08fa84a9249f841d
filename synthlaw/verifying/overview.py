"""Pictures that several claims share: what each shows, and the family at whose head it stands."""

BOARD = (
    "All verdicts: measured over predicted with its interval against the margin, "
    "the outcome of every claim and of its planted error."
)
_GROUPS = "0-1 error of every group under a spurious correlation along the oversampling ratio"
SHARED: dict[str, dict[str, str]] = {
    "imbalance": {
        "imbalance_curve": "Balanced excess risk of imbalanced classification along the oversampling "
        "ratio, a colour for each generator: theory as lines, simulation as points; below, their "
        "difference.",
    },
    "spurious": {
        "spurious_curve": "Balanced excess risk under a spurious correlation along the oversampling "
        "ratio: theory as lines, simulation as points; below, their difference.",
        "spurious_groups": f"{_GROUPS}; the worst group is emphasised.",
    },
    "scaling": {
        "scaling_curve": "Balanced excess risk along the number of synthetic rows at a fixed share: "
        "theory as lines with their floors, simulation as points, and a power law without a floor.",
        "mixture_law": "Maps over the share of synthetic rows and their number, a column for each kind "
        "of bias: above, true risk over the mixture law; below, true risk over that of the raw rows "
        "alone, with the best share and the one that the law holds for best.",
    },
    "proportional": {
        "proportional_curve": "0-1 errors with as many features as rows, along the oversampling ratio "
        "and along features per row: the limit as lines, simulation in several dimensions as points.",
        "overparameterised": "Worst-group and average error along the parameters per row: reweighting "
        "beside subsampling; the limit as lines, simulation as points.",
        "existence": "Share of samples that a hyperplane separates along features per row, in several "
        "dimensions, beside the limit, which jumps from 0 to 1.",
    },
    "nonparametric": {
        "exponent_ladder": "Local slopes of nonparametric excess risks less their exponents, against "
        "the number of rows: theory as lines, simulation as points, and where the slopes tend.",
        "series_curves": "Balanced excess risk of a penalised logistic series along the rows of a "
        "class: real, right-law and biased rows, with their laws and the floors of biased generators.",
    },
    "size": {
        "size_curve": "Excess risk along the number of synthetic rows: theory as a line, simulation as "
        "points, and the sizes that formulas and minimisation name.",
        "alignment": "The path of the training gradient as synthetic rows are added, one for each way a "
        "bias may lie to the imbalance; circles have equal floors, and a path is best where it comes "
        "closest to their centre.",
        "wald_calibration": "Wald's test of local symmetry: the share of p-values below a level when "
        "symmetry holds, and its power when it does not.",
    },
    "generation": {
        "smote_law": "How much SMOTE shrinks against the number of raw rows, in several dimensions: "
        "exact as lines, leading order dashed, measured as points.",
        "token_kl": "Divergence of a generator's law from the true one along seeds, tokens and layers: "
        "laws as lines, simulation as points.",
        "token_slack": "How much room the published rate leaves over vocabulary and seeds, a map for "
        "each number of layers.",
        "token_chain": "Slack of every link from a generator's divergence to a classifier's floor, a "
        "point for each law; right of 1 a link holds.",
        "token_seeds": "Balanced excess risk with endless rows of transformers that read n seeds, "
        "beside weighting the seeds: theory as lines, simulation as points.",
        "token_rows": "Balanced excess risk along synthetic rows at fixed raw rows, by what writes "
        "them: theory as lines, simulation as points.",
        "token_spurious": "Balanced and worst-group excess risk under a spurious attribute token, by "
        "what fills the minority groups.",
        "trained_kl": "Divergence along the number of seeds: a trained transformer, the Bayes "
        "predictive, constructed weights and maximum likelihood; below, trained over Bayes.",
        "attention": "Where the heads of a constructed and of a trained transformer look, on one "
        "context: a row of a panel is a position that reads, a column one that is read.",
    },
}
