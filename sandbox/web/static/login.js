import { showAlert, signIn } from "/static/api.js";

const form = document.getElementById("login");
const button = form.querySelector("button");

// Only ever lead on to a page of this site.
function destination() {
  const wanted = new URL(new URLSearchParams(location.search).get("next") ?? "/", location.origin);
  return wanted.origin === location.origin ? wanted : new URL("/", location.origin);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  showAlert("");
  button.disabled = true;
  try {
    await signIn(form.elements.username.value, form.elements.password.value);
    location.replace(destination());
  } catch (error) {
    showAlert(error.message);
    form.elements.password.focus();
  } finally {
    button.disabled = false;
  }
});

button.disabled = false; // before this script is here, the form has nowhere to go
if (document.activeElement === document.body) form.elements.username.focus();
