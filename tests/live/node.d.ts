/* What the engine imports where it runs in Node. */
declare module "node:fs/promises";
declare module "node:worker_threads";
