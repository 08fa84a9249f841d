"""The command line: runs a command and turns every fault into one sentence and an exit status."""

import errno
import os
import sys

from typer.exceptions import TyperException

from synthlaw.commands import app
from synthlaw.interruption import heed_ctrl_c, ignore_ctrl_c, leave
from synthlaw.output import BAD_INPUT, INTERRUPTED, fault

COMMANDS = tuple(each.callback.__name__ for each in app.registered_commands if each.callback)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit status; every fault is one sentence."""
    given = sys.argv[1:] if arguments is None else arguments
    # The global switches may stand anywhere; the parser wants them first.
    switches = [each for each in given if each in ("--json", "--quiet")]
    rest = [each for each in given if each not in switches]
    own_process = arguments is None
    pressed = heed_ctrl_c() if own_process else []
    try:
        code = _run([*switches, *rest])
    except Exception:
        if not pressed:
            raise
        # Compiled code may turn an interruption into a fault of its own.
        code = INTERRUPTED
    if code == INTERRUPTED:
        if own_process:
            ignore_ctrl_c()
        fault("Interrupted; run the same command again.")
    if own_process and code in (INTERRUPTED, BAD_INPUT):
        leave(code)
    sys.exit(code)


def _run(arguments: list[str]) -> int:
    try:
        code = app(arguments, prog_name="synthlaw", standalone_mode=False) or 0
    except TyperException as error:
        asked = next((each for each in arguments if not each.startswith("-")), "")
        where = f"synthlaw {asked}" if asked in {*COMMANDS} else "synthlaw"
        fault(f"{where}: {error.format_message().rstrip('.')}; see {where} --help.")
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has had enough; there is no one left to tell.
        sys.stdout = None  # type: ignore[assignment]
        return 0
    except OSError as error:
        fault(_system_fault(error))
        return BAD_INPUT
    except ValueError as error:
        if not _is_input_error(error):
            raise
        fault(str(error))
        return BAD_INPUT
    return code


def _system_fault(error: OSError) -> str:
    """What the system refused, in one sentence with the remedy."""
    where, what = str(error.filename or "the output folder"), error.strerror or str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        what += "; make room there and run the same command again, or choose another --out."
        return f"{os.path.dirname(where) or where}: {what}"
    return f"{where}: {what}; mend that and run the same command again, or choose another --out."


def _is_input_error(error: ValueError) -> bool:
    from simulations.problems import InputError

    return isinstance(error, InputError)
