// How long to wait before something that has failed is tried again.

/** Of waits that grow from attempt to attempt. */
export interface BackOff {
  readonly firstMs: number;
  readonly maxMs: number;
  readonly factor: number;
  /** 0..1: the part of each wait that is left to chance, so that twenty cameras behind one switch do not come at once. */
  readonly jitter: number;
}

/** Milliseconds before attempt number `attempt` (from 0) to start again. `random`: 0..1. */
export function backOffMs(backOff: BackOff, attempt: number, random: number): number {
  const whole = Math.min(backOff.maxMs, backOff.firstMs * backOff.factor ** attempt);
  return whole * (1 - backOff.jitter * random);
}
