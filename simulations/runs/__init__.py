"""Monte Carlo runs: who computes, until when, what is kept, and what comes out."""
