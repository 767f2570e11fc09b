// RxJS's scheduler on a clock that never jumps: its own reads the time of day, which is set forwards and back while we run.
import { asyncScheduler, type SchedulerLike } from "rxjs";

/**
 * A clock that never jumps. Limits, back-offs and durations take this type, so that the time of day, which an administrator or NTP sets,
 * does not compile in its place. What is stored or shown to people is in the time of day.
 */
export interface SteadyClock {
  /** Milliseconds since some moment. */
  now(): number;
  readonly isSteady: true;
}

/** `now` is in milliseconds since the process began. */
export const steadyScheduler: SchedulerLike & SteadyClock = {
  isSteady: true,
  now: () => performance.now(),
  schedule: asyncScheduler.schedule.bind(asyncScheduler),
};

/** A clock that its owner knows never to jump, one that a test turns for example. */
export function steady(clock: { now(): number }): SteadyClock {
  return { isSteady: true, now: () => clock.now() };
}
