// RxJS's scheduler on a clock that never jumps: its own reads the time of day, which is set forwards and back while we run.
import { asyncScheduler, type SchedulerLike } from "rxjs";

/** `now` is in milliseconds since the process began. */
export const steadyScheduler: SchedulerLike = {
  now: () => performance.now(),
  schedule: asyncScheduler.schedule.bind(asyncScheduler),
};
