/** A square to draw on, handed to ui/canvas.py as a PNG after each stroke. */

/** @param {{parentElement: HTMLElement, setStateValue: (name: string, value: unknown) => void}} component */
export default function ({ parentElement, setStateValue }) {
  const canvas = /** @type {HTMLCanvasElement} */ (parentElement.querySelector("canvas"));
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const clear = () => { pen.fillStyle = "#000"; pen.fillRect(0, 0, canvas.width, canvas.height); };
  if (!canvas.dataset.ready) {
    canvas.dataset.ready = "yes";
    clear();
  }
  /**
   * @param {PointerEvent} event
   * @returns {[number, number]}
   */
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    const scale = canvas.width / box.width;
    return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  };
  let drawing = false;
  /** @param {PointerEvent} event */
  const draw = (event) => {
    if (!drawing) return;
    pen.lineTo(...place(event));
    pen.stroke();
  };
  canvas.onpointerdown = (event) => {
    drawing = true;
    canvas.setPointerCapture(event.pointerId);
    Object.assign(pen, { strokeStyle: "#e6e6e6", lineWidth: 24, lineCap: "round", lineJoin: "round" });
    pen.beginPath();
    pen.moveTo(...place(event));
    draw(event);
  };
  canvas.onpointermove = draw;
  canvas.onpointerup = canvas.onpointercancel = () => {
    if (!drawing) return;
    drawing = false;
    setStateValue("drawing", canvas.toDataURL("image/png"));
  };
  const button = /** @type {HTMLButtonElement} */ (parentElement.querySelector("button"));
  button.onclick = () => { clear(); setStateValue("drawing", null); };
}
