"""Every interactive picture: a box of ipywidgets that also reads without a kernel."""
