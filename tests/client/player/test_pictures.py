"""The screens look as they did when somebody last looked at them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.client.player.pictures import RUNS, differing, distance, same, thumbnail

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", sorted(RUNS))
def test_every_screen_looks_as_it_did(name: str, tmp_path: Path) -> None:
    """A screen that differs is in .work/pictures; if it is meant: python -m tests.client.player.pictures --write."""
    wrong = differing(name, tmp_path)
    if wrong == ["font"]:
        pytest.skip("another Chinese font than that of the reference pictures: words lie elsewhere")
    assert wrong == []


def test_a_change_is_seen(tmp_path: Path) -> None:
    """A card that moves by 40 px, another colour of a button, a vanished line: none of them passes; noise does."""
    from PIL import Image, ImageDraw

    def picture(name: str, *boxes: tuple[int, int, int, int, str]) -> str:
        image = Image.new("RGB", (1280, 800), "#F5F7FA")
        pen = ImageDraw.Draw(image)
        for left, top, right, bottom, colour in boxes:
            pen.rectangle([left, top, right, bottom], colour)
        image.save(tmp_path / name)
        return thumbnail(tmp_path / name)

    card, button = (300, 200, 900, 500, "#FFFFFF"), (340, 400, 860, 450, "#1D5FD1")
    kept = picture("a.png", card, button)
    assert same(kept, picture("b.png", (301, 200, 901, 500, "#FEFEFE"), button)), "a hair, a shade"
    for changed in ((card, (340, 440, 860, 490, "#1D5FD1")), (card,), (card, (340, 400, 860, 450, "#EAF1FD"))):
        assert not same(kept, picture("c.png", *changed)), distance(kept, picture("c.png", *changed))
