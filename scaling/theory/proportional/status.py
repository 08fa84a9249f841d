"""What became of a fixed point: a code, and for each a sentence with the remedy."""

SOLVED, UNCONVERGED, NO_ESTIMATOR, INFEASIBLE, UNRESOLVED, COLLAPSED, FREE = range(7)
REASONS = {
    SOLVED: "solved",
    UNCONVERGED: "the iteration did not converge; raise the ridge, or look at `history`",
    NO_ESTIMATOR: "no estimator exists: without a ridge these rows can be separated or interpolated, or "
    "leave a direction free; "
    "set ridge > 0, or give more rows (`existence.threshold` says how many)",
    INFEASIBLE: "the input describes no training sample; give shares that sum to 1, weights, "
    "variances and aspect above 0, ridge >= 0, finite means and rows of both labels",
    UNRESOLVED: "the scores spread too widely for the quadrature; raise the ridge",
    COLLAPSED: "the hinge loss is least at slope 0, so that every row gets the heavier label; "
    "weigh the rows of the lighter label more",
    FREE: "hardly a row reaches the kink of the hinge loss, so that an interval of intercepts is as good; "
    "lower the ridge",
}
