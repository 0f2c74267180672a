/** Who is visiting: a random number that this browser keeps, told to ui/visitor.py where that does not know it. */

/** @param {{data: {known: string | null}, setStateValue: (name: string, value: unknown) => void}} component */
export default function ({ data, setStateValue }) {
  /** @param {number} byte */
  const hex = (byte) => byte.toString(16).padStart(2, "0");
  const draw = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), hex).join("");
  let token = null;
  try {
    token = localStorage.getItem("genlib-visitor");
    if (!/^[0-9a-f]{32}$/.test(token ?? "")) {
      token = draw();
      localStorage.setItem("genlib-visitor", token);
    }
  } catch { return; }  // a browser that keeps nothing: the session must do
  if (token !== data.known) setStateValue("token", token);
}
