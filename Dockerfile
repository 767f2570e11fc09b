# The server as an image: built with all tools, run with Node, Debian's ffmpeg and what the server needs, as a user without rights.
# docker build -t multibox . && docker run --init -p 127.0.0.1:8080:8080 -e MULTIBOX_TOKEN=... -v multibox-cache:/var/cache/multibox -v multibox-data:/var/lib/multibox multibox

FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No install script is needed: binaries come as packages of their own.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json vite.config.ts ./
COPY src src
RUN npm run build
# The image has ONNX Runtime, which multibox would fetch at its first start, and an ffmpeg of its own. ONNX Runtime brings the binaries of
# every platform, some 250 MB.
RUN mkdir /runtime && cp -r node_modules/onnxruntime-node node_modules/onnxruntime-common /runtime \
 && npm prune --omit=dev --ignore-scripts \
 && cp -r /runtime/. node_modules \
 && rm -rf node_modules/@ffmpeg-installer \
 && find node_modules/onnxruntime-node/bin -mindepth 3 -maxdepth 3 -type d \
      ! -path "*/linux/$(node -p process.arch)" -exec rm -r {} +

FROM node:22-bookworm-slim
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates ffmpeg \
 && rm -rf /var/lib/apt/lists/* \
 && install --directory --owner=node --group=node /var/cache/multibox /var/lib/multibox
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json LICENSE NOTICE ./

# Listening on every address of the container needs a token: give MULTIBOX_TOKEN when it is run, it is not in the image.
# npm's cache is for the one download of the model, and must not be below a home folder that may be read-only.
ENV NODE_ENV=production \
    MULTIBOX_HOST=0.0.0.0 \
    MULTIBOX_PORT=8080 \
    MULTIBOX_CACHE_DIR=/var/cache/multibox \
    MULTIBOX_DATA_DIR=/var/lib/multibox \
    npm_config_cache=/tmp/npm
VOLUME /var/cache/multibox /var/lib/multibox
EXPOSE 8080
USER node

# The first start fetches the model, which may take minutes.
HEALTHCHECK --interval=10s --timeout=5s --start-period=5m --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.MULTIBOX_PORT}/health/ready`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/cli.js"]
CMD ["serve"]
