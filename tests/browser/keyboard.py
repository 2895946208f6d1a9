"""Somebody who reads the site with the keys of a keyboard and nothing else.

What is looked for is named as it stands on the screen: its role and its words. On the way there
every place that takes the focus must show that it has it.
"""

from __future__ import annotations

MOST_TABS = 60  # to the next thing wanted; more is no way for a person
PATIENCE = 5000  # milliseconds

# Null where a reader sees the focus, else what is wrong. Things that stay in view, like the bar of
# buttons, may not cover it: WCAG 2.2, 2.4.11.
UNSEEN = """wanted => {
  const one = document.activeElement;
  if (!one || one === document.body) return [false, null];
  const name = one.outerHTML.slice(0, 120);
  const style = getComputedStyle(one);
  if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2)
    return [one === wanted, "no outline: " + name];
  const box = one.getClientRects()[0];
  if (!box || box.width < 2 || box.height < 2) return [one === wanted, "no size: " + name];
  const left = Math.max(box.left, 0), right = Math.min(box.right, innerWidth);
  const top = Math.max(box.top, 0), bottom = Math.min(box.bottom, innerHeight);
  const there = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
  if (left >= right || top >= bottom || !there || !(one.contains(there) || there.contains(one)))
    return [one === wanted, "out of sight: " + name];
  return [one === wanted, null];
}"""


class Reader:
    """One person at one page; `presses` counts the keys, a typed character as one."""

    def __init__(self, page):
        self.page = page
        self.presses = 0

    def press(self, key):
        """Press a key that stays on the page."""
        self.page.keyboard.press(key)
        self.presses += 1

    def write(self, text):
        """Type where the focus is, as a keyboard or an input method does."""
        self.page.keyboard.type(text)
        self.presses += len(text)

    def go(self):
        """Press Enter where that opens the next page."""
        with self.page.expect_navigation():
            self.press("Enter")

    def tab_to(self, role, words, exact=False, key="Tab"):
        """Press Tab (or Shift+Tab) until what has this role and these words has the focus."""
        wanted = self.page.get_by_role(role, name=words, exact=exact).first
        self.tab_on(wanted, f"{role} “{words}”", key)

    def tab_on(self, wanted, called, key="Tab", most=MOST_TABS):
        """Press Tab until an element has the focus; `called` is its name in complaints."""
        wanted = wanted.element_handle(timeout=PATIENCE)
        for _press in range(most):
            self.press(key)
            reached, fault = self.page.evaluate(UNSEEN, wanted)
            assert fault is None, fault
            if reached:
                return
        raise AssertionError(f"{most} times {key} do not reach {called}")

    def skip(self):
        """Take the first link of a page, which leads past the menu."""
        self.tab_to("link", "跳到正文")
        self.press("Enter")

    def open(self, words):
        """Go to a link below the menu and follow it."""
        self.skip()
        self.tab_to("link", words)
        self.go()

    def search(self, words, box="要解决什么问题"):
        """Write into a search box and press Enter."""
        self.tab_to("combobox", box)
        self.write(words)
        self.go()

    def filter(self, group, value):
        """On the page of filters: jump to a group, tick one value, press Enter."""
        self.skip()
        self.tab_to("link", group, exact=True)
        self.press("Enter")
        self.tab_to("checkbox", value)
        self.press("Space")
        self.go()

    def heading(self):
        """What the page is about."""
        return self.page.inner_text("h1")
