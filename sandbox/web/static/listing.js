// Shows one page of policies, and leads to the pages around it.
import { get, showAlert } from "/static/api.js";

const PER_PAGE = 12;
const list = document.getElementById("policies");
const pages = document.getElementById("pages");

export function element(tag, text, attributes = {}) {
  const made = document.createElement(tag);
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function card(policy) {
  const item = document.createElement("li");
  const link = element("a", "", { href: `/policies/${policy.id}`, dir: "auto" });
  link.append(element("strong", policy.title));
  if (policy.summary) link.append(element("span", policy.summary));
  const facts = element("span", "", { class: "tags", dir: "ltr" });
  facts.append(
    element("span", policy.status, { class: `tag ${policy.status}` }),
    element("span", policy.category, { class: "tag" }),
  );
  link.append(facts);
  item.append(link);
  return item;
}

// `shown` are the parameters of the address: the page survives a reload and the back button.
export async function show(path, shown) {
  const page = Math.max(1, Number.parseInt(shown.get("page") ?? "1", 10) || 1);
  const parameters = { ...Object.fromEntries(shown), page, per_page: PER_PAGE };
  list.setAttribute("aria-busy", "true");
  try {
    const listing = await get(path, parameters);
    const last = Math.max(1, Math.ceil(listing.total / PER_PAGE));
    list.replaceChildren(...listing.items.map(card));
    document.getElementById("count").textContent =
      listing.total === 1 ? "1 policy" : `${listing.total} policies`;
    document.getElementById("page").textContent = `Page ${page} of ${last}`;
    document.getElementById("previous").disabled = page <= 1;
    document.getElementById("next").disabled = page >= last;
    pages.hidden = last === 1;
    showAlert("");
  } catch (error) {
    showAlert(error.message);
  } finally {
    list.setAttribute("aria-busy", "false");
  }
}

export function enablePages(shown, update) {
  const turn = (by) => {
    shown.set("page", String((Number.parseInt(shown.get("page") ?? "1", 10) || 1) + by));
    update();
    document.getElementById("main").focus();
    scrollTo({ top: 0 });
  };
  document.getElementById("previous").addEventListener("click", () => turn(-1));
  document.getElementById("next").addEventListener("click", () => turn(1));
}
