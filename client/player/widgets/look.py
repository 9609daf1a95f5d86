"""The colours and the size of text of now, as values that widgets follow: `theme.INK`, `theme.scale` in kv."""

from __future__ import annotations

from typing import Any, Final

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, NumericProperty, StringProperty

from client.player import theme

# mood → icon, and the names of its ink, tint and the ink on the tint
_MOODS: Final = {
    "good": ("check", "GREEN", "GREEN_TINT", "GREEN_INK"),
    "todo": ("alert", "AMBER", "AMBER_TINT", "AMBER_INK"),
    "unknown": ("unknown", "OFF_INK", "GREY_TINT", "OFF_INK"),
    "plain": ("", "BLUE", "BLUE_TINT", "BLUE"),
    "live": ("", "SNOW", "NIGHT", "SNOW"),  # over the picture
}
MOODS: Final = tuple(_MOODS)
Three = tuple[str, str, str]


# One property a token of the theme
_Colours: Any = type("_Colours", (EventDispatcher,), {name: StringProperty(hue) for name, hue in theme.LIGHT.items()})


class Look(_Colours):
    """One for the whole window; setting `dark` or `scale` redraws whatever is on it."""

    dark = BooleanProperty(False)
    scale = NumericProperty(1.0)  # of the text, 1 to 2
    SMALL, BODY, HEAD, TITLE = theme.SMALL, theme.BODY, theme.HEAD, theme.TITLE
    UNIT, RADIUS, TARGET, ICON_ROOM = theme.UNIT, theme.RADIUS, theme.TARGET, theme.ICON_ROOM
    PANEL, COLUMN, BAR, WIDE = theme.PANEL, theme.COLUMN, theme.BAR, theme.WIDE

    def on_dark(self, *_: Any) -> None:
        """Every token takes the colour of the other table."""
        for name, colour in (theme.DARK if self.dark else theme.LIGHT).items():
            setattr(self, name, colour)

    def colour(self, name: str) -> str:
        """The colour of a token now."""
        return str(getattr(self, name))

    def mood(self, mood: str, _dark: bool = False) -> tuple[str, str, str, str]:
        """Icon, ink, tint and ink on the tint of a mood. kv passes `theme.dark` along to be told of a change."""
        icon, *names = _MOODS[mood]
        ink, tint, on_tint = (self.colour(name) for name in names)
        return icon, ink, tint, on_tint

    def push(self, kind: str, disabled: bool, state: str, _dark: bool = False) -> Three:
        """Ground, ink and edge of a button."""
        if kind == "primary":
            if disabled:
                return self.colour("GREY_TINT"), self.colour("OFF_INK"), self.colour("GREY_TINT")
            ground = self.colour("BLUE_DOWN" if state == "down" else "BLUE")
            return ground, self.colour("ON_BLUE"), ground
        if kind == "night":
            return self.colour("NIGHT_EDGE" if state == "down" else "NIGHT"), self.colour("SKY"), self.colour("NIGHT")
        ink = self.colour("OFF_INK" if disabled else "BLUE" if kind == "plain" else "INK")
        ground = self.colour("GREY_TINT" if state == "down" else "CARD")
        return ground, ink, self.colour("EDGE") if kind == "quiet" else ground


look: Any = Look()
