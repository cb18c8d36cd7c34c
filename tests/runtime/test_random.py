"""Random streams: equal seeds, isolation from the rest of the process, and exact continuation."""

import torch

from nasbook.runtime.random import RandomStream


def draw(stream):
    with stream.scope() as generator:
        return torch.cat([torch.randn(3), torch.randn(3, generator=generator)])


def test_equal_seeds_give_equal_numbers_whatever_happens_outside():
    torch.manual_seed(1)
    first = draw(RandomStream(7))
    torch.manual_seed(2)
    torch.randn(100)
    assert torch.equal(draw(RandomStream(7)), first)
    assert not torch.equal(draw(RandomStream(8)), first)


def test_the_process_is_left_as_it_was():
    torch.manual_seed(1)
    expected = torch.randn(3)
    torch.manual_seed(1)
    draw(RandomStream(7))
    assert torch.equal(torch.randn(3), expected)


def test_two_streams_do_not_disturb_each_other():
    alone = RandomStream(7)
    expected = [draw(alone) for _ in range(3)]
    stream, instrument = RandomStream(7), RandomStream(9)
    seen = []
    for _ in range(3):
        seen.append(draw(stream))
        draw(instrument)
    assert all(torch.equal(a, b) for a, b in zip(seen, expected, strict=True))


def test_a_saved_stream_goes_on_where_it_stood():
    stream = RandomStream(7)
    draw(stream)
    state = {name: value.clone() for name, value in stream.state_dict().items()}
    expected = draw(stream)
    other = RandomStream(0)
    other.load_state_dict(state)
    assert torch.equal(draw(other), expected)


def test_a_state_of_another_device_gives_what_both_have():
    stream = RandomStream(7)
    state = {name: value.clone() for name, value in stream.state_dict().items()}
    expected = draw(stream)
    other = RandomStream(0)
    other.load_state_dict(state | {"cuda": torch.zeros(16, dtype=torch.uint8)})
    assert list(other.state_dict()) == ["generator", "cpu"]
    assert torch.equal(draw(other), expected)
    fresh = RandomStream(0)
    own = fresh.state_dict()["cpu"].clone()
    fresh.load_state_dict({"generator": state["generator"]})  # as from a device whose state is not kept here
    assert torch.equal(fresh.state_dict()["cpu"], own)


def test_the_state_comes_back_after_an_error():
    torch.manual_seed(1)
    expected = torch.randn(3)
    torch.manual_seed(1)
    try:
        with RandomStream(7).scope():
            torch.randn(5)
            raise RuntimeError
    except RuntimeError:
        pass
    assert torch.equal(torch.randn(3), expected)


def test_after_a_rewind_the_same_is_drawn_again():
    """From the generator and from torch's global state, and both go on as if nothing had been."""
    stream = RandomStream(7)
    with stream.scope() as generator:
        mark = stream.mark()
        tries = []
        for _ in range(3):
            stream.rewind(mark)
            tries.append((torch.rand(3, generator=generator), torch.randn(3)))
    assert all(torch.equal(a, b) for pair in tries[1:] for a, b in zip(pair, tries[0], strict=True))
    again = RandomStream(7)
    with again.scope() as generator:
        assert torch.equal(torch.rand(3, generator=generator), tries[0][0])
        assert torch.equal(torch.randn(3), tries[0][1])
    assert torch.equal(draw(stream), draw(again))
