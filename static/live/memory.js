/** A plan's memory. */

/** Where things lie. Buffers are used again once nothing reads them any more; constants stay. */
export class Memory {
  /**
   * @param {number} start first free byte
   */
  constructor(start) {
    this.end = start;
    /** @type {{pointer: number, bytes: number}[]} */
    this.free = [];
    /** @type {Map<number, number>} bytes of the buffers in use, by pointer */
    this.used = new Map();
    /** @type {[number, Float32Array | Int32Array][]} */
    this.constants = [];
  }

  /**
   * @param {Float32Array | Int32Array} numbers
   * @returns {number} its pointer
   */
  constant(numbers) {
    const pointer = this.grow(numbers.byteLength);
    this.constants.push([pointer, numbers]);
    return pointer;
  }

  /**
   * The smallest free buffer that is large enough, or a new one.
   * @param {number} bytes
   * @returns {number} its pointer
   */
  take(bytes) {
    const fitting = this.free.filter((region) => region.bytes >= bytes).sort((one, other) => one.bytes - other.bytes);
    const region = fitting[0] ?? { pointer: this.grow(bytes), bytes };
    this.free = this.free.filter((other) => other !== region);
    this.used.set(region.pointer, region.bytes);
    return region.pointer;
  }

  /**
   * @param {number} pointer
   */
  release(pointer) {
    this.free.push({ pointer, bytes: this.used.get(pointer) ?? 0 });
    this.used.delete(pointer);
  }

  /**
   * @param {number} bytes
   * @returns {number}
   */
  grow(bytes) {
    const pointer = Math.ceil(this.end / 64) * 64;
    this.end = pointer + bytes;
    return pointer;
  }
}
