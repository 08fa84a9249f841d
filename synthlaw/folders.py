"""Places to write to, tried before anything is computed."""

import tempfile
from pathlib import Path

from simulations.problems import InputError, one_sentence


def check_folder(folder: Path) -> None:
    """Raise `InputError` unless files can be written into ``folder``, which need not exist yet.

    The trial leaves nothing behind: folders it had to make are removed again.
    """
    made: list[Path] = []
    try:
        for each in [*reversed(folder.parents), folder]:
            if not each.exists():
                each.mkdir()
                made.append(each)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        fault = f"{folder}: cannot write there ({error.strerror}); choose another --out"
        raise InputError(one_sentence(fault)) from None
    finally:
        for each in reversed(made):
            each.rmdir()


def check_file(path: Path) -> None:
    """Raise `InputError` unless the file ``path`` can be written."""
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file in it, such as {path / 'table.csv'}.")
    check_folder(path.parent)
