"""An interruption of a long run, by Ctrl-C or by the stop button of a notebook, said in one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

CALL = "Interrupted. The same call goes on from the last finished epoch where its run is kept in a folder (run=FOLDER)."


@contextmanager
def explained(sentence: str) -> Iterator[None]:
    """Show a sentence in place of the traceback where a notebook's cell is interrupted within.

    The interruption goes on to the caller as the KeyboardInterrupt that it is.
    """
    try:
        yield
    except KeyboardInterrupt as stop:
        if not hasattr(stop, "_render_traceback_"):  # what IPython shows; an inner scope knows more
            stop._render_traceback_ = lambda: [sentence]  # type: ignore[attr-defined]
        raise
