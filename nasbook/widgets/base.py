"""What widgets of the book share: a picture where no kernel runs, and a state that goes out and in as a short text."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import ipywidgets as widgets

from nasbook.widgets import page
from nasbook.widgets.state import State, names
from nasbook.widgets.work import Work

if TYPE_CHECKING:
    from nasbook.figures.picture import Picture

StateType = TypeVar("StateType", bound=State)


class StaticFallback:
    """A mixin for a box of widgets, put before it: `class Lens(StaticFallback, widgets.VBox)`.

    The box fits the page at any width. Its controls have names for screen readers. It says when it computes for long.
    Without a kernel it is a picture.
    """

    def __init__(self, children: Iterable[Any] = (), **traits: Any) -> None:
        unseen = [self.work.shown, page.companion()]
        super().__init__([*children, *unseen], **traits)  # type: ignore[call-arg]
        self.add_class(page.BOX)  # type: ignore[attr-defined]

    @cached_property
    def work(self) -> Work:
        """Tells the reader when the widget computes for long, and ignores clicks meanwhile."""
        return Work()

    def _button(
        self, description: str, tooltip: str, action: Callable[[], Any], *, width: str = "auto"
    ) -> widgets.Button:
        """A button with one action. A click is ignored while an earlier click is being answered."""
        made = widgets.Button(description=description, tooltip=tooltip, layout={"width": width})
        made.on_click(lambda _button: self.work.clicked(action))
        return made

    def figure(self) -> Picture:
        """The current state as a picture; every subclass has its own."""
        raise NotImplementedError(f"{type(self).__name__} has no picture.")

    def _draw(self, _change: Any = None) -> None:
        """Draw the current state; every subclass that is drawn has its own."""
        raise NotImplementedError(f"{type(self).__name__} draws nothing.")

    def _redraw(self, _change: Any = None) -> None:
        """Draw the current state, and tell the reader if this takes long."""
        with self.work:
            self._draw()

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """The live view, the picture with its words, and the words alone."""
        live: Any = super()
        return {**(live._repr_mimebundle_(**kwargs) or {}), **self.figure()._repr_mimebundle_()}


class Stateful(StaticFallback, widgets.VBox, Generic[StateType]):
    """A box of widgets that shows one state, whose fields are traits of the box.

    A subclass names its `state_type`, declares the traits, and says in `_draw` how a state is drawn.
    """

    state_type: type[StateType]

    def state(self) -> str:
        """What is shown, as a short text that `state=` of the widget and `restore` take back."""
        return str(self._state())

    def restore(self, text: str) -> None:
        """Show a state that `state()` returned.

        Raises:
            UsageError: the text has another form, or says what is not there; then nothing changes.
        """
        self._show(self._read(text))

    def _read(self, text: str) -> StateType:
        return self._allowed(self.state_type.parse(text))

    def _allowed(self, state: StateType) -> StateType:
        """The same state, or a UsageError where this widget has not what it names."""
        return state

    def _state(self) -> StateType:
        return self._make(**self._values())

    def _make(self, **values: Any) -> StateType:
        """The state of these values of the traits."""
        return self.state_type(**values)

    def _values(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in names(self.state_type)}

    def _show(self, state: StateType) -> None:
        with self.hold_trait_notifications():
            for name in names(state):
                self.set_trait(name, getattr(state, name))

    def _checked(self, proposal: Any) -> Any:
        """A trait's new value, or a UsageError where no state has it beside the other traits."""
        self._allowed(self._make(**{**self._values(), proposal["trait"].name: proposal["value"]}))
        return proposal["value"]

    def _begin(self, state: StateType, controls: Iterable[tuple[str, Any]], value: str = "value") -> None:
        """Show a state; from now on each control and its trait follow each other, and every change is drawn.

        Args:
            state: the first one.
            controls: each with the name of its trait.
            value: what of a control its trait is.
        """
        controls = list(controls)
        self._show(state)

        def follow(_change: Any = None) -> None:
            for name, control in controls:
                setattr(control, value, getattr(self, name))
            self._redraw()

        for name, control in controls:
            control.observe(lambda change, name=name: self.set_trait(name, change["new"]), names=value)
        self.observe(follow, names=list(names(self.state_type)))
        follow()
