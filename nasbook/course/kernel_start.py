"""Each kernel of `nasbook lab` runs this first ($PYTHONSTARTUP), so that errors of late cells are explained too."""

import contextlib

with contextlib.suppress(ImportError):  # a Python in a terminal of JupyterLab may have no nasbook
    __import__("nasbook.course.out_of_order", fromlist=["at_start"]).at_start()
del contextlib
