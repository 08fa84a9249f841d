"""Places to write to, tried before anything is computed."""

import tempfile
from pathlib import Path

from simulations.problems import InputError, one_sentence


def check_folder(folder: Path) -> None:
    """Raise `InputError` unless files can be written into ``folder``, which need not exist yet.

    The trial leaves nothing behind, and disturbs no other process that makes the same folder: for
    one that does not exist, the nearest folder above it that does is tried.
    """
    try:
        nearest = next(each for each in (folder, *folder.absolute().parents) if each.exists())
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        fault = f"{folder}: cannot write there ({error.strerror}); choose another --out"
        raise InputError(one_sentence(fault)) from None


def check_run(folder: Path) -> None:
    """Raise `InputError` unless a run can be written into ``folder``, which need not exist yet."""
    from simulations.runs.store import MANIFEST, SHARDS
    from synthlaw.runfolder import TABLE

    check_folder(folder)
    for path in (folder / MANIFEST, folder / TABLE):
        if path.is_dir():
            raise InputError(f"{path} is a folder; move it away or choose another --out.")
    shards = folder / SHARDS
    if shards.exists() and not shards.is_dir():
        raise InputError(f"{shards} is not a folder; move it away or choose another --out.")
    check_folder(shards)


def check_file(path: Path) -> None:
    """Raise `InputError` unless the file ``path`` can be written."""
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file in it, such as {path / 'table.csv'}.")
    check_folder(path.parent)
