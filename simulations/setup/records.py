"""The validated, frozen record all settings are made of, and the numbers allowed in them."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AllowInfNan, BaseModel, ConfigDict, Field, Strict, model_validator

from simulations.problems import check_keys, problem, show

# Strict numbers: true is not 1, "2" is not 2, and nothing is infinite or undefined.
Real = Annotated[float, Strict(), AllowInfNan(False)]
Whole = Annotated[int, Strict()]
Flag = Annotated[bool, Strict()]
Positive = Annotated[Real, Field(gt=0.0)]
NonNegative = Annotated[Real, Field(ge=0.0)]
# Row numbers stay far below what a 64-bit integer holds, also after multiplication by a ratio.
Count = Annotated[Whole, Field(gt=0, le=10**12)]
RowNumber = Annotated[Whole, Field(ge=0, le=10**12)]
Ratio = Annotated[Real, Field(ge=0.0, le=1e6)]
Name = Annotated[str, Strict(), Field(min_length=1)]


class Record(BaseModel):
    """A frozen table of named values; an unknown key is refused with the nearest known one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            check_keys(data, cls.model_fields)
        return data


def unique(field: str, values: tuple[Any, ...]) -> None:
    """Raise a problem when ``values`` holds an entry twice."""
    for position, value in enumerate(values):
        if value in values[:position]:
            raise problem(field, f"lists {show(value)} twice; name each entry once")
