/** A model's training under a slider: the pictures of an epoch, its figures, and where it stands on the curve. */

/** @typedef {{epochs: number[], rows: number, told: string[], places: number[][], unit: string, name: string}} Past */

const SIDE = 28;
const ROW = 10;
const GAP = 1;
const FRAME = 125; // milliseconds of an epoch while it plays
const past = /** @type {Past} */ (JSON.parse(document.getElementById("history")?.textContent ?? "{}"));
const canvas = /** @type {HTMLCanvasElement} */ (document.getElementById("strip"));
const scrub = /** @type {HTMLInputElement} */ (document.getElementById("scrub"));
const playing = /** @type {HTMLButtonElement} */ (document.getElementById("play"));
const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
const sprite = new Image();

function show() {
  const at = Number(scrub.value);
  const epoch = past.epochs[at];
  pen.clearRect(0, 0, canvas.width, canvas.height);
  for (let row = 0; row < past.rows; row++)
    for (let i = 0; i < ROW; i++) {
      const from = (row * ROW + i) * SIDE;
      pen.drawImage(sprite, from, at * SIDE, SIDE, SIDE, i * (SIDE + GAP), row * (SIDE + GAP), SIDE, SIDE);
    }
  const { unit, name } = past;
  canvas.setAttribute("aria-label", `Ten samples of ${name} after ${unit} ${epoch}, always from the same noise`);
  scrub.setAttribute("aria-valuetext", `${unit} ${epoch}`);
  const [said, told] = ["epoch", "told"].map((id) => document.getElementById(id));
  if (said) said.textContent = String(epoch);
  if (told) told.textContent = past.told[at];
  const [x, ...ys] = past.places[at];
  document.querySelectorAll(".chart circle").forEach((dot, i) => {
    dot.setAttribute("visibility", ys[i] === undefined ? "hidden" : "visible");
    dot.setAttribute("cx", String(x));
    if (ys[i] !== undefined) dot.setAttribute("cy", String(ys[i]));
  });
}

let timer = 0;

/** From the first epoch to the last, or from where the slider stands; another press stops it. */
function play() {
  if (timer) return stop();
  if (scrub.value === scrub.max) scrub.value = "0";
  show();
  playing.textContent = "Stop";
  timer = setInterval(() => {
    scrub.value = String(Number(scrub.value) + 1);
    show();
    if (scrub.value === scrub.max) stop();
  }, FRAME);
}

function stop() {
  clearInterval(timer);
  timer = 0;
  playing.textContent = "Play";
}

sprite.onload = show;
sprite.src = "progress.png";
scrub.oninput = show;
scrub.onpointerdown = scrub.onkeydown = stop;
playing.onclick = play;
playing.hidden = past.epochs.length < 2 || matchMedia("(prefers-reduced-motion: reduce)").matches;
