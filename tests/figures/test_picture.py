"""A figure and its sentence: in a notebook, in files."""

import io
import struct
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter
from matplotlib import pyplot
from matplotlib.figure import Figure
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image

from nasbook.figures import Picture, style, together
from nasbook.runtime.errors import UsageError


def line():
    figure, ax = style.figure()
    ax.plot([0, 1], color=style.BLUE)
    return Picture(figure, "A line that rises from 0 to 1 – α.")


def test_a_notebook_shows_the_picture_once_with_its_sentence(alt_of):
    data, _ = DisplayFormatter().format(line())
    assert alt_of(data) == data["text/plain"] == "A line that rises from 0 to 1 – α."


def test_an_exported_page_reads_the_sentence(alt_of):
    picture = Picture(line().figure, 'A "rise" from 0 to 1 <of two>.')
    output = new_output("execute_result", data=picture._repr_mimebundle_(), execution_count=1)
    notebook = new_notebook(cells=[new_code_cell("picture", outputs=[output])])
    page, _ = HTMLExporter().from_notebook_node(notebook)
    assert alt_of({"text/html": page}) == picture.alt


@pytest.mark.parametrize("alt", ["", "  \n"])
def test_a_picture_without_a_sentence_is_refused(alt):
    with pytest.raises(UsageError, match="alt is empty"):
        Picture(Figure(), alt)


def test_pyplot_lets_go_of_the_figure():
    figure, ax = pyplot.subplots()
    ax.plot([1, 2])
    Picture(figure, "A line.")
    assert not pyplot.get_fignums()


def test_the_png_has_the_size_of_the_figure_and_its_colours():
    content = line().png()
    assert struct.unpack(">II", content[16:24]) == (605, 374)
    image = np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).reshape(-1, 3)
    blue = np.array([int(style.BLUE[i : i + 2], 16) for i in (1, 3, 5)])
    assert (np.abs(image.astype(int) - blue).sum(axis=1) < 12).sum() > 200
    assert (image == 255).all(axis=1).mean() > 0.5


def test_the_same_picture_gives_the_same_bytes():
    assert line().png() == line().png()
    assert line().svg() == line().svg()
    assert line()._bytes("pdf") == line()._bytes("pdf")


def test_saved_files(tmp_path):
    picture = line()
    assert picture.save(tmp_path / "a" / "line.png").read_bytes() == picture.png()
    root = ElementTree.fromstring(picture.save(tmp_path / "line.svg").read_text(encoding="utf-8"))
    assert root.tag.endswith("svg")
    assert picture.save(tmp_path / "line.pdf").read_bytes().startswith(b"%PDF")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "line.pdf", "line.svg"]


def test_another_kind_of_file_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"\.svg or \.pdf, not as 'line\.tex'"):
        line().save(tmp_path / "line.tex")
    assert not list(tmp_path.iterdir())


def test_pictures_on_one_figure_go_together():
    figure, (left, right) = style.figure("wide", columns=2)
    both = together(Picture(left.figure, "Left."), Picture(right.figure, "Right."))
    assert both.figure is figure
    assert both.alt == "Left. Right."


@pytest.mark.parametrize("pictures", [(), (Picture(Figure(), "a"), Picture(Figure(), "b"))])
def test_pictures_on_other_figures_do_not(pictures):
    with pytest.raises(UsageError, match="axes of one figure"):
        together(*pictures)
