// What a visitor leaves by signing out stays in the history with the token that showed it.
const KEY = "access-token";

if (history.state?.token) sessionStorage.setItem(KEY, history.state.token);
document.getElementById("sign-out").addEventListener("click", () => {
  history.replaceState({ token: sessionStorage.getItem(KEY) }, "");
});
