"""Prints what multibox detects, a line a frame: python3 examples/python-client.py [URL] [label...]

Needs the package `websockets` (pip install websockets, or apt install python3-websockets), 10 or newer.
"""

import asyncio
import json
import os
import sys

import websockets

URL = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8080/v1/detections"
LABELS = sys.argv[2:]
TOKEN = os.environ.get("MULTIBOX_TOKEN")


def show(message):
    if message["type"] == "hello":
        print("connected to multibox", message["server"]["version"], file=sys.stderr)
    elif message["type"] == "result" and not message["ok"]:
        print(message["error"]["code"], message["error"]["message"], message["error"]["hint"], file=sys.stderr)
    elif message["type"] == "stream":
        print(message["stream"], "is", message["state"], message.get("error", {}).get("message", ""), file=sys.stderr)
    elif message["type"] == "detections":
        found = ", ".join(f"{d['label']} {d['score']:.2f} {[round(v) for v in d['bbox']]}" for d in message["detections"])
        missed = f" ({message['dropped']} missed)" if message["dropped"] else ""
        print(f"{message['stream']} {message['seq']} {message['pts']:.2f}s{missed}: {found or 'nothing'}", flush=True)


async def follow():
    # A header would be better than the query; its parameter has another name in each version of websockets.
    address = f"{URL}?token={TOKEN}" if TOKEN else URL
    async with websockets.connect(address) as socket:
        request = {"id": 1, "type": "subscribe", "streams": ["*"], "minScore": 0.5}
        await socket.send(json.dumps({**request, "labels": LABELS} if LABELS else request))
        async for message in socket:
            show(json.loads(message))


async def main():
    seconds = 1
    while True:
        try:
            await follow()
            seconds = 1
        except (OSError, websockets.WebSocketException) as error:
            print(error, file=sys.stderr)
            seconds = min(30, seconds * 2)
        await asyncio.sleep(seconds)


try:
    asyncio.run(main())
except KeyboardInterrupt:
    pass
