// Prints what multibox detects, a line a frame: `node examples/node-client.mjs [ws://127.0.0.1:8080/v1/detections] [label...]`.
import { setTimeout as wait } from "node:timers/promises";
import { WebSocket } from "ws";

const [url = "ws://127.0.0.1:8080/v1/detections", ...labels] = process.argv.slice(2);
const token = process.env["MULTIBOX_TOKEN"];

/** Resolves when the connection is over, with whether there was one. */
function follow() {
  return new Promise((resolve) => {
    let greeted = false;
    const socket = new WebSocket(url, { headers: token ? { authorization: `Bearer ${token}` } : {} });
    socket.addEventListener("message", ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === "hello") {
        greeted = true;
        const request = { id: 1, type: "subscribe", streams: ["*"], minScore: 0.5 };
        socket.send(JSON.stringify(labels.length > 0 ? { ...request, labels } : request));
      }
      show(message);
    });
    socket.on("error", (error) => console.error(error.message || error.code));
    socket.on("close", () => resolve(greeted));
  });
}

function show(message) {
  switch (message.type) {
    case "hello":
      console.error(`connected to multibox ${message.server.version}, ${message.model.name}`);
      break;
    case "result":
      if (!message.ok) console.error(`${message.error.code}: ${message.error.message} ${message.error.hint}`);
      break;
    case "stream":
      console.error(`${message.stream} is ${message.state}`, message.error?.message ?? "");
      break;
    case "detections": {
      const found = message.detections.map(({ label, score, bbox }) => {
        return `${label} ${score.toFixed(2)} [${bbox.map(Math.round).join(", ")}]`;
      });
      const missed = message.dropped > 0 ? ` (${message.dropped} missed)` : "";
      console.log(
        `${message.stream} ${message.seq} ${message.pts.toFixed(2)}s${missed}: ${found.join(", ") || "nothing"}`,
      );
    }
  }
}

let seconds = 1;
for (;;) {
  seconds = (await follow()) ? 1 : Math.min(30, seconds * 2);
  await wait(seconds * 1000);
}
