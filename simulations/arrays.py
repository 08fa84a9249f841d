"""The type of arrays in records that cross the border of a compiled program.

Such a record holds NumPy arrays outside and JAX arrays inside; no static type says both.
"""

from typing import Any

AnyArray = Any
# Laws in such a record: Gaussian `Atoms` or, in the setting craft, a `Table` of rows. Where it matters
# the code asks which, while a program is traced.
AnyLaws = Any
