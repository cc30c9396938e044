// Talks to the API; keeps the token for as long as the tab is open.
const KEY = "access-token";
const config = fetch("/config.json").then((answer) => answer.json());

export const isSignedIn = () => sessionStorage.getItem(KEY) !== null;

export function showAlert(message) {
  document.getElementById("alert").textContent = message;
}

async function send(path, options = {}) {
  const { api } = await config;
  const headers = { ...options.headers };
  const token = sessionStorage.getItem(KEY);
  if (token) headers.Authorization = `Bearer ${token}`;
  try {
    return await fetch(api + path, { ...options, headers });
  } catch {
    throw new Error("The platform can't be reached. Try again in a moment.");
  }
}

async function read(answer) {
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  const content = await answer.json().catch(() => null);
  throw new Error(content?.error?.message ?? `The platform answered ${answer.status}.`);
}

export async function get(path, parameters = {}) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== ""));
  const answer = await send(query.size ? `${path}?${query}` : path);
  if (answer.status === 401) {
    sessionStorage.removeItem(KEY);
    location.replace(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
  }
  return read(answer);
}

export async function signIn(username, password) {
  const answer = await send("/api/v1/auth/login", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ username, password }),
  });
  sessionStorage.setItem(KEY, (await read(answer)).access_token);
}

export async function signOut() {
  try {
    await read(await send("/api/v1/auth/logout", { method: "POST" }));
  } catch (error) {
    console.warn(error.message);
  }
  sessionStorage.removeItem(KEY);
  location.assign("/login");
}
