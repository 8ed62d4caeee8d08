"""Keyboard and screen reader reach everything on the page, and all of it can be read, dark and light."""

from pathlib import Path
from typing import Any

import pytest
from live_fakes import until
from page_rig import drop, write_hit

from ghostnote.bridge.live.daemon import Live

VIEWS = ("pad", "grid", "explore", "tools", "kits", "state")
CONTROLS = {
    "button", "checkbox", "combobox", "link", "listbox", "menuitem", "meter", "radio", "searchbox", "slider",
    "spinbutton", "switch", "tab", "tabpanel", "textbox", "img", "image", "grid", "gridcell", "group", "progressbar",
}  # fmt: skip
"""Roles that must have a name."""
LEAST_CONTRAST = 4.5
"""Of text, by WCAG 2.2, 1.4.3 (AA)."""
HOVERED = {
    "pad": (".pad >> nth=1", "button:text-is('Re-roll')", ".toggle-lock", "#panic"),
    "tools": ("#tool-run", ".tool-choice [aria-pressed=true]"),
}
"""What the mouse rests on, in some views."""
CONTRAST = """() => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const parsed = (text) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = text;
        canvas.fillRect(0, 0, 1, 1);
        const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
        return [red, green, blue, alpha / 255];
    };
    const over = (top, under) => [0, 1, 2].map((at) => top[at] * top[3] + under[at] * (1 - top[3])).concat(1);
    const linear = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    const bright = (colour) => 0.2126 * linear(colour[0]) + 0.7152 * linear(colour[1]) + 0.0722 * linear(colour[2]);
    const ratio = (one, other) => {
        const [high, low] = [bright(one), bright(other)].sort((a, b) => b - a);
        return (high + 0.05) / (low + 0.05);
    };
    // What can lie behind an element: each colour of a gradient counts.
    const grounds = (element) => {
        if (!element) return [[255, 255, 255, 1]];
        const style = getComputedStyle(element);
        const under = grounds(element.parentElement).map((each) => over(parsed(style.backgroundColor), each));
        const stops = style.backgroundImage.match(/(rgba?|color)\\([^()]*\\)/g) ?? [];
        return stops.length ? under.flatMap((each) => stops.map((stop) => over(parsed(stop), each))) : under;
    };
    const opacity = (element) =>
        (element ? Number(getComputedStyle(element).opacity) * opacity(element.parentElement) : 1);
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        if (!walker.currentNode.data.trim() || element.closest("select, :disabled, script, .skip")) continue;
        if (!element.checkVisibility({ visibilityProperty: true })) continue;
        const colour = parsed(getComputedStyle(element).color);
        const worst = Math.min(...grounds(element).map((ground) => {
            const drawn = [...colour.slice(0, 3), colour[3] * opacity(element)];
            return ratio(over(drawn, ground), ground);
        }));
        found.push([worst, walker.currentNode.data.trim(), element.className]);
    }
    return found;
}"""


@pytest.fixture
def filled(live: Live, page: Any, tmp_path: Path) -> Any:
    """Return the page with drums on the map, sounds in the tools and a message."""
    page.click("#tab-explore")
    drop(page, "#map", write_hit(tmp_path / "Kick.wav"), write_hit(tmp_path / "Snare.wav", 210.0))
    page.wait_for_selector(".map-dot >> nth=1")
    page.focus(".map-dot >> nth=1")
    page.click("#explore-tool")
    page.wait_for_selector("#tool-play-before:enabled")
    return page


def nodes(page: Any) -> list[dict[str, Any]]:
    """Return what Chromium tells screen readers."""
    session = page.context.new_cdp_session(page)
    found = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    return [node for node in found if not node.get("ignored")]


def test_every_control_has_a_name_and_a_role(filled: Any) -> None:
    for name in VIEWS:
        filled.click(f"#tab-{name}")
        filled.wait_for_timeout(100)
        found = [
            (node["role"]["value"], node.get("name", {}).get("value", ""))
            for node in nodes(filled)
            if node["role"]["value"] in CONTROLS
        ]
        assert {"button", "tab", "tabpanel"} <= {role for role, _ in found}
        assert [(name, role) for role, text in found if not text.strip()] == []


def test_names_tell_controls_apart(filled: Any) -> None:
    filled.click("#tab-pad")
    names = [
        (node["role"]["value"], node["name"]["value"])
        for node in nodes(filled)
        if node["role"]["value"] in ("button", "slider", "textbox", "combobox")
    ]
    assert sorted(each for each in names if names.count(each) > 1) == []
    assert ("slider", "Amount") in names
    assert ("button", "Kick, note 36, 35, key Z") in names


def test_tab_reaches_every_control_of_a_view_in_its_order(filled: Any) -> None:
    for name in VIEWS:
        filled.click(f"#tab-{name}")
        filled.focus(f"#tab-{name}")
        wanted = filled.evaluate(
            """(view) => [...document.querySelectorAll(`#view-${view} :is(button, a[href], input, select)`)]
                .filter((each) => each.tabIndex >= 0 && !each.disabled && each.checkVisibility())
                .map((each, at) => (each.dataset.order = `${view} ${at}`))""",
            name,
        )
        assert wanted or name == "state"
        reached = []
        for _ in wanted:
            filled.keyboard.press("Tab")
            reached.append(
                filled.evaluate(
                    """() => [document.activeElement.dataset.order ?? "",
                        getComputedStyle(document.activeElement).outlineStyle !== "none"]"""
                )
            )
        assert reached == [[order, True] for order in wanted]


def test_arrow_keys_move_between_tabs_pads_steps_and_drums(filled: Any) -> None:
    def now() -> str:
        return str(filled.evaluate("document.activeElement.id || document.activeElement.getAttribute('aria-label')"))

    filled.focus("#tab-tools")
    filled.keyboard.press("ArrowRight")
    assert now() == "tab-kits"
    filled.wait_for_selector("#view-kits:visible")
    filled.focus(".pad[data-slug=kick]")
    filled.keyboard.press("ArrowRight")
    assert now().startswith("Snare Drum")
    filled.click("#tab-grid")
    filled.focus(".step >> nth=0")
    filled.keyboard.press("ArrowRight")
    assert now() == "Kick step 2, off"
    filled.keyboard.press("Enter")
    until(lambda: now() == "Kick step 2, velocity 100")
    filled.click("#view-grid >> button:text-is('Clear')")
    until(lambda: filled.get_attribute(".step >> nth=1", "data-velocity") == "0")
    filled.click("#tab-explore")
    filled.focus(".map-dot >> nth=0")
    filled.keyboard.press("ArrowDown")
    assert now() == filled.get_attribute(".map-dot >> nth=1", "aria-label")


def test_what_happens_is_said(filled: Any) -> None:
    views = {"pad": set(), "explore": {"Drums to come", "What the words say"}, "kits": {"Progress of the export"}}
    for view, own in views.items():
        filled.click(f"#tab-{view}")
        filled.wait_for_selector(f"#view-{view}:visible")
        said = {
            node["name"]["value"]
            for node in nodes(filled)
            if any(each["name"] == "live" and each["value"]["value"] != "off" for each in node.get("properties", ()))
            # Numbers beside sliders are regions, too, without a name.
            and node.get("name", {}).get("value")
        }
        assert said == {"Messages", "Errors", *own}


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_text_can_be_read(filled: Any, scheme: str) -> None:
    filled.emulate_media(color_scheme=scheme)
    try:
        for name in VIEWS:
            filled.click(f"#tab-{name}")
            for selector in ("h1", *HOVERED.get(name, ())):
                filled.hover(selector)
                filled.wait_for_timeout(200)
                found = filled.evaluate(CONTRAST)
                assert len(found) > 30
                assert [each for each in found if each[0] < LEAST_CONTRAST] == []
    finally:
        filled.emulate_media(color_scheme="dark")
