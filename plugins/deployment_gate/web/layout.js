// What a page looks like at its present width; layout.py says what each part means.
// One function expression, evaluated in the page. It changes nothing there.
async ({ mostElements, mostWider, targetPx, nameLength, addressLength, decodeMs }) => {
  const root = document.scrollingElement || document.documentElement;
  const html = document.documentElement;
  const body = document.body;
  if (!root || !html) {
    return {
      overflow_px: 0, wider: [], small_targets: [], headings: [], title: "", language: "",
      broken_images: [], links: [], navigation_links: 0, menu_button: null, is_whole: true,
    };
  }

  // ---- Walking the page

  // A form's own properties give way to fields of the same name: ask what forms inherit.
  const getter = (kind, name) => {
    const { get } = Object.getOwnPropertyDescriptor(kind.prototype, name);
    return (element) => get.call(element);
  };
  const childrenOf = getter(Element, "children");
  const childNodesOf = getter(Node, "childNodes");
  const shadowOf = getter(Element, "shadowRoot");
  const slotOf = getter(Element, "assignedSlot");
  const parentElementOf = getter(Node, "parentElement");
  const tagOf = getter(Element, "localName");
  const matches = (element, selector) => Element.prototype.matches.call(element, selector);
  const rectOf = (element) => Element.prototype.getBoundingClientRect.call(element);
  const attributeOf = (element, name) => Element.prototype.getAttribute.call(element, name);
  const rootOf = (element) => Node.prototype.getRootNode.call(element);

  const parentOf = (element) =>
    slotOf(element) || parentElementOf(element) || rootOf(element).host || null;

  function* upwards(element) {
    for (let at = element; at; at = parentOf(at)) yield at;
  }

  const isWithin = (element, ancestor) => {
    for (const at of upwards(element)) if (at === ancestor) return true;
    return false;
  };

  const within = (element, selector) => {
    for (const at of upwards(element)) if (matches(at, selector)) return at;
    return null;
  };

  /** All elements in document order, those of open shadow roots too; at most so many. */
  const elements = [];
  let isWhole = true;
  const waiting = [html];
  while (waiting.length) {
    if (elements.length === mostElements) {
      isWhole = false;
      break;
    }
    const element = waiting.pop();
    elements.push(element);
    const children = [...(shadowOf(element)?.children ?? []), ...childrenOf(element)];
    waiting.push(...children.slice(0, mostElements).reverse());
    if (children.length > mostElements) isWhole = false;
  }

  const styles = new Map();
  const styleOf = (element) => {
    let style = styles.get(element);
    if (!style) styles.set(element, (style = getComputedStyle(element)));
    return style;
  };

  // ---- Names, as a person would say them

  const shorten = (text, most) => {
    const line = String(text ?? "").replace(/\s+/g, " ").trim();
    const characters = [...line.slice(0, 4 * most)];
    return characters.length <= most ? line : characters.slice(0, most - 1).join("").trim() + "…";
  };

  const textOf = (element) => shorten(element?.innerText ?? element?.textContent, nameLength);

  const nameOf = (element) => {
    const given = (name) => attributeOf(element, name);
    const labelled = (given("aria-labelledby") ?? "").split(/\s+/).filter(Boolean)
      .map((id) => textOf(rootOf(element).getElementById?.(id))).join(" ");
    const tag = tagOf(element);
    const isField = ["input", "select", "textarea"].includes(tag);
    const isPush = isField && ["submit", "button", "reset"].includes(element.type);
    const candidates = [
      () => labelled,
      () => given("aria-label"),
      () => given("alt"),
      () => isField && [...(element.labels ?? [])].map(textOf).join(" "),
      () => isPush && (given("value") || { submit: "Submit", reset: "Reset" }[element.type]),
      () => isField && (given("placeholder") || given("name")),
      () => tag === "table" && textOf(element.caption),
      () => tag === "svg" && textOf(element.querySelector("title")),
      () => !isField && textOf(element),
      () => given("title"),
      () => element.querySelector("img[alt]:not([alt=''])")?.getAttribute("alt"),
      () => element.querySelector("svg > title")?.textContent,
      () => tag === "img" && (element.currentSrc || "").split(/[?#]/)[0].split("/").pop(),
      () => element.id,
    ];
    for (const candidate of candidates) {
      const name = shorten(candidate() || "", nameLength);
      if (name) return name;
    }
    return "";
  };

  const described = (kind, element) => {
    const name = nameOf(element);
    return name ? `${kind} "${name}"` : kind;
  };

  // ---- What can be seen

  const isRtl = styleOf(body ?? html).direction === "rtl";
  const propagated = (axis) => {
    const own = styleOf(html)[axis];
    return own === "visible" && body ? styleOf(body)[axis] : own;
  };
  // What the window clips can't be scrolled to, and isn't a page that scrolls sideways.
  const isClipped = ["hidden", "clip"].includes(propagated("overflowX"));
  const overflow = isClipped ? 0 : Math.max(0, root.scrollWidth - root.clientWidth);
  const bodyScrollsAlone =
    body && styleOf(html).overflowX !== "visible" && styleOf(body).overflowX !== "visible";

  const leftOf = (rect) => rect.left + window.scrollX;
  const rightOf = (rect) => rect.right + window.scrollX;
  const farLeft = isRtl ? -overflow : 0;
  const farRight = root.clientWidth + (isRtl ? 0 : overflow);

  /** The nearest ancestor that clips or scrolls this element along an axis, below the window. */
  const clipper = (element, axis, accepts) => {
    let position = styleOf(element).position;
    for (let at = parentOf(element); at && at !== html; at = parentOf(at)) {
      if (at === body && !bodyScrollsAlone) break;
      const style = styleOf(at);
      if (style.display === "contents") continue;
      const holdsAll = style.transform !== "none" || style.filter !== "none"
        || /paint|layout|strict|content/.test(style.contain);
      const holds = position === "fixed" ? holdsAll
        : position === "absolute" ? holdsAll || style.position !== "static" : true;
      if (!holds) continue;
      if (style.display !== "inline" && accepts.includes(style[axis])) return at;
      position = style.position;
    }
    return null;
  };
  const isFixed = (element) => {
    for (const at of upwards(element)) if (styleOf(at).position === "fixed") return true;
    return false;
  };

  const isRendered = (element) => Element.prototype.checkVisibility.call(element, {
    opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: false,
  });

  /** It takes up room that a person can bring into view: no link for screen readers alone. */
  const isSeen = (element) => {
    if (!isRendered(element)) return false;
    const rect = boxOf(element);
    if (rect.width < 2 || rect.height < 2) return false;
    if (rightOf(rect) <= farLeft + 1 || leftOf(rect) >= farRight - 1) return false;
    if (rect.bottom + window.scrollY <= 1) return false;
    let at = element;
    while (at) {
      const style = styleOf(at);
      if (/^rect\(0px,? 0px,? 0px,? 0px\)|^rect\(1px,? 1px,? 1px,? 1px\)/.test(style.clip)) {
        return false;
      }
      if (/^inset\((50|100)%/.test(style.clipPath)) return false;
      at = parentOf(at);
    }
    for (const axis of ["overflowX", "overflowY"]) {
      const clip = clipper(element, axis, ["hidden", "clip"]);
      if (!clip) continue;
      const [low, high] = axis === "overflowX" ? ["left", "right"] : ["top", "bottom"];
      const window_ = rectOf(clip);
      if (Math.min(rect[high], window_[high]) - Math.max(rect[low], window_[low]) < 2) return false;
    }
    return true;
  };

  const boxes = new Map();
  /** Its box and those of what it holds, unless it cuts them off: all that takes a click. */
  function boxOf(element) {
    const known = boxes.get(element);
    if (known) return known;
    const own = rectOf(element);
    let { left, top, right, bottom } = own;
    if (styleOf(element).overflowX === "visible") {
      const inside = element.getElementsByTagName("*");
      for (let i = 0; i < Math.min(inside.length, 30); i += 1) {
        const rect = rectOf(inside[i]);
        if (!rect.width || !rect.height || !isRendered(inside[i])) continue;
        if (styleOf(inside[i]).pointerEvents === "none") continue;
        if (clipper(inside[i], "overflowX", ["hidden", "clip"]) !== clipper(element, "overflowX", ["hidden", "clip"])) continue;
        const isEmpty = own.width === 0 && own.height === 0 && right === left;
        left = isEmpty ? rect.left : Math.min(left, rect.left);
        top = isEmpty ? rect.top : Math.min(top, rect.top);
        right = isEmpty ? rect.right : Math.max(right, rect.right);
        bottom = isEmpty ? rect.bottom : Math.max(bottom, rect.bottom);
      }
    }
    const box = { left, top, right, bottom, width: right - left, height: bottom - top };
    boxes.set(element, box);
    return box;
  }

  // ---- What makes the page wider than its window

  const reachesOut = (rect) => rect.width > 0
    && (isRtl ? leftOf(rect) < -0.5 : rightOf(rect) > root.clientWidth + 0.5);

  const wider = () => {
    const found = [];
    const named = [];
    for (const element of overflow ? elements : []) {
      if (named.length === mostWider) break;
      if (element === html || found.some((one) => isWithin(element, one))) continue;
      let isOut = reachesOut(rectOf(element));
      if (!isOut) {
        // A word that doesn't break is wider than the element it stands in.
        for (const node of childNodesOf(element)) {
          if (node.nodeType !== Node.TEXT_NODE || !node.data.trim()) continue;
          const range = document.createRange();
          range.selectNodeContents(node);
          if ((isOut = reachesOut(range.getBoundingClientRect()))) {
            isOut = styleOf(element).overflowX === "visible"
              || element === body || styleOf(element).display === "inline";
            if (isOut) break;
          }
        }
      }
      if (!isOut || isFixed(element)) continue;
      if (clipper(element, "overflowX", ["auto", "scroll", "hidden", "clip"])) continue;
      found.push(element);
      const name = described(tagOf(element), element);
      if (!named.includes(name)) named.push(name);
    }
    return named;
  };

  // ---- Targets (WCAG 2.2, 2.5.8)

  const roles = ["button", "link", "checkbox", "radio", "switch", "tab", "menuitem",
    "menuitemcheckbox", "menuitemradio", "option", "slider", "spinbutton", "combobox"];
  const targetSelector = ["a[href]", "button", "input:not([type=hidden])", "select", "textarea",
    "summary", ...roles.map((role) => `[role=${role}]`)].join(",");

  const kindOf = (element) => {
    const role = (attributeOf(element, "role") ?? "").trim().split(/\s+/)[0].toLowerCase();
    if (roles.includes(role)) return role;
    const type = tagOf(element) === "input" ? element.type : "";
    if (["checkbox", "radio"].includes(type)) return type;
    if (["submit", "button", "reset", "image"].includes(type)) return "button";
    return { a: "link", select: "list", textarea: "field", input: "field", summary: "button" }[
      tagOf(element)] ?? tagOf(element);
  };

  const takesClicks = (element) => !matches(element, ":disabled, [aria-disabled=true]")
    && styleOf(element).pointerEvents !== "none" && !within(element, "[inert]") && isSeen(element);

  const isTooSmall = (box) => box.width < targetPx - 0.05 || box.height < targetPx - 0.05;

  /** A pseudo-element that is laid over more than the element takes clicks for it. */
  const isStretched = (element) => ["::before", "::after"].some((which) => {
    const style = getComputedStyle(element, which);
    return style.content !== "none" && style.position === "absolute"
      && parseFloat(style.width) >= targetPx && parseFloat(style.height) >= targetPx;
  });

  const labelsOf = (element) => ["checkbox", "radio"].includes(element.type)
    ? [...(element.labels ?? [])].filter(isSeen).map(boxOf) : [];

  /** As the browser draws it: the exception for what the author didn't size. */
  const isBrowsersOwn = (element) => {
    const style = styleOf(element);
    if (tagOf(element) === "input" && ["checkbox", "radio"].includes(element.type)) {
      return style.appearance !== "none" && style.width === "13px" && style.height === "13px"
        && style.transform === "none";
    }
    const isPush = tagOf(element) === "button" || tagOf(element) === "input"
      && ["submit", "button", "reset"].includes(element.type);
    return isPush && style.borderStyle === "outset" && style.borderWidth === "2px"
      && style.padding === "1px 6px" && style.fontSize === "13.3333px";
  };

  const isInlineBox = (element) => /^(inline|contents|ruby)/.test(styleOf(element).display);

  /** It stands in a line of other text, which isn't a target: its height is that line's. */
  const isInText = (element, kind) => {
    const display = styleOf(element).display;
    if (display !== "inline" && !(kind === "link" && display.startsWith("inline"))) return false;
    let block = parentOf(element);
    while (block && ["inline", "contents"].includes(styleOf(block).display)) block = parentOf(block);
    if (!block) return false;
    let line = { text: "", hasIt: false };
    const lines = [line];
    let steps = 0;
    const read = (node) => {
      for (const child of childNodesOf(node)) {
        if ((steps += 1) > 500) return;
        if (child === element) line.hasIt = true;
        else if (child.nodeType === Node.TEXT_NODE) line.text += child.data;
        else if (child.nodeType !== Node.ELEMENT_NODE) continue;
        else if (tagOf(child) === "br" || !isInlineBox(child)) lines.push((line = { text: "", hasIt: false }));
        else if (!matches(child, targetSelector) && !["script", "style", "svg"].includes(tagOf(child))
          && isRendered(child)) read(child);
      }
    };
    read(block);
    return lines.some((one) => one.hasIt && /[\p{L}\p{N}]/u.test(one.text));
  };

  const smallTargets = () => {
    const targets = elements.filter((element) => matches(element, targetSelector) && takesClicks(element))
      .map((element) => {
        const kind = kindOf(element);
        const largest = [boxOf(element), ...labelsOf(element)]
          .reduce((one, other) => Math.min(other.width, other.height) > Math.min(one.width, one.height) ? other : one);
        const isSmall = isTooSmall(largest) && !isStretched(element);
        const parts = styleOf(element).display === "inline" ? [...element.getClientRects()] : [];
        return { element, kind, box: largest, isSmall, parts: parts.length > 1 ? parts : [boxOf(element)] };
      });
    const middle = ({ box }) => [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
    const radius = targetPx / 2;
    const isCrowded = (one) => {
      const [x, y] = middle(one);
      return targets.some((other) => {
        if (other === one) return false;
        const isNear = other.parts.some((part) => {
          const dx = Math.max(part.left - x, 0, x - part.right);
          const dy = Math.max(part.top - y, 0, y - part.bottom);
          return Math.hypot(dx, dy) < radius - 0.05;
        }) || other.isSmall && Math.hypot(x - middle(other)[0], y - middle(other)[1]) < targetPx - 0.05;
        return isNear && !isWithin(one.element, other.element) && !isWithin(other.element, one.element);
      });
    };
    return targets.filter((one) => one.isSmall && !isBrowsersOwn(one.element)
        && !isInText(one.element, one.kind) && isCrowded(one))
      .map(({ element, kind, box }) => ({
        what: described(kind, element),
        width: Math.round(box.width * 10) / 10,
        height: Math.round(box.height * 10) / 10,
      }));
  };

  // ---- Headings, images, links, navigation

  const isHeading = (element) => {
    const role = attributeOf(element, "role");
    const level = attributeOf(element, "aria-level");
    if (role === "heading") return (level ?? (tagOf(element) === "h1" ? "1" : "2")) === "1";
    return tagOf(element) === "h1" && !role && (level ?? "1") === "1";
  };

  const brokenImages = async () => {
    const suspects = elements.filter((element) => tagOf(element) === "img"
      && element.complete === true && element.naturalWidth === 0 && element.currentSrc);
    // A drawing may have no width of its own; only what is broken can't be decoded.
    const late = new Promise((resolve) => setTimeout(resolve, decodeMs, true));
    const broken = await Promise.all(suspects.map((image) =>
      Promise.race([late, image.decode().then(() => false, () => true)])));
    return suspects.filter((_, index) => broken[index]).map(({ currentSrc }) =>
      shorten(currentSrc, currentSrc.startsWith("data:") ? nameLength : addressLength));
  };

  const linkOf = (element) => {
    if (tagOf(element) !== "a") return null;
    // That of a drawing's link is an object.
    const given = attributeOf(element, "href") ?? attributeOf(element, "xlink:href");
    if (given === null) return null;
    try {
      const address = new URL(given, element.baseURI);
      address.hash = "";
      return ["http:", "https:"].includes(address.protocol) ? address.href : null;
    } catch {
      return null;
    }
  };

  const navigation = "nav, [role=navigation]";
  const menuButton = () => {
    const opens = (element) => {
      if (tagOf(element) === "summary") return !element.parentElement?.open;
      const isButton = matches(element, "button, [role=button], input[type=button]");
      return isButton && (attributeOf(element, "aria-expanded") === "false"
        || matches(element, "[aria-controls]:not([aria-expanded]), [popovertarget]"));
    };
    const opensNavigation = (element) => {
      if (within(element, navigation)) return true;
      const id = attributeOf(element, "aria-controls") ?? attributeOf(element, "popovertarget");
      const opened = id && rootOf(element).getElementById?.(id.trim().split(/\s+/)[0]);
      return Boolean(opened && (within(opened, navigation) || opened.querySelector(navigation)));
    };
    const buttons = elements.filter((element) => opens(element)
      && within(element, `header, [role=banner], ${navigation}`) && isSeen(element));
    const button = buttons.find(opensNavigation) ?? buttons[0];
    return button ? nameOf(button) || "button" : null;
  };

  return {
    overflow_px: overflow,
    wider: wider(),
    small_targets: smallTargets(),
    headings: elements.filter((element) => isHeading(element) && isRendered(element))
      .map(nameOf).filter(Boolean),
    title: shorten(document.title, addressLength),
    language: attributeOf(html, "lang") ?? attributeOf(html, "xml:lang") ?? "",
    broken_images: await brokenImages(),
    links: [...new Set(elements.map(linkOf).filter(Boolean))],
    navigation_links: elements.filter((element) => matches(element, "a[href], [role=link]")
      && within(element, navigation) && isSeen(element)).length,
    menu_button: menuButton(),
    is_whole: isWhole,
  };
}
