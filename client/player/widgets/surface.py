"""Pictures on the screen: the lesson, coloured by a shader or ready in the screen's own pixels, and the camera."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from kivy.graphics import BindTexture, Color, InstructionGroup, Rectangle, RenderContext, SmoothRoundedRectangle
from kivy.graphics.opengl import GL_RENDERER, glGetString
from kivy.graphics.texture import Texture
from kivy.properties import BooleanProperty, NumericProperty
from kivy.uix.widget import Widget

from client.player import theme
from client.player.decode import Picture
from client.player.geometry import fitted
from client.player.widgets.look import look

# BT.601 and BT.709 (ITU-R): R = Y + a·V, G = Y − b·U − c·V, B = Y + d·U
_PLANES = """
$HEADER$
uniform sampler2D plane_u;
uniform sampler2D plane_v;
uniform vec4 matrix;
uniform vec2 levels;   // what black is, and by how much luminance is stretched
uniform float chroma;  // by how much colour is stretched
uniform vec2 used;     // share of each row that is picture: luminance, colour
void main(void) {
    float y = (texture2D(texture0, vec2(tex_coord0.x * used.x, tex_coord0.y)).r - levels.x) * levels.y;
    vec2 at = vec2(tex_coord0.x * used.y, tex_coord0.y);
    float u = (texture2D(plane_u, at).r - 0.50196) * chroma;
    float v = (texture2D(plane_v, at).r - 0.50196) * chroma;
    gl_FragColor = vec4(y + matrix.x * v, y - matrix.y * u - matrix.z * v, y + matrix.w * u, 1.0);
}
"""
_COLOURS = """
$HEADER$
uniform vec2 used;
void main(void) {
    gl_FragColor = texture2D(texture0, vec2(tex_coord0.x * used.x, tex_coord0.y));
}
"""
_BT709, _BT601 = (1.5748, 0.1873, 0.4681, 1.8556), (1.402, 0.3441, 0.7141, 1.772)
_BY_PROCESSOR = (b"llvmpipe", b"softpipe", b"swiftshader", b"software", b"gdi generic", b"basic render", b"swrast")


@cache
def no_gpu() -> bool:
    """Whether what draws the window is a program and no chip: there every pixel of a shader is processor time."""
    name = bytes(glGetString(GL_RENDERER) or b"").lower()
    return any(word in name for word in _BY_PROCESSOR)


class LessonPicture(Widget):
    """The lesson: `show` puts a decoded picture on the screen, letterboxed, under `radius` px of round corners."""

    ratio = NumericProperty(16 / 9)
    radius = NumericProperty(0)
    empty = BooleanProperty(True)
    __events__ = ("on_place",)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._planes: list[Any] = []
        self._next: list[Any] = []  # the last picture may still be drawn from while the next one comes
        self._shape: tuple[Any, ...] = ()
        with self.canvas:
            self._draw = RenderContext(use_parent_projection=True, use_parent_modelview=True, fs=_PLANES)
        with self._draw:
            Color(1, 1, 1, 1)
            self._bind_u, self._bind_v = BindTexture(index=1), BindTexture(index=2)
            self._rectangle = Rectangle(size=(0, 0))
        self._draw["plane_u"], self._draw["plane_v"] = 1, 2
        self._frame = Frame()
        self.canvas.add(self._frame.group)
        for name in ("pos", "size", "radius"):
            self.fbind(name, self._place)
        for token in ("EDGE", "GROUND"):
            look.fbind(token, self._place)

    @property
    def box(self) -> tuple[int, int] | None:
        """The pixels that a picture had best come in, as RGBA; None where a GPU scales and colours it."""
        return (max(int(self.width), 16), max(int(self.height), 16)) if no_gpu() else None

    def show(self, picture: Picture) -> None:
        """Upload the planes (on the screen's thread)."""
        sizes = self._sizes(picture)
        shape = (picture.width, picture.height, *sizes)
        if shape != self._shape:
            self._shape = shape
            self._allocate(picture, sizes)
        kind = "luminance" if len(sizes) == 3 else "rgba"
        self._planes, self._next = self._next, self._planes
        for texture, plane, size in zip(self._planes, picture.planes, sizes, strict=True):
            pixels = memoryview(plane)[: size[0] * size[1] * (4 if kind == "rgba" else 1)]
            texture.blit_buffer(pixels, colorfmt=kind, bufferfmt="ubyte", size=size)
        self._rectangle.texture = self._planes[0]
        if len(sizes) == 3:
            self._bind_u.texture, self._bind_v.texture = self._planes[1:]
        self._levels(picture)
        self.empty = False
        self.canvas.ask_update()

    def clear(self) -> None:
        """Nothing to show: the ground of the widget."""
        self._rectangle.size = (0, 0)
        self._frame.hide()
        self._shape = ()
        self.empty = True

    @staticmethod
    def _sizes(picture: Picture) -> list[tuple[int, int]]:
        if len(picture.strides) == 1:
            return [(picture.strides[0] // 4, picture.height)]
        low = (picture.height + 1) // 2
        luma, u, v = picture.strides
        return [(luma, picture.height), (u, low), (v, low)]

    def _allocate(self, picture: Picture, sizes: list[tuple[int, int]]) -> None:
        planes = len(sizes) == 3
        kind = "luminance" if planes else "rgba"
        self._planes, self._next = ([_texture(size, kind) for size in sizes] for _ in range(2))
        self._draw.shader.fs = _PLANES if planes else _COLOURS
        for texture in (*self._planes, *self._next):
            texture.flip_vertical()  # decoded rows run downwards
        self.ratio = picture.width / picture.height
        self._place()

    def _levels(self, picture: Picture) -> None:
        half = (picture.width + 1) // 2
        width = picture.strides[0] // (4 if len(picture.strides) == 1 else 1)
        self._draw["used"] = (picture.width / width, half / picture.strides[1] if len(picture.strides) == 3 else 0.0)
        if len(picture.strides) == 3:
            self._draw["matrix"] = _BT709 if picture.hd else _BT601
            self._draw["levels"] = (0.0, 1.0) if picture.full_range else (16 / 255, 255 / 219)
            self._draw["chroma"] = 1.0 if picture.full_range else 255 / 224

    def on_place(self) -> None:
        """It lies elsewhere, or is of another shape."""

    def _place(self, *_: Any) -> None:
        self.dispatch("on_place")
        if not self._shape:
            return
        size = fitted(self._shape[0], self._shape[1], (int(self.width), int(self.height)))
        at = (round(self.center_x - size[0] / 2), round(self.center_y - size[1] / 2))
        self._rectangle.size, self._rectangle.pos = size, at
        if len(self._planes) == 1:  # pixel on pixel, unless the window was just resized
            for texture in (*self._planes, *self._next):
                texture.min_filter = texture.mag_filter = "nearest" if self._shape[:2] == size else "linear"
        self._frame.lay(at, size, int(self.radius))


def _texture(size: tuple[int, int], kind: str) -> Any:
    made = Texture.create(size=size, colorfmt=kind, bufferfmt="ubyte")
    made.min_filter = made.mag_filter = "linear"
    return made


class Frame:
    """Round corners and a hair of an edge, laid over a picture: four small squares and four lines of one pixel."""

    def __init__(self) -> None:
        self.group = InstructionGroup()
        self._made: tuple[Any, ...] = ()

    def hide(self) -> None:
        """Nothing is framed."""
        self.group.clear()
        self._made = ()

    def lay(self, at: tuple[int, int], size: tuple[int, int], radius: int) -> None:
        """Frame this rectangle; no radius, no frame."""
        made = (at, size, radius, look.EDGE, look.GROUND)
        if made == self._made:
            return
        self.hide()
        self._made = made
        if radius <= 0:
            return
        (x, y), (w, h), r = at, size, radius
        corner = self._corner(r)
        self.group.add(Color(1, 1, 1, 1))
        for left, low, coords in (
            (x, y, (0, 0, 1, 0, 1, 1, 0, 1)), (x + w - r, y, (1, 0, 0, 0, 0, 1, 1, 1)),
            (x, y + h - r, (0, 1, 1, 1, 1, 0, 0, 0)), (x + w - r, y + h - r, (1, 1, 0, 1, 0, 0, 1, 0)),
        ):  # fmt: skip
            self.group.add(Rectangle(pos=(left, low), size=(r, r), texture=corner, tex_coords=coords))
        self.group.add(Color(*theme.rgba(look.EDGE)))
        for left, low, width, height in (
            (x + r, y, w - 2 * r, 1), (x + r, y + h - 1, w - 2 * r, 1),
            (x, y + r, 1, h - 2 * r), (x + w - 1, y + r, 1, h - 2 * r),
        ):  # fmt: skip
            self.group.add(Rectangle(pos=(left, low), size=(width, height)))

    @staticmethod
    def _corner(radius: int) -> Any:
        """The lower left corner: the ground outside of the arc, the edge's colour on it, nothing inside."""
        from_middle = radius - (np.arange(radius) + 0.5)
        beyond = np.hypot(from_middle[:, None], from_middle[None, :]) - radius  # px outside of the arc
        outside = np.clip(beyond + 0.5, 0, 1)[..., None]
        edge, ground = (np.array(theme.rgba(colour)[:3]) for colour in (look.EDGE, look.GROUND))
        pixels = np.empty((radius, radius, 4))
        pixels[..., :3] = edge * (1 - outside) + ground * outside
        pixels[..., 3] = np.clip(beyond + 1.5, 0, 1)
        made = _texture((radius, radius), "rgba")
        made.min_filter = made.mag_filter = "nearest"
        made.blit_buffer((pixels * 255).round().astype(np.uint8).tobytes(), colorfmt="rgba", bufferfmt="ubyte")
        return made


class CameraMirror(Widget):
    """The camera as a mirror: turned round for display only, cut to the widget's shape, with round corners."""

    live = BooleanProperty(False)
    radius = NumericProperty(theme.RADIUS)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._texture: Any = None
        self._next: Any = None  # the last one may still be drawn from
        with self.canvas:
            self._colour = Color(*theme.rgba(look.NIGHT))
            self._shape = SmoothRoundedRectangle(radius=[self.radius])
        for name in ("pos", "size", "radius"):
            self.fbind(name, self._place)

    def show(self, preview: tuple[int, int, bytes] | None) -> None:
        """Show width, height, RGB24 bytes; None when there is no picture."""
        if preview is None or min(self.size) < 8:
            self._blank()
            return
        width, height, data = preview
        pixels = np.frombuffer(data, np.uint8)[: width * height * 3].reshape(height, width, 3)
        step = max(1, int(min(width / self.width, height / self.height)))  # no more pixels than the widget shows
        pixels = self._cut(pixels[::step, ::step])[:, ::-1]  # as in a mirror
        rows, columns = pixels.shape[:2]
        if self._texture is None or self._texture.size != (columns, rows):
            self._texture, self._next = (Texture.create(size=(columns, rows), colorfmt="rgb") for _ in range(2))
        self._texture, self._next = self._next, self._texture
        self._shape.texture = self._texture
        self._texture.blit_buffer(np.ascontiguousarray(pixels).tobytes(), colorfmt="rgb", bufferfmt="ubyte")
        self._colour.rgba = (1, 1, 1, 1)
        self.live = True
        self.canvas.ask_update()

    def _cut(self, pixels: Any) -> Any:
        """The middle of the picture in the widget's proportions."""
        height, width = pixels.shape[:2]
        wanted = self.width / self.height
        if width / height > wanted:
            keep = max(int(height * wanted), 1)
            left = (width - keep) // 2
            return pixels[:, left : left + keep]
        keep = max(int(width / wanted), 1)
        top = (height - keep) // 2
        return pixels[top : top + keep]

    def _blank(self) -> None:
        if self.live or self._texture is not None:
            self._texture = self._next = self._shape.texture = None
        self._colour.rgba = theme.rgba(look.NIGHT)
        self.live = False

    def _place(self, *_: Any) -> None:
        self._shape.pos, self._shape.size = self.pos, self.size
        self._shape.radius = [self.radius]
