"""What a sweep is read from: a TOML file, or a dictionary of the same shape."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simulations.problems import InputError, one_sentence


def toml_file(path: Path) -> dict[str, Any]:
    """The content of a TOML file.

    Args:
        path: of the file.

    Raises:
        InputError: one sentence: no such file, a folder, no UTF-8 text, no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        remedy = "write one with `synthlaw init > SWEEP.toml`"
        raise InputError(one_sentence(f"{path}: there is no such file; {remedy}")) from None
    except IsADirectoryError:
        raise InputError(one_sentence(f"{path} is a folder; name the TOML file in it")) from None
    except OSError as error:
        fault = f"{path} cannot be read ({error.strerror}); check its permissions"
        raise InputError(one_sentence(fault)) from None
    except UnicodeDecodeError:
        raise InputError(one_sentence(f"{path} is not UTF-8 text; save it as UTF-8")) from None
    except tomllib.TOMLDecodeError as error:
        fault = f"{path} is not valid TOML: {error}; correct it there"
        raise InputError(one_sentence(fault)) from None


def plain(data: Any) -> Any:
    """NumPy arrays and numbers as the lists and numbers a TOML file would hold.

    >>> import numpy as np
    >>> plain({"ratios": np.array([0.0, 1.0]), "dim": np.int64(3)})
    {'ratios': [0.0, 1.0], 'dim': 3}
    """
    if isinstance(data, Mapping):
        return {key: plain(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [plain(value) for value in data]
    return data.tolist() if hasattr(data, "tolist") else data
