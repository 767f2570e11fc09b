// The environment of child processes: an allow-list, so that no secret, proxy or debugging switch of the server reaches them.

type Environment = Readonly<Record<string, string | undefined>>;

/** What any program needs to find itself, its libraries, its fonts, its certificates and the GPU. Names are matched without case on Windows. */
const ANY = new RegExp(
  `^(?:${[
    "PATH|HOME|USER|LOGNAME|SHELL|TERM",
    "LANG|LANGUAGE|LC_.*|TZ|TZDIR",
    "TMPDIR|TMP|TEMP|XDG_.*",
    "LD_.*|DYLD_.*|MALLOC_.*|GLIBC_TUNABLES|FAKETIME.*",
    "FONTCONFIG_.*|FC_.*",
    "SSL_CERT_FILE|SSL_CERT_DIR|OPENSSL_CONF",
    "DISPLAY|WAYLAND_DISPLAY|XAUTHORITY",
    "CUDA_.*|NVIDIA_.*|LIBVA_.*|VDPAU_.*|VK_.*|MESA_.*|GALLIUM_.*|DRI_PRIME|EGL_.*|__EGL_.*|__GLX_.*|__NV_.*",
    "HIP_.*|HSA_.*|ROCR_.*|ROCM_.*|ONEVPL_.*|MFX_.*|INTEL_.*|IGC_.*|NEO.*|ZE_.*|SYCL_.*",
    "SYSTEMROOT|WINDIR|COMSPEC|PATHEXT|APPDATA|LOCALAPPDATA|PROGRAMDATA|PROGRAMFILES.*|USERPROFILE|SYSTEMDRIVE",
  ].join("|")})$`,
  process.platform === "win32" ? "i" : "",
);

/** What multibox itself needs besides: Node's own settings, those of the engines' libraries, and which ffmpeg to run. */
const OWN = /^(?:NODE_.*|UV_.*|FFMPEG_PATH|TF_.*|XLA_.*|OMP_.*|KMP_.*|GOMP_.*|MKL_.*|OPENBLAS_.*|ORT_.*|TSX_.*)$/;

/** For ffmpeg and other tools. Never proxies: where ffmpeg connects to is the server's decision. */
export function toolEnvironment(env: Environment = process.env): Record<string, string> {
  return select(env, (name) => ANY.test(name));
}

/** For multibox as a child of a server, which gets its settings as arguments. */
export function ownEnvironment(env: Environment = process.env): Record<string, string> {
  return select(env, (name) => ANY.test(name) || OWN.test(name));
}

function select(env: Environment, isAllowed: (name: string) => boolean): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && isAllowed(entry[0])),
  );
}
