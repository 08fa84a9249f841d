"""Ctrl-C, heeded wherever it strikes: while compiled code is imported, collected or running."""

import contextlib
import os
import signal
import sys
import threading
from types import FrameType
from typing import Any, NoReturn

# Seconds after which a Ctrl-C that got lost is raised again.
ANEW = 0.05


def heed_ctrl_c() -> list[int]:
    """Make Ctrl-C end this process whatever it does; a list that fills when it is pressed.

    It raises KeyboardInterrupt as ever. Where Python cannot pass an exception on (destructors, the
    callbacks of the garbage collector), it would be printed and forgotten: there it is raised again
    a moment later. Nothing changes where Ctrl-C is ignored, as in a background shell.
    """
    pressed: list[int] = []
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return pressed

    def note(number: int, frame: FrameType | None) -> None:
        pressed.append(number)
        signal.default_int_handler(number, frame)

    def lost(fault: Any) -> None:
        if issubclass(fault.exc_type, KeyboardInterrupt):
            threading.Timer(ANEW, os.kill, (os.getpid(), signal.SIGINT)).start()
        else:
            sys.__unraisablehook__(fault)

    signal.signal(signal.SIGINT, note)
    sys.unraisablehook = lost
    return pressed


def ignore_ctrl_c() -> None:
    """The process is ending: one more Ctrl-C must not turn that into a traceback."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def leave(code: int) -> NoReturn:
    """End this process at once. A thread that still computes, as after a second Ctrl-C, would be
    torn off inside compiled code, which aborts; what is kept stands on the disk whole already."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError):
            stream.flush()
    os._exit(code)
