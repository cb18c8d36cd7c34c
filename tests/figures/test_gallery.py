import pytest
import torch

from nasbook import spaces
from nasbook.figures.gallery import gallery
from nasbook.runtime.errors import UsageError


def test_every_cell_stands_under_its_name_and_is_told():
    cells = {name: spaces.get(name, nodes=2) for name in ("s1", "s2", "s3")}
    picture = gallery(cells)
    assert [axis.get_title() for axis in picture.axes] == ["s1", "s2", "s3", ""]
    assert not picture.axes[3].axison
    for name in cells:
        assert f"{name}. The normal cell of space {name}" in picture.alt
    assert all(len(axis.patches) >= 5 for axis in picture.axes[:3])


def test_architectures_of_several_families_stand_side_by_side():
    draw = torch.Generator().manual_seed(0)
    names = ("s2", "nas-bench-201", "nas-bench-1shot1-2")
    cells = {name: spaces.get(name).sample(draw) for name in names}
    picture = gallery(cells)
    assert all(f"{name}. " in picture.alt for name in cells)


def test_no_label_of_an_architecture_covers_a_node():
    for seed in range(3):
        draw = torch.Generator().manual_seed(seed)
        picture = gallery({name: spaces.get(name, nodes=2).sample(draw) for name in ("s1", "s2", "s3", "s4")})
        for axis in picture.axes:
            boxes = {patch.get_gid(): patch.get_window_extent() for patch in axis.patches}
            labels = [box for key, box in boxes.items() if key.startswith("label")]
            nodes = [box for key, box in boxes.items() if key.startswith("node")]
            assert (len(labels), len(nodes)) == (4, 5)
            assert not any(label.overlaps(node) for label in labels for node in nodes)


def test_an_empty_gallery_and_a_cell_that_is_not_there_are_refused():
    with pytest.raises(UsageError, match="at least one cell"):
        gallery({})
    with pytest.raises(UsageError, match="'reduce'"):
        gallery({"cell": spaces.get("nas-bench-201")}, "reduce")
