// Streams as the wire tells of them: no passwords, times as ISO 8601.
import type { Latency } from "../../pipeline/latency.ts";
import type { Pipeline } from "../../pipeline/pipeline.ts";
import { type StreamStatus } from "../../pipeline/stream.ts";
import { redactText, redactUrl } from "../../redact.ts";
import { missingLabels, missingSentences } from "../../pipeline/stream-labels.ts";
import type { MultiboxError } from "../../errors.ts";
import type { ErrorBody } from "../api/error-body.ts";
import type { StreamEvent, StreamInfo } from "../protocol.ts";

export function streamInfo(
  pipeline: Pick<Pipeline, "counts" | "rates" | "latency" | "modelLabels" | "ffmpegWarning">,
  status: StreamStatus,
): StreamInfo {
  const { id, url, ...settings } = status.config;
  const { decoded, detected, inFlight, dropped } = pipeline.counts(id);
  const latency = pipeline.latency(id);
  return {
    id,
    url: redactUrl(url),
    state: status.state,
    since: isoTime(status.since),
    ...errorOf(status),
    ...warningsOf(status.config, pipeline.modelLabels(id), pipeline.ffmpegWarning(id)),
    ...status.size,
    fps: pipeline.rates(id),
    ...(latency && { latency: tidyLatency(latency) }),
    counts: { decoded, detected, inFlight, dropped: { ...dropped } },
    settings: settings as StreamInfo["settings"],
  };
}

/** A filter that matches nothing is no failure, and would not be noticed; nor is an ffmpeg that loses frames. */
function warningsOf(
  config: StreamStatus["config"],
  labels: readonly string[] | undefined,
  old: MultiboxError | undefined,
): Pick<StreamInfo, "warnings"> {
  const missing = labels && missingLabels(config, labels);
  const hint = "Change the labels in the stream's settings, or activate a version of the model that has them.";
  const warnings = [
    ...(missing ? missingSentences(missing).map((message) => ({ code: "LABEL_UNKNOWN", message, hint })) : []),
    ...(old ? [{ code: old.code, message: old.message, hint: old.hint }] : []),
  ];
  return warnings.length > 0 ? { warnings } : {};
}

/** To a tenth of a millisecond; they are not known better. */
function tidyLatency({ queueMs, inferMs, totalMs }: Latency): Latency {
  const tidy = ({ p50, p95, p99 }: Latency["queueMs"]): Latency["queueMs"] => {
    const [a, b, c] = [p50, p95, p99].map((value) => Math.round(value * 10) / 10) as [number, number, number];
    return { p50: a, p95: b, p99: c };
  };
  return { queueMs: tidy(queueMs), inferMs: tidy(inferMs), totalMs: tidy(totalMs) };
}

export function streamInfos(
  pipeline: Pick<Pipeline, "list" | "counts" | "rates" | "latency" | "modelLabels" | "ffmpegWarning">,
): StreamInfo[] {
  return pipeline.list().map((status) => streamInfo(pipeline, status));
}

export function streamEvent(status: StreamStatus): StreamEvent {
  const { config, state, since } = status;
  return { type: "stream", stream: config.id, state, since: isoTime(since), ...errorOf(status) };
}

export function removedEvent(stream: string, time: number): StreamEvent {
  return { type: "stream", stream, state: "removed", since: isoTime(time) };
}

/** Milliseconds since the epoch, as the wire has times. */
export function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/** Sentences about a stream quote ffmpeg, and ffmpeg quotes the URL. */
function errorOf({ error, config }: StreamStatus): { error?: ErrorBody } {
  if (!error) return {};
  const clear = (text: string): string => redactText(text, config.url);
  return { error: { code: error.code, message: clear(error.message), hint: clear(error.hint) } };
}
