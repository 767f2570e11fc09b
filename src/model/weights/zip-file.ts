// Zip archives whose directory may say anything: what would lie outside the file is an error, not a crash.
import { createReadStream, read } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { Readable } from "node:stream";
import { type Entry, fromRandomAccessReaderPromise, RandomAccessReader } from "yauzl";

export interface Zip {
  /** Names of the entries. */
  readonly names: readonly string[];
  /** The bytes of an entry. Rejects where there are more than `most`, or not as many as the directory says. */
  read(name: string, most: number): Promise<Buffer>;
  close(): Promise<void>;
}

/** Opens an archive and reads its directory. Rejects with an Error that says what is wrong with it. */
export async function openZip(file: string): Promise<Zip> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const zip = await fromRandomAccessReaderPromise(new Part(file, handle, size), size, { autoClose: false });
    const entries = new Map<string, Entry>();
    for await (const entry of zip.eachEntry()) entries.set(entry.fileName, entry);
    return {
      names: [...entries.keys()],
      read: async (name, most) => {
        const entry = entries.get(name)!;
        if (entry.uncompressedSize > most)
          throw new Error(`${name} would have ${entry.uncompressedSize} bytes, and ${most} are the most`);
        const chunks: Buffer[] = [];
        // yauzl ends a stream that is longer or shorter than it was said to be with an error.
        for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk as Buffer);
        return Buffer.concat(chunks);
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** What yauzl reads by. Its own readers hand any place on to `fs.read`, which throws out of a callback where it is out of range. */
class Part extends RandomAccessReader {
  readonly #file: string;
  readonly #handle: FileHandle;
  readonly #size: number;

  constructor(file: string, handle: FileHandle, size: number) {
    super();
    this.#file = file;
    this.#handle = handle;
    this.#size = size;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    if (!this.#holds(position, position + length)) {
      process.nextTick(callback, outside(position));
      return;
    }
    read(this.#handle.fd, buffer, offset, length, position, (error, bytesRead) => {
      callback(error ?? (bytesRead === length ? null : outside(position)));
    });
  }

  override _readStreamForRange(start: number, end: number): Readable {
    if (this.#holds(start, end)) return createReadStream(this.#file, { start, end: end - 1 });
    return new Readable({
      read() {
        this.destroy(outside(start));
      },
    });
  }

  #holds(start: number, end: number): boolean {
    return Number.isSafeInteger(start) && start >= 0 && start <= end && end <= this.#size;
  }
}

const outside = (position: number): Error => new Error(`byte ${position} would be outside the file`);
