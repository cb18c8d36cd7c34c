"""What each kernel of `nasbook lab` runs first, as its $PYTHONSTARTUP: a reader may begin with a late cell."""

import contextlib

with contextlib.suppress(ImportError):  # a Python in a terminal of JupyterLab may have no nasbook
    __import__("nasbook.course.out_of_order", fromlist=["at_start"]).at_start()
del contextlib
