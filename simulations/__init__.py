"""The worlds: settings, generators, estimators, exact population quantities, Monte Carlo.

Importing this package switches JAX to 64-bit floats: excess risks go down to 1e-7, which
single precision cannot hold.
"""

import jax

jax.config.update("jax_enable_x64", True)
