"""Pictures on the screen: the lesson from three planes by a shader, and the camera as a mirror."""

from __future__ import annotations

from typing import Any

import numpy as np
from kivy.graphics import BindTexture, Color, Rectangle, RenderContext, SmoothRoundedRectangle
from kivy.graphics.texture import Texture
from kivy.properties import BooleanProperty, NumericProperty
from kivy.uix.widget import Widget

from client.player import theme
from client.player.decode import Picture
from client.player.widgets.look import look

# BT.601 and BT.709 (ITU-R): R = Y + a·V, G = Y − b·U − c·V, B = Y + d·U
_SHADER = """
$HEADER$
uniform sampler2D plane_u;
uniform sampler2D plane_v;
uniform vec4 matrix;
uniform vec2 levels;   // what black is, and by how much luminance is stretched
uniform float chroma;  // by how much colour is stretched
uniform vec2 used;     // share of each row that is picture: luminance, colour
uniform vec3 corner;   // width, height and radius in px
uniform vec4 hair;     // colour of the hair around the picture, 0 for none
void main(void) {
    float y = (texture2D(texture0, vec2(tex_coord0.x * used.x, tex_coord0.y)).r - levels.x) * levels.y;
    vec2 at = vec2(tex_coord0.x * used.y, tex_coord0.y);
    float u = (texture2D(plane_u, at).r - 0.50196) * chroma;
    float v = (texture2D(plane_v, at).r - 0.50196) * chroma;
    vec3 rgb = vec3(y + matrix.x * v, y - matrix.y * u - matrix.z * v, y + matrix.w * u);
    vec2 from = abs((tex_coord0 - 0.5) * corner.xy) - corner.xy * 0.5 + corner.z;
    float edge = min(max(from.x, from.y), 0.0) + length(max(from, 0.0)) - corner.z;
    rgb = mix(clamp(rgb, 0.0, 1.0), hair.rgb, hair.a * clamp(edge + 1.5, 0.0, 1.0));
    gl_FragColor = vec4(rgb, clamp(0.5 - edge, 0.0, 1.0)) * frag_color;
}
"""
_BT709, _BT601 = (1.5748, 0.1873, 0.4681, 1.8556), (1.402, 0.3441, 0.7141, 1.772)


class LessonPicture(Widget):
    """The lesson: `show` puts a decoded picture on the screen, letterboxed; no colour is computed on the CPU."""

    ratio = NumericProperty(16 / 9)
    radius = NumericProperty(0)
    empty = BooleanProperty(True)
    __events__ = ("on_place",)

    def __init__(self, **kwargs: Any) -> None:
        self.canvas = RenderContext(use_parent_projection=True, use_parent_modelview=True)
        self.canvas.shader.fs = _SHADER
        super().__init__(**kwargs)
        self._planes: list[Any] = []
        self._shape: tuple[int, ...] = ()
        with self.canvas:
            Color(1, 1, 1, 1)
            self._bind_u, self._bind_v = BindTexture(index=1), BindTexture(index=2)
            self._rectangle = Rectangle(size=(0, 0))
        self.canvas["plane_u"], self.canvas["plane_v"] = 1, 2
        for name in ("pos", "size", "radius"):
            self.fbind(name, self._place)

    def show(self, picture: Picture) -> None:
        """Upload the planes (on the screen's thread)."""
        shape = (picture.width, picture.height, *picture.strides)
        if shape != self._shape:
            self._allocate(picture)
            self._shape = shape
        sizes = self._sizes(picture)
        for texture, plane, size in zip(self._planes, picture.planes, sizes, strict=True):
            texture.blit_buffer(bytes(plane)[: size[0] * size[1]], colorfmt="luminance", bufferfmt="ubyte", size=size)
        self._levels(picture)
        self.empty = False
        self.canvas.ask_update()

    def clear(self) -> None:
        """Nothing to show: the ground of the widget."""
        self._rectangle.size = (0, 0)
        self._shape = ()
        self.empty = True

    @staticmethod
    def _sizes(picture: Picture) -> list[tuple[int, int]]:
        low = (picture.height + 1) // 2
        luma, u, v = picture.strides
        return [(luma, picture.height), (u, low), (v, low)]

    def _allocate(self, picture: Picture) -> None:
        self._planes = [self._texture(size) for size in self._sizes(picture)]
        self._rectangle.texture, self._bind_u.texture, self._bind_v.texture = self._planes
        self._rectangle.tex_coords = (0, 1, 1, 1, 1, 0, 0, 0)  # decoded rows run downwards
        self.ratio = picture.width / picture.height
        self._place()

    @staticmethod
    def _texture(size: tuple[int, int]) -> Any:
        made = Texture.create(size=size, colorfmt="luminance", bufferfmt="ubyte")
        made.min_filter = made.mag_filter = "linear"
        return made

    def _levels(self, picture: Picture) -> None:
        self.canvas["matrix"] = _BT709 if picture.hd else _BT601
        self.canvas["levels"] = (0.0, 1.0) if picture.full_range else (16 / 255, 255 / 219)
        self.canvas["chroma"] = 1.0 if picture.full_range else 255 / 224
        half = (picture.width + 1) // 2
        self.canvas["used"] = (picture.width / picture.strides[0], half / picture.strides[1])

    def on_place(self) -> None:
        """It lies elsewhere, or is of another shape."""

    def _place(self, *_: Any) -> None:
        self.dispatch("on_place")
        if not self._planes:
            return
        width = min(self.width, self.height * self.ratio)
        height = width / self.ratio
        self._rectangle.size = (width, height)
        self._rectangle.pos = (round(self.center_x - width / 2), round(self.center_y - height / 2))
        self.canvas["corner"] = (float(width), float(height), float(max(self.radius, 0.01)))
        self.canvas["hair"] = theme.rgba(look.EDGE, 1.0 if self.radius else 0.0)


class CameraMirror(Widget):
    """The camera as a mirror: turned round for display only, cut to the widget's shape, with round corners."""

    live = BooleanProperty(False)
    radius = NumericProperty(theme.RADIUS)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._texture: Any = None
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
            self._texture = Texture.create(size=(columns, rows), colorfmt="rgb")
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
            self._texture, self._shape.texture = None, None
        self._colour.rgba = theme.rgba(look.NIGHT)
        self.live = False

    def _place(self, *_: Any) -> None:
        self._shape.pos, self._shape.size = self.pos, self.size
        self._shape.radius = [self.radius]
