"""The type of arrays in records that cross the border of a compiled program.

Such a record holds NumPy arrays outside and JAX arrays inside; no static type says both.
"""

from typing import Any

AnyArray = Any
