// Which formats ffmpeg may play where it must open nothing else: those that hold their own images. One rule for files (streams, jobs and
// annotate) and for cameras whose addresses are checked.

/**
 * Demuxers that open nothing but their input itself. The others are playlists and scripts (HLS, DASH, concat, SDP, IMF, AviSynth), numbered images, or
 * look for files beside it: a caller who may name such a file could show any video on the machine, and a camera that sends one could lead ffmpeg to any
 * address, also past a proxy (`tcp://` in an HLS master playlist). The content decides, not the name.
 */
const SELF_CONTAINED = [
  "mov,matroska,avi,mpegts,mpegtsraw,mpeg,mpegvideo,m4v,h261,h263,h264,hevc,vvc,av1,obu,ivf,ivr,flv,live_flv,kux,asf,asf_o,ogg,nut",
  "mxf,gxf,lxf,mjpeg,mjpeg_2000,smjpeg,mpjpeg,jpeg_pipe,yuv4mpegpipe,dv,rm,gif,apng,wtv,vc1,vc1test,dhav,dirac,cavsvideo,avs2,avs3",
  "dnxhd,nsv,nuv,pva,pmp,ty,swf,mtv,mxg,r3d,ser,vivo,roq,smk,bink,flic,film_cpk,idcin,wc3movie,xmv,thp,4xm,ea,rl2,rpl,cdxl,moflex",
].join(",");

/** ffmpeg's options for an input that is a file, or with `pipe`, standard input. */
export function fileConfinement(more?: "pipe"): string[] {
  return ["-protocol_whitelist", more ? `${more},file` : "file", ...onlySelfContained()];
}

/** ffmpeg's options for an input that opens nothing else. */
export function onlySelfContained(): string[] {
  return ["-format_whitelist", SELF_CONTAINED];
}

/** The demuxer that ffmpeg's line refuses: `[hls @ 0x55c4] [error] Format not on whitelist '...'`. */
export function refusedFormat(line: string): string | undefined {
  return /^\[([\w,]+) @ \w+\] \[\w+\] Format not on whitelist/.exec(line)?.[1];
}
