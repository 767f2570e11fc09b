// The images of the captures that are looked at now and next, each fetched once.

/** The one on the screen, its neighbours, and some that were there before. */
const MOST = 8;

export interface ImageUrls {
  readonly create: (image: Blob) => string;
  readonly revoke: (url: string) => void;
}

export class ImageCache {
  readonly #load: (id: string) => Promise<Blob>;
  readonly #urls: ImageUrls;
  /** In the order in which they were last asked for. */
  readonly #images = new Map<string, Promise<string>>();

  constructor(load: (id: string) => Promise<Blob>, urls: ImageUrls) {
    this.#load = load;
    this.#urls = urls;
  }

  /** The address of a capture's image. Fails as loading does; the next call tries again. */
  get(id: string): Promise<string> {
    const image = this.#images.get(id) ?? this.#load(id).then((blob) => this.#urls.create(blob));
    this.#images.delete(id);
    this.#images.set(id, image);
    image.catch(() => {
      if (this.#images.get(id) === image) this.#images.delete(id);
    });
    const excess = [...this.#images.keys()].slice(0, Math.max(0, this.#images.size - MOST));
    for (const old of excess) {
      this.#images.get(old)!.then(this.#urls.revoke, () => undefined);
      this.#images.delete(old);
    }
    return image;
  }

  /** Loads an image ahead of its use; a failure is reported when it is used. */
  prefetch(id: string | undefined): void {
    if (id !== undefined && !this.#images.has(id)) this.get(id).catch(() => undefined);
  }
}
