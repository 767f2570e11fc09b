// What becomes of sound, subtitles and attachments in the container that a video is written to.
import { MultiboxError } from "../../errors.ts";
import type { Media } from "../media.ts";

type Container = "mp4" | "mov" | "mkv";

/** By a file's ending. Fails with CONTAINER_UNKNOWN. */
export function containerOf(path: string): Container {
  const ending = /\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase();
  if (ending === "m4v") return "mp4";
  if (ending === "mp4" || ending === "mov" || ending === "mkv") return ending;
  const hint = "Name a file that ends in .mp4, .mov or .mkv.";
  throw new MultiboxError("CONTAINER_UNKNOWN", `${path} has an ending that no video is written to.`, hint);
}

/** What MP4 carries in a way that players know; MOV knows plain samples as well, Matroska everything. */
const MP4_AUDIO = /^(aac|mp3|ac3|eac3|alac|opus|flac|mp2|dts)$/;
const MOV_AUDIO = /^(aac|mp3|ac3|eac3|alac|pcm_(s16|s24|s32|f32)[lb]e|pcm_(alaw|mulaw|u8))$/;
const TEXT_SUBTITLES = /^(mov_text|subrip|srt|ass|ssa|webvtt|text)$/;

/** ffmpeg's arguments for all streams but the picture, which is the output's stream 0. Copied where that can be. */
export function keptStreams(
  media: Media,
  container: Container,
  onWarning: (sentence: string) => void,
): readonly string[] {
  const of = (kind: string): readonly string[] =>
    media.streams.flatMap((stream) => (stream.kind === kind ? [stream.codec] : []));
  const audio = of("audio").flatMap((codec, i) => {
    const copied = container === "mkv" || (container === "mov" ? MOV_AUDIO : MP4_AUDIO).test(codec);
    if (!copied) onWarning(`Sound in ${codec} does not go into .${container}; it is encoded as AAC.`);
    return ["-map", `0:a:${i}`, `-c:a:${i}`, copied ? "copy" : "aac"];
  });
  let subtitles = 0;
  const text = of("subtitle").flatMap((codec, i) => {
    const isText = TEXT_SUBTITLES.test(codec);
    if (container !== "mkv" && !isText) {
      onWarning(`Subtitles in ${codec} do not go into .${container}, and are left out; .mkv keeps them.`);
      return [];
    }
    // Matroska does not know MP4's own subtitles.
    const target = container === "mkv" ? (codec === "mov_text" ? "srt" : "copy") : "mov_text";
    const options = ["-map", `0:s:${i}`, `-c:s:${subtitles}`, target];
    subtitles += 1;
    return options;
  });
  const attachments = container === "mkv" && of("attachment").length > 0 ? ["-map", "0:t", "-c:t", "copy"] : [];
  return [...audio, ...text, ...attachments];
}
