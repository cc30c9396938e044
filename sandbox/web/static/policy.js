import { get, showAlert } from "/static/api.js";
import { element } from "/static/listing.js";

const article = document.getElementById("policy");

function facts(policy) {
  const day = new Date(policy.updated_at).toLocaleDateString("en-GB", { dateStyle: "long" });
  return { Status: policy.status, Category: policy.category, Owner: policy.owner, Version: policy.version, Updated: day };
}

try {
  const policy = await get(`/api/v1/policies/${location.pathname.split("/").pop()}`);
  document.title = `${policy.title} · Open Policy Platform`;
  document.getElementById("title").textContent = policy.title;
  const summary = document.getElementById("summary");
  summary.textContent = policy.summary ?? "";
  summary.hidden = !policy.summary;
  for (const [name, value] of Object.entries(facts(policy))) {
    const pair = document.createElement("div");
    pair.append(element("dt", name), element("dd", value));
    document.getElementById("facts").append(pair);
  }
  for (const paragraph of policy.body.split("\n\n")) {
    document.getElementById("body").append(element("p", paragraph, { dir: "auto" }));
  }
} catch (error) {
  showAlert(error.message);
} finally {
  article.setAttribute("aria-busy", "false");
}
