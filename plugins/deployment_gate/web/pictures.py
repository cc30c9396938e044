"""Whether a page looks as it did when somebody approved of it, and a picture of what doesn't."""

# ruff: noqa: PLC0415  # Pillow is loaded, and has to be installed, only where pictures are compared

from __future__ import annotations

import contextlib
import io
import itertools
import math
import os
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deployment_gate.errors import GateError

if TYPE_CHECKING:
    from PIL.Image import Image

_LARGEST = 1280 * 16_384
"""Pixels of a picture that is compared: of the tallest page that Chromium draws on a desktop."""

_CLOSELY = 60_000
"""Changed pixels that are looked at for anti-aliasing, at 10 to 35 microseconds each."""

_SHOWN = 12_000_000
"""Pixels of the picture that shows a change; it is reduced to as many."""

_BAND = 256
"""Rows that are compared at a time: as floats they take many times the memory."""

_NEIGHBOURHOOD = 2
"""Pixels on each side that tell whether one is anti-aliasing."""

_GAP = 8
_HALO = 9
_NOTHING, _GREY, _STRIPE = (96, 96, 96), (208, 208, 208), (160, 160, 160)
_MARK, _AROUND = (255, 0, 0), (255, 200, 60)


class ApprovedPictureError(GateError):
    """An approved picture can't be read or kept."""


@dataclass(frozen=True, slots=True)
class Box:
    """A part of a page, in CSS pixels, which are the picture's pixels.

    Attributes:
        x: Its left edge.
        y: Its upper edge.
        width: How far it goes to the right.
        height: How far it goes down.
    """

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a picture differs from the approved one.

    Attributes:
        changed: The share of pixels that differ, from 0 to 1, of those that aren't masked; what
            only one of two sizes has, differs. 1 where the two can't be compared.
        picture: A PNG of the approved one, the one seen and the difference, where there is any.
        why: What keeps the two from being compared pixel by pixel, as the end of a sentence on
            the picture that was seen.
    """

    changed: float
    picture: bytes | None = None
    why: str | None = None


class ApprovedPictures:
    """The folder where approved screenshots are kept, one for each page and device."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, page: str, device: str) -> bytes | None:
        """The picture that was approved, or none yet.

        Raises:
            ApprovedPictureError: It is there and can't be read, or a name is none.
        """
        path = self._path(page, device)
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ApprovedPictureError(
                f"{path}: the approved picture can't be read ({error.strerror}). "
                "Give leave to, or remove it and approve another"
            ) from error

    def approve(self, page: str, device: str, picture: bytes) -> None:
        """Keep this picture as the approved one, at once: what was there stays until then.

        Raises:
            ApprovedPictureError: It can't be written, or a name is none.
        """
        path = self._path(page, device)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as file:
                file.write(picture)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise ApprovedPictureError(
                f"{path}: the approved picture can't be written ({error.strerror}). "
                "Make room or give leave there"
            ) from error

    def _path(self, page: str, device: str) -> Path:
        for name in (page, device):
            if not re.fullmatch(r"[a-z0-9_-]+", name):
                raise ApprovedPictureError(
                    f"{name!r} names no page or device of an approved picture. Use lower-case "
                    "letters, digits, _ and -"
                )
        return self.folder / device / f"{page}.png"


def compare(
    approved: bytes, seen: bytes, *, masks: Sequence[Box] = (), sensitivity: float = 0.1
) -> Comparison:
    """Hold a screenshot against the approved one; anti-aliasing is no difference.

    Of two sizes, the area that both have is compared, and the rest counts as changed. Where more
    than 60,000 pixels differ, anti-aliasing is looked for in evenly spaced ones of them, and its
    share among those is taken for all. Above 21 megapixels nothing is compared.

    Args:
        approved: A PNG.
        seen: A PNG of the same page.
        masks: Parts that may look as they like; what they touch counts neither way.
        sensitivity: The difference of colours, from 0 to 1, above which a pixel has changed.
    """
    sizes = []
    for data, whose in ((approved, "the approved one is"), (seen, "is")):
        size = _size(data)
        if size is None:
            return Comparison(1.0, why=f"{whose} no PNG picture")
        sizes.append(size)
    if approved == seen:
        return Comparison(0.0)
    canvas = (max(size[0] for size in sizes), max(size[1] for size in sizes))
    if math.prod(canvas) > _LARGEST:
        return Comparison(
            1.0,
            why=f"is {_said(sizes[1])}, approved was {_said(sizes[0])}: more than the "
            f"{_LARGEST / 1e6:.0f} megapixels that are compared. Show less of the page",
        )
    pictures = []
    for data, whose in ((approved, "the approved one is"), (seen, "is")):
        picture = _opened(data, canvas)
        if picture is None:
            return Comparison(1.0, why=f"{whose} a broken PNG picture")
        pictures.append(picture)
    return _compared(pictures, sizes, masks, sensitivity)


def _compared(
    pictures: Sequence[Image],
    sizes: Sequence[tuple[int, int]],
    masks: Sequence[Box],
    sensitivity: float,
) -> Comparison:
    canvas = pictures[0].size
    hidden = _hidden(canvas, masks)
    if masks:
        hatching = _hatching(canvas)
        for picture in pictures:
            picture.paste(hatching, mask=hidden)
        del hatching  # as large as a picture
    looked_at, rest, common = _areas(sizes, hidden)
    marks = rest.copy()
    differing, where, found = _differing(pictures, common, sensitivity)
    if found is not None:
        marks.paste(found, where)
    differing += rest.histogram()[255]
    pixels = looked_at.histogram()[255]
    changed = differing / pixels if pixels else 0.0
    why = None
    if sizes[0] != sizes[1]:
        why = f"is {_said(sizes[1])}, approved was {_said(sizes[0])}"
    if not changed and why is None:
        return Comparison(0.0)
    return Comparison(changed, _shown(pictures, marks, hidden), why)


def _differing(
    pictures: Sequence[Image], size: tuple[int, int], sensitivity: float
) -> tuple[float, tuple[int, int], Image | None]:
    """How many pixels of the upper left differ by more than anti-aliasing; where, and which."""
    from PIL import Image, ImageChops

    nothing = (0.0, (0, 0), None)
    box = ImageChops.difference(*pictures).crop((0, 0, *size)).getbbox()
    if box is None:
        return nothing
    marks = Image.new("L", size)
    for top in range(box[1], box[3], _BAND):
        band = (box[0], top, box[2], min(top + _BAND, box[3]))
        marks.paste(_other_colours([one.crop(band) for one in pictures], sensitivity), band)
    box = marks.getbbox()
    if box is None:
        return nothing
    box = (
        max(box[0] - _NEIGHBOURHOOD, 0),
        max(box[1] - _NEIGHBOURHOOD, 0),
        min(box[2] + _NEIGHBOURHOOD, marks.width),
        min(box[3] + _NEIGHBOURHOOD, marks.height),
    )
    one, other = (picture.crop(box).convert("RGBA").tobytes() for picture in pictures)
    differing, marks = _without_antialiasing(one, other, marks.crop(box))
    return differing, (box[0], box[1]), marks


def _other_colours(pictures: Sequence[Image], sensitivity: float) -> Image:
    """The pixels (255) whose colours differ, as pixelmatch measures it, by Pillow's arithmetic.

    The formula is Kotsarenko and Ramos, "Measuring perceived color difference using YIQ NTSC
    transmission color space in mobile applications" (2010); 35215 is its largest value.
    """
    from PIL import ImageMath

    def differs(channels: dict[str, Any]) -> Any:
        r, g, b = (channels[name + "1"] - channels[name + "2"] for name in "rgb")
        y = r * 0.29889531 + g * 0.58662247 + b * 0.11448223
        i = r * 0.59597799 - g * 0.27417610 - b * 0.32180189
        q = r * 0.21147017 - g * 0.52261711 + b * 0.31114694
        return (y * y * 0.5053 + i * i * 0.299 + q * q * 0.1957 > 35215 * sensitivity**2) * 255

    channels = {
        f"{name}{number}": channel.convert("F")
        for number, picture in enumerate(pictures, start=1)
        for name, channel in zip("rgb", picture.split(), strict=True)
    }
    found: Image = ImageMath.lambda_eval(differs, **channels)
    return found.convert("L")


def _without_antialiasing(one: bytes, other: bytes, marks: Image) -> tuple[float, Image]:
    """How many of the marked pixels are no anti-aliasing, and the marks without those that are."""
    from PIL import Image

    # pixelmatch as a whole looks at each pixel of a picture: a second for a million equal ones.
    from pixelmatch.utils import antialiased

    width, height = marks.size
    left = bytearray(marks.tobytes())
    marked = marks.histogram()[255]
    every = math.ceil(marked / _CLOSELY)
    looked_at = smooth = 0
    for place in itertools.islice(
        itertools.compress(itertools.count(), marks.tobytes()), 0, None, every
    ):
        y, x = divmod(place, width)
        looked_at += 1
        if antialiased(one, x, y, width, height, other) or antialiased(
            other, x, y, width, height, one
        ):
            smooth += 1
            left[place] = 0
    return marked * (1 - smooth / looked_at), Image.frombytes("L", marks.size, bytes(left))


def _areas(sizes: Sequence[tuple[int, int]], hidden: Image) -> tuple[Image, Image, tuple[int, int]]:
    """What is looked at (255), what of it only one picture has (255), and the size of the rest."""
    from PIL import Image

    looked_at = Image.new("L", hidden.size)
    for size in sizes:
        looked_at.paste(255, (0, 0, *size))
    looked_at.paste(0, mask=hidden)
    common = (min(size[0] for size in sizes), min(size[1] for size in sizes))
    rest = looked_at.copy()
    rest.paste(0, (0, 0, *common))
    return looked_at, rest, common


def _hidden(size: tuple[int, int], masks: Sequence[Box]) -> Image:
    """The pixels (255) that the masks touch."""
    from PIL import Image

    hidden = Image.new("L", size)
    for box in masks:
        left, top = max(math.floor(box.x), 0), max(math.floor(box.y), 0)
        right = min(math.ceil(box.x + box.width), size[0])
        bottom = min(math.ceil(box.y + box.height), size[1])
        if left < right and top < bottom:
            hidden.paste(255, (left, top, right, bottom))
    return hidden


def _hatching(size: tuple[int, int]) -> Image:
    from PIL import Image, ImageDraw

    hatching = Image.new("RGB", size, _GREY)
    draw = ImageDraw.Draw(hatching)
    for start in range(-size[1], size[0], 12):
        draw.line((start, size[1], start + size[1], 0), fill=_STRIPE, width=2)
    return hatching


def _shown(pictures: Sequence[Image], marks: Image, hidden: Image) -> bytes:
    """The two and the difference beside each other, or below where they are wide, as a PNG."""
    from PIL import Image, ImageFilter

    factor = math.ceil(math.sqrt(3 * math.prod(marks.size) / _SHOWN))
    approved, seen = (picture.reduce(factor) for picture in pictures)
    # A single pixel that changed stays to be seen, however much smaller the picture becomes.
    marks = marks.reduce(factor).point([0] + [255] * 255)
    faded = Image.blend(seen, Image.new("RGB", seen.size, "white"), 0.8)
    difference = faded.convert("L").convert("RGB")
    difference.paste(_AROUND, mask=marks.filter(ImageFilter.MaxFilter(_HALO)))
    difference.paste(_MARK, mask=marks)
    difference.paste(seen, mask=hidden.reduce(factor))
    width, height = seen.size
    across = (0, height + _GAP) if width > height else (width + _GAP, 0)
    size = (width + 2 * across[0], height + 2 * across[1])
    whole = Image.new("RGB", size, "black")
    for number, picture in enumerate((approved, seen, difference)):
        whole.paste(picture, (number * across[0], number * across[1]))
    file = io.BytesIO()
    whole.save(file, "PNG", compress_level=3)
    return file.getvalue()


def _size(data: bytes) -> tuple[int, int] | None:
    """A PNG's width and height, before anything of it is unpacked; the header's own place."""
    if not re.match(rb"\x89PNG\r\n\x1a\n....IHDR.{8}", data, re.DOTALL):
        return None
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def _opened(data: bytes, canvas: tuple[int, int]) -> Image | None:
    """A PNG on white, at the upper left of a canvas; none where it is broken."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as picture:
            pixels = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    except (OSError, SyntaxError, ValueError, struct.error):
        return None
    if pixels.mode == "RGBA":
        pixels = Image.alpha_composite(Image.new("RGBA", pixels.size, "white"), pixels)
    opened = Image.new("RGB", canvas, _NOTHING)
    opened.paste(pixels.convert("RGB"))
    return opened


def _said(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"
