import pytest

from nasbook.analysis.published_eigenvalues import published_eigenvalues


def test_standard_darts_is_the_first_row():
    """Zela et al. 2020, S1 on CIFAR-10: the eigenvalue quadruples while nearly all operations become skips."""
    standard = published_eigenvalues()[0]
    assert (standard.drop_path, standard.w_decay) == (0, 3e-4)
    assert standard.epochs == (0, 10, 20, 30, 40, 49)
    assert standard.eigenvalues[-1] / standard.eigenvalues[0] == pytest.approx(3.9, abs=0.1)
    assert standard.skips == (7, 7, 7)


def test_both_remedies_leave_fewer_skips():
    rows = published_eigenvalues()
    assert len(rows) == 8
    decays = [row for row in rows if not row.drop_path]
    assert [row.w_decay for row in decays] == sorted(row.w_decay for row in decays)
    assert sum(decays[-1].skips) < sum(decays[0].skips)
    assert all(sum(row.skips) < sum(decays[0].skips) for row in rows if row.drop_path)
    assert all(0 <= count <= 8 for row in rows for count in row.skips)
