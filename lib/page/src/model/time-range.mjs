/** The part of the time line that is shown, in steps of time; not always whole ones. */

/** Steps that are shown at least. */
const SHORTEST = 8;

export class TimeRange {
  begin = 0;
  length;

  /** @param {number} count steps that there are */
  constructor(count) {
    this.count = count;
    this.length = count;
  }

  get isWhole() {
    return this.length >= this.count;
  }

  /** @param {number} begin @param {number} end */
  set(begin, end) {
    const least = Math.min(SHORTEST, this.count);
    this.length = Math.max(least, Math.min(this.count, end - begin));
    this.begin = Math.max(0, Math.min(this.count - this.length, begin));
  }

  /** @param {number} by steps */
  move(by) {
    this.set(this.begin + by, this.begin + by + this.length);
  }

  /** @param {number} factor of the length @param {number} fixed the step that stays where it is */
  zoom(factor, fixed) {
    const share = (fixed - this.begin) / this.length;
    const length = this.length * factor;
    this.set(fixed - share * length, fixed - share * length + length);
  }

  /** @param {number} share of the width, 0 to 1 @returns {number} a step */
  stepAt(share) {
    return Math.max(
      0,
      Math.min(this.count - 1, Math.floor(this.begin + Math.max(0, Math.min(1, share)) * this.length)),
    );
  }

  /** @param {number} step @returns {number} share of the width */
  shareOf(step) {
    return (step - this.begin) / this.length;
  }
}
