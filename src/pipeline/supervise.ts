// Keeps a live stream going: notices that it stalls, and starts it again after every end, at first soon and then slowly.
import { catchError, defer, EMPTY, endWith, map, Observable, retry, tap, timer, type SchedulerLike } from "rxjs";
import { type BackOff, backOffMs } from "../back-off.ts";
import { MultiboxError, sentenceOf } from "../errors.ts";
import { steadyScheduler } from "../steady-scheduler.ts";
import type { Frame } from "./frame.ts";
import { isLive, type StreamConfig, type StreamState } from "./stream.ts";
import { redactText, redactUrl } from "../redact.ts";

export interface SuperviseOptions {
  /**
   * A live stream that decodes nothing for so long is killed and started again. One that was so before its first picture has
   * twice, then three times as long for that: else a machine that is too busy to open it in time would never be done with it.
   */
  readonly stallMs: number;
  readonly onState: (state: StreamState, error?: MultiboxError) => void;
  readonly backOff?: BackOff;
  /** The wait after a failure that only a person can mend. */
  readonly misconfiguredMs?: number;
  /** A stream that was live for so long begins its back-off anew. */
  readonly steadyMs?: number;
  /** 0..1 */
  readonly random?: () => number;
  readonly scheduler?: SchedulerLike;
}

const BACK_OFF: BackOff = { firstMs: 500, maxMs: 30_000, factor: 2, jitter: 0.5 };

/**
 * Runs a source until it is unsubscribed, or, for a file that is played once, until it ends. Never fails: failures are
 * told by `onState`, which is called when the state or its error changes. `open` gets a function to call with each
 * sign of life; a frame is one, a picture that was decoded and dropped is another. It also gets one to call while it waits for something
 * that is not the camera's to give: a model, or its place among those that start.
 */
export function supervise(config: StreamConfig, open: OpenSource, options: SuperviseOptions): Observable<Frame> {
  return defer(() =>
    (isLive(config) ? superviseLive : superviseFile)(config, open, stateSayer(options.onState), options),
  );
}

type OpenSource = (alive: () => void, waiting: () => void) => Observable<Frame>;
type Say = (state: StreamState, error?: MultiboxError) => void;

function superviseFile(config: StreamConfig, open: OpenSource, say: Say): Observable<Frame> {
  say("connecting");
  return defer(() =>
    open(
      () => {},
      () => {},
    ),
  ).pipe(
    tap({ next: () => say("live"), complete: () => say("ended") }),
    catchError((error: unknown) => {
      say("ended", explained(config, error));
      return EMPTY;
    }),
  );
}

function superviseLive(config: StreamConfig, open: OpenSource, say: Say, options: SuperviseOptions): Observable<Frame> {
  const { backOff = BACK_OFF, random = Math.random, scheduler = steadyScheduler } = options;
  const { misconfiguredMs = 60_000, steadyMs = backOff.maxMs } = options;
  let attempt = 0;
  /** Runs in a row that had no picture in time. */
  let unopened = 0;
  let liveSince: number | undefined;

  const pause = (thrown: unknown): Observable<unknown> => {
    const error = explained(config, thrown);
    if (liveSince !== undefined && scheduler.now() - liveSince >= steadyMs) attempt = 0;
    unopened = liveSince === undefined && error.code === "STREAM_STALLED" ? unopened + 1 : 0;
    liveSince = undefined;
    if (isMisconfiguration(error)) {
      say("misconfigured", error);
      return timer(misconfiguredMs, scheduler);
    }
    say(error.code === "STREAM_STALLED" ? "stalled" : "retrying", error);
    return timer(backOffMs(backOff, attempt++, random()), scheduler);
  };

  say("connecting");
  const openMs = (): number => options.stallMs * Math.min(1 + unopened, 3);
  return defer(() => watched(config, open, openMs(), options.stallMs, scheduler)).pipe(
    tap(() => {
      liveSince ??= scheduler.now();
      say("live");
    }),
    // An end is as good a reason to start again as a failure: a camera that hangs up is a success to ffmpeg.
    endWith(undefined),
    map((frame) => {
      if (frame) return frame;
      throw new MultiboxError("STREAM_ENDED", `"${redactUrl(config.url)}" ended.`);
    }),
    retry({ delay: pause }),
  );
}

/**
 * One run of the source, which fails once it has given no sign of life for `stallMs`, or no first one for `openMs`, which is
 * not less. One timer, not one a frame.
 */
function watched(
  config: StreamConfig,
  open: OpenSource,
  openMs: number,
  stallMs: number,
  scheduler: SchedulerLike,
): Observable<Frame> {
  return new Observable((subscriber) => {
    let last = scheduler.now();
    let limit = openMs;
    const alive = (): void => {
      last = scheduler.now();
      limit = stallMs;
    };
    subscriber.add(
      scheduler.schedule(function check() {
        const left = last + limit - scheduler.now();
        if (left > 0) {
          this.schedule(undefined, Math.min(left, stallMs));
          return;
        }
        const sentence = `"${redactUrl(config.url)}" sent no picture for ${limit / 1000} s.`;
        subscriber.error(new MultiboxError("STREAM_STALLED", sentence, "It is being restarted."));
      }, stallMs),
    );
    const waiting = (): void => void (last = scheduler.now());
    return defer(() => open(alive, waiting))
      .pipe(tap(alive))
      .subscribe(subscriber);
  });
}

const MISCONFIGURATION =
  /^(STREAM_(AUTH_FAILED|FORBIDDEN|NOT_FOUND|BAD_SCHEME|BAD_URL|TRANSPORT_REFUSED)|FILE_.*|FFMPEG_(?:MISSING|TOO_LARGE)|ADDRESS_FORBIDDEN|(MODEL|SPEC|WEIGHTS)_.*|ENGINE_MISSING)$/;

/** What only a person can mend. */
const isMisconfiguration = (error: MultiboxError): boolean => MISCONFIGURATION.test(error.code);

/** A bug in a source must not take the server down with it, and must not pass unseen. */
function explained(config: StreamConfig, thrown: unknown): MultiboxError {
  if (thrown instanceof MultiboxError) return thrown;
  const sentence = `"${redactUrl(config.url)}" failed: ${redactText(sentenceOf(thrown), config.url)}`;
  return new MultiboxError("STREAM_FAILED", sentence, "", { cause: thrown });
}

/** Says a state when it or its error has changed, not with each frame. */
function stateSayer(onState: Say): Say {
  let said: string | undefined;
  return (state, error) => {
    const saying = `${state} ${error ?? ""}`;
    if (saying === said) return;
    said = saying;
    if (error) onState(state, error);
    else onState(state);
  };
}
