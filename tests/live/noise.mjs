/**
 * The engine's noise as bytes: node noise.mjs FILE normal|mixture SEED COUNT SIZE START
 */

import { writeFileSync } from "node:fs";
import { normal, uniformAndNormal } from "../../static/live/noise.js";

const [file, kind, ...numbers] = process.argv.slice(2);
const draw = kind === "mixture" ? uniformAndNormal : normal;
writeFileSync(file, new Uint8Array(draw(...numbers.map(Number)).buffer));
