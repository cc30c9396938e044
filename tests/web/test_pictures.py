"""Screenshots against approved ones: what is told as a change, and what isn't."""

from __future__ import annotations

import io
import itertools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from pixelmatch.contrib.PIL import pixelmatch
from playwright.sync_api import Page

from deployment_gate.errors import GateError
from deployment_gate.web import pictures
from deployment_gate.web.pictures import ApprovedPictures, Box, Comparison, compare

Show = Callable[[str], Page]

TEXT = "<p>Policies that apply to every data set, and why they were approved.</p>"
PAGE = f"""<!doctype html><style>
    body {{ margin: 0; font: 16px sans-serif; }}
    #card {{ position: absolute; left: 900px; top: 100px; width: 96px; height: 96px; }}
</style><h1>Open Policy Platform</h1>{TEXT * 12}<div id="card"></div>"""

FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def plain(width: int, height: int, colour: str = "white") -> Image.Image:
    return Image.new("RGB", (width, height), colour)


def opened(data: bytes | None) -> Image.Image:
    assert data is not None
    return Image.open(io.BytesIO(data)).convert("RGB")


def styled(tab: Page, style: str) -> bytes:
    """The page's screenshot with one more rule."""
    tab.add_style_tag(content=style)
    return tab.screenshot()


@st.composite
def drawn(draw: st.DrawFn, width: int = 24, height: int = 18) -> Image.Image:
    """A small picture with smooth and sharp edges: what anti-aliasing is, and what isn't."""
    palette = draw(st.lists(st.binary(min_size=3, max_size=3), min_size=1, max_size=4))
    cells = draw(
        st.lists(
            st.sampled_from(palette), min_size=width * height // 9, max_size=width * height // 9
        )
    )
    small = Image.frombytes("RGB", (width // 3, height // 3), b"".join(cells))
    way = draw(st.sampled_from([Image.Resampling.NEAREST, Image.Resampling.BILINEAR]))
    return small.resize((width, height), way)


def test_the_same_page_has_not_changed_and_shows_nothing(show: Show) -> None:
    tab = show(PAGE)

    assert compare(tab.screenshot(), tab.screenshot()) == Comparison(0.0)


def test_a_page_that_was_packed_otherwise_has_not_changed(show: Show) -> None:
    seen = show(PAGE).screenshot()
    again = io.BytesIO()
    opened(seen).save(again, "PNG", compress_level=0)

    assert again.getvalue() != seen
    assert compare(seen, again.getvalue()) == Comparison(0.0)


@pytest.mark.parametrize(
    "style",
    ["transform: translateX(.3px)", "transform: translateY(.5px)", "transform: scale(1.004)"],
)
def test_an_edge_that_is_smoothed_otherwise_has_hardly_changed(style: str, show: Show) -> None:
    tab = show(PAGE + "<style>#card { background: #36c; border-radius: 50%; }</style>")
    approved = tab.screenshot()

    seen = styled(tab, f"#card {{ {style}; }}")

    assert seen != approved
    assert compare(approved, seen).changed < 0.0002


@pytest.mark.parametrize(
    "style", ["transform: translateX(.3px)", "text-rendering: geometricPrecision"]
)
def test_most_of_text_that_is_smoothed_otherwise_has_not_changed(style: str, show: Show) -> None:
    """What is left is more than 0.1 % of a page of text: pixelmatch's rule knows no shifts."""
    tab = show(PAGE)
    approved = tab.screenshot()
    seen = styled(tab, f"p {{ {style}; }}")

    differing = pixelmatch(opened(approved), opened(seen), includeAA=True) / (1280 * 720)

    assert 0 < compare(approved, seen).changed < differing / 3


def test_a_change_of_a_hundredth_of_the_page_is_found_as_that(show: Show) -> None:
    tab = show(PAGE)
    approved = tab.screenshot()

    seen = compare(approved, styled(tab, "#card { background: #36c; }"))

    assert 0.008 < seen.changed < 0.012
    assert seen.why is None


def test_a_change_behind_a_mask_is_none(show: Show) -> None:
    tab = show(PAGE)
    approved = tab.screenshot()
    seen = styled(tab, "#card { background: #36c; }")

    assert compare(approved, seen, masks=[Box(900, 100, 96, 96)]) == Comparison(0.0)
    assert compare(approved, seen, masks=[Box(900, 100, 96, 95)]).changed > 0


def test_an_element_that_moved_is_found_where_it_was_and_where_it_is(show: Show) -> None:
    tab = show(PAGE + "<style>#card { background: #36c; }</style>")
    approved = tab.screenshot()

    seen = compare(approved, styled(tab, "#card { left: 910px; }"))

    assert seen.changed == pytest.approx(2 * 10 * 96 / (1280 * 720), rel=0.05)


def test_a_page_that_became_longer_is_told_with_both_pictures(show: Show) -> None:
    tab = show("<!doctype html><style>body { margin: 0; height: 1000px; }</style>")
    approved = tab.screenshot(full_page=True)
    tab.add_style_tag(content="body { height: 1020px; }")

    seen = compare(approved, tab.screenshot(full_page=True))

    assert seen.why == "is 1280x1020, approved was 1280x1000"
    assert seen.changed == pytest.approx(20 / 1020)
    assert opened(seen.picture).size == (1280, 3 * 1020 + 2 * 8)


def test_what_changed_in_two_sizes_counts_with_the_rest() -> None:
    approved, seen = plain(100, 50), plain(80, 60)
    seen.paste("black", (0, 0, 10, 10))

    found = compare(png(approved), png(seen))

    assert found.changed == pytest.approx((100 + 20 * 50 + 80 * 10) / (100 * 50 + 80 * 10))
    assert found.why == "is 80x60, approved was 100x50"


def test_another_size_is_told_even_where_a_mask_hides_all_of_it() -> None:
    found = compare(png(plain(40, 40)), png(plain(40, 50)), masks=[Box(0, 30, 40, 30)])

    assert found.changed == 0
    assert found.why == "is 40x50, approved was 40x40"
    assert found.picture is not None


def test_a_mask_counts_neither_way() -> None:
    approved, seen = plain(100, 100), plain(100, 100)
    seen.paste("black", (0, 0, 10, 10))

    assert compare(png(approved), png(seen), masks=[Box(50, 0, 50, 100)]).changed == 0.02


def test_a_mask_covers_every_pixel_that_it_touches() -> None:
    approved, seen = plain(100, 100), plain(100, 100)
    seen.paste("black", (10, 10, 21, 21))

    assert compare(png(approved), png(seen), masks=[Box(10.6, 10.9, 9.8, 9.3)]).changed == 0


def test_all_masked_is_no_change() -> None:
    masks = [Box(-5, -5, 1000, 1000)]

    assert compare(png(plain(9, 9)), png(plain(9, 9, "red")), masks=masks) == Comparison(0.0)


def test_a_mask_beside_the_picture_hides_nothing() -> None:
    masks = [Box(200, 0, 10, 10), Box(-20, 0, 10, 10), Box(5, 5, 0, 10)]

    assert compare(png(plain(9, 9)), png(plain(9, 9, "red")), masks=masks).changed == 1


def test_a_slight_tint_is_a_change_only_for_the_sensitive() -> None:
    approved, seen = png(plain(20, 20, "#ffffff")), png(plain(20, 20, "#f4f4f4"))

    assert compare(approved, seen) == Comparison(0.0)
    assert compare(approved, seen, sensitivity=0.01).changed == 1


def test_transparent_is_seen_as_white() -> None:
    clear = Image.new("RGBA", (20, 20), (0, 0, 0, 0))

    assert compare(png(plain(20, 20)), png(clear)) == Comparison(0.0)


def test_tall_pictures_stand_side_by_side_and_the_change_is_red() -> None:
    approved, seen = plain(40, 90), plain(40, 90)
    seen.paste("black", (10, 20, 20, 30))

    shown = opened(compare(png(approved), png(seen), masks=[Box(0, 60, 40, 30)]).picture)

    assert shown.size == (3 * 40 + 2 * 8, 90)
    left_edges = [0, 48, 96]
    assert [shown.getpixel((left + 15, 25)) for left in left_edges] == [
        (255, 255, 255),
        (0, 0, 0),
        (255, 0, 0),
    ]
    assert shown.getpixel((96 + 2, 2)) == (255, 255, 255)
    hatched = {shown.getpixel((left + 15, 75)) for left in left_edges}
    assert hatched <= {(208, 208, 208), (160, 160, 160)}


def test_a_single_pixel_is_still_marked_in_a_picture_that_was_reduced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pictures, "_SHOWN", 10_000)
    approved, seen = plain(200, 300), plain(200, 300)
    seen.putpixel((100, 100), (0, 0, 0))

    shown = opened(compare(png(approved), png(seen)).picture)

    assert shown.width * shown.height < 12_000
    assert (255, 0, 0) in {colour for _, colour in shown.getcolors(100_000) or []}


@pytest.mark.parametrize("broken", [b"", b"GIF89a", b"<html>502</html>", png(plain(9, 9))[:20]])
def test_what_is_no_picture_is_told_as_that(broken: bytes) -> None:
    good = png(plain(9, 9))

    assert compare(good, broken) == Comparison(1.0, why="is no PNG picture")
    assert compare(broken, good) == Comparison(1.0, why="the approved one is no PNG picture")
    assert compare(broken, broken).changed == 1


def test_a_picture_that_ends_early_is_told_as_broken(show: Show) -> None:
    whole = show(PAGE).screenshot()

    assert compare(whole, whole[:-3000]) == Comparison(1.0, why="is a broken PNG picture")
    assert compare(whole[:-3000], whole).why == "the approved one is a broken PNG picture"


@FEW
@given(place=st.integers(8, 120), byte=st.integers(0, 255), keep=st.integers(0, 120))
def test_no_damage_to_a_picture_is_an_error_of_the_tool(place: int, byte: int, keep: int) -> None:
    whole = png(plain(9, 9))
    damaged = bytearray(whole)
    damaged[place % len(whole)] = byte

    for broken in (bytes(damaged), whole[:keep]):
        assert 0 <= compare(whole, broken).changed <= 1


@pytest.mark.parametrize(("width", "height"), [(1280, 900_000), (20_000_000, 1), (2**31, 2**31)])
def test_too_large_a_picture_is_refused_before_it_is_unpacked(width: int, height: int) -> None:
    small = png(plain(9, 9))
    huge = small[:16] + width.to_bytes(4, "big") + height.to_bytes(4, "big") + small[24:]

    found = compare(small, huge)

    assert found == Comparison(1.0, why=found.why)
    assert found.why is not None
    assert found.why.startswith(f"is {width}x{height}, approved was 9x9: more than the 21 megapix")


def test_much_change_is_estimated_by_a_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    approved, seen = plain(200, 200), plain(200, 200)
    ImageDraw.Draw(seen).rectangle((0, 0, 99, 199), fill="red")
    seen = seen.rotate(7, Image.Resampling.BICUBIC, fillcolor="white")
    exact = compare(png(approved), png(seen)).changed
    monkeypatch.setattr(pictures, "_CLOSELY", 500)

    assert compare(png(approved), png(seen)).changed == pytest.approx(exact, rel=0.02)


@FEW
@given(drawn())
def test_no_picture_differs_from_itself(picture: Image.Image) -> None:
    other = io.BytesIO()
    picture.save(other, "PNG", compress_level=0)

    assert compare(png(picture), other.getvalue()) == Comparison(0.0)


@FEW
@given(approved=drawn(), seen=drawn(), sensitivity=st.sampled_from([0.02, 0.1, 0.4]))
def test_as_many_pixels_have_changed_as_pixelmatch_counts(
    approved: Image.Image, seen: Image.Image, sensitivity: float
) -> None:
    counted = pixelmatch(approved, seen, threshold=sensitivity)

    found = compare(png(approved), png(seen), sensitivity=sensitivity)

    assert found.changed * 24 * 18 == pytest.approx(counted)


@FEW
@given(
    approved=drawn(),
    seen=drawn(),
    masks=st.lists(
        st.builds(
            Box,
            st.floats(-5, 30),
            st.floats(-5, 30),
            st.floats(0, 20),
            st.floats(0, 20),
        ),
        max_size=3,
    ),
)
def test_the_order_of_masks_does_not_matter(
    approved: Image.Image, seen: Image.Image, masks: list[Box]
) -> None:
    found = {
        compare(png(approved), png(seen), masks=order) for order in itertools.permutations(masks)
    }

    assert len(found) == 1


def test_loading_the_module_does_not_load_pillow() -> None:
    code = "import sys, deployment_gate.web.pictures; print('PIL' in sys.modules)"

    asked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert asked.stdout.strip() == "False"


def test_nothing_is_approved_at_first(tmp_path: Path) -> None:
    assert ApprovedPictures(tmp_path / "none").get("home", "desktop") is None


def test_what_was_approved_last_is_kept_under_page_and_device(tmp_path: Path) -> None:
    approved = ApprovedPictures(tmp_path / "pictures" / "staging")

    approved.approve("home", "phone-small", b"first")
    approved.approve("home", "phone-small", b"second")

    assert approved.get("home", "phone-small") == b"second"
    assert approved.get("home", "desktop") is None
    assert [path.name for path in approved.folder.iterdir()] == ["phone-small"]


@pytest.mark.parametrize("name", ["", "../home", "a/b", "Home", "home\n", "é", "a.b"])
def test_other_names_are_refused(name: str, tmp_path: Path) -> None:
    approved = ApprovedPictures(tmp_path)

    with pytest.raises(GateError, match="lower-case letters"):
        approved.approve(name, "desktop", b"")
    with pytest.raises(GateError, match="lower-case letters"):
        approved.get("home", name)


def test_what_can_not_be_written_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    approved = ApprovedPictures(tmp_path)
    (tmp_path / "desktop" / "home.png" / "in the way").mkdir(parents=True)

    with pytest.raises(GateError, match=r"home\.png: the approved picture can't be written"):
        approved.approve("home", "desktop", b"picture")
    with pytest.raises(GateError, match="can't be read"):
        approved.get("home", "desktop")
    assert [path.name for path in tmp_path.iterdir()] == ["desktop"]
